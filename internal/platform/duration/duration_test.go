package duration_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shieldwall/internal/platform/duration"
)

const day = 24 * time.Hour

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "4h": 4 * time.Hour, "1h30m": 90 * time.Minute, "1.5h": 90 * time.Minute, "250ms": 250 * time.Millisecond, "0": 0, "0s": 0,
		"-4h": -4 * time.Hour, "+4h": 4 * time.Hour,
		"7d": 7 * day, "0d": 0, "1d30m": day + 30*time.Minute, "1d1h1m1s": day + time.Hour + time.Minute + time.Second, "30d0s": 30 * day, "007d": 7 * day,
		"-2d": -2 * day, "-1d12h": -36 * time.Hour, "-0d": 0,
		"1d90m": day + 90*time.Minute, "1d48h": 3 * day,
		"36500d": 36500 * day, "106750d": 106750 * day,
		"2562047h": 2562047 * time.Hour, "9223372036854775807ns": math.MaxInt64, "-9223372036854775808ns": math.MinInt64,
	} {
		if got, err := duration.Parse(text); err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "d", "-", "-d", "7", "7 d", " 7d", "7d ", "1.5d", "7D", "7days", "seven", "d7", "1h2d", "1d2d", "--2d", "1d-30m", "1d-1h", "-1d-30m", "-+1d", "1_0d", "0x1d", "١d",
		"106751d999h", "106752d", "1000000d", "99999999999999999999d", "-106752d", "106750d48h1ns", "2562048h", "1d2562047h48m", "1w", "1y", "1d1", "1d d", "NaN", "1e3d",
	} {
		got, err := duration.Parse(text)
		if err == nil || got != 0 {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
		if err != nil && (strings.Contains(err.Error(), "\n") || text != "" && !strings.Contains(err.Error(), text)) {
			t.Errorf("%q: the error does not name it: %v", text, err)
		}
	}
}

func TestFormat(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]time.Duration{
		"0s": 0, "3h59m51s": 3*time.Hour + 59*time.Minute + 51*time.Second, "168h0m0s": 7 * day, "1m0s": time.Minute,
		"1s": 500 * time.Millisecond, "-1s": -500 * time.Millisecond, "4h0m0s": 4*time.Hour - time.Millisecond, "-48h0m0s": -2 * day,
	} {
		if got := duration.Format(d); got != want {
			t.Errorf("%d: got %s, want %s", d, got, want)
		}
	}
}

// TestDaysAreHours: a number of days says the same as so many hours.
func TestDaysAreHours(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		days := rapid.IntRange(0, 106749).Draw(t, "days")
		rest := time.Duration(rapid.Int64Range(0, int64(day)).Draw(t, "rest"))
		negative := rapid.Bool().Draw(t, "negative")
		text, want := fmt.Sprintf("%dd%s", days, rest), time.Duration(days)*day+rest
		if negative {
			text, want = "-"+text, -want
		}
		if got, err := duration.Parse(text); err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", text, got, err, want)
		}
	})
}

// FuzzParse checks that what is accepted can be written and read again.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"7d", "1d30m", "-2d", "90s", "1.5h", "-", "d", "106750d48h", "-9223372036854775808ns", "9223372036854775807ns", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := duration.Parse(text)
		if err != nil {
			if d != 0 {
				t.Errorf("%q: %v in spite of %v", text, d, err)
			}
			return
		}
		if again, err := duration.Parse(d.String()); err != nil || again != d {
			t.Errorf("%q is %v, which is read as %v, %v", text, d, again, err)
		}
		if again, err := duration.Parse(duration.Format(d)); err != nil || again != d.Round(time.Second) {
			t.Errorf("%q is written as %s, which is read as %v, %v", text, duration.Format(d), again, err)
		}
	})
}
