package sql

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawTime prefers times that differ little, and fractions that end with zeros.
func drawTime(t *rapid.T, label string) time.Time {
	seconds := rapid.OneOf(rapid.Int64Range(0, 3), rapid.Int64Range(-62135596800, 253402300799)).Draw(t, label+" seconds")
	unit := rapid.SampledFrom([]int64{1, 10, 1000, 1_000_000, 100_000_000, 1_000_000_000}).Draw(t, label+" unit")
	fraction := rapid.Int64Range(0, 999_999_999/unit).Draw(t, label+" fraction") * unit
	zone := time.FixedZone("", rapid.IntRange(-14, 14).Draw(t, label+" zone")*3600)
	return time.Unix(seconds, fraction).In(zone)
}

func TestTimesCompareAsText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawTime(t, "a"), drawTime(t, "b")
		got := strings.Compare(bindSQLiteTime(a).(string), bindSQLiteTime(b).(string)) //nolint:forcetypeassert,errcheck // a test
		if want := a.Compare(b); got != want {
			t.Fatalf("%s and %s compare as %d, as text %d", a, b, want, got)
		}
	})
}

func TestTimesHaveThePublishedForm(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		drawn := drawTime(t, "time")
		if got, want := bindSQLiteTime(drawn), drawn.UTC().Format(sqliteTime); got != want {
			t.Fatalf("%s is written %s, want %s", drawn, got, want)
		}
	})
}

func TestTimesAreReadAsWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		written := drawTime(t, "time")
		var read time.Time
		if err := (instant{&read}).Scan(bindSQLiteTime(written)); err != nil {
			t.Fatal(err)
		}
		if want := written.UTC(); read != want {
			t.Fatalf("wrote %s, read %s", want, read)
		}
	})
}

func TestTimesAfterTheYear9999(t *testing.T) {
	t.Parallel()
	got := bindSQLiteTime(time.Date(10_123, 1, 1, 0, 0, 0, 0, time.UTC))
	if got != "9999-12-31 23:59:59+00:00" {
		t.Errorf("got %v", got)
	}
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 11, 21, 20, 24, 54, 500_000_000, time.UTC)
	for _, text := range []string{
		"2026-11-21 20:24:54.5+00:00",
		"2026-11-21 20:24:54.500000000+00:00",
		"2026-11-21 22:24:54.5+02:00",
		"2026-11-21 20:24:54.5 +0000 UTC",
		"2026-11-21 22:24:54.5 +0200 CEST m=+0.000012",
		"2026-11-21T20:24:54.5Z",
		"2026-11-21T20:24:54.5",
		"2026-11-21 20:24:54.5",
	} {
		got, err := parseTime(text)
		if err != nil || got != want {
			t.Errorf("%s: got %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "now", "2026-13-01 00:00:00+00:00", "1700000000"} {
		if got, err := parseTime(text); err == nil {
			t.Errorf("%s: got %s, want an error", text, got)
		}
	}
}

func TestInstantRefusesOtherTypes(t *testing.T) {
	t.Parallel()
	var dst time.Time
	if err := (instant{&dst}).Scan(int64(5)); err == nil {
		t.Error("a number was read as a time")
	}
}

func FuzzParseTime(f *testing.F) {
	f.Add("2026-11-21 20:24:54.5+00:00")
	f.Add("2026-11-21 22:24:54.5 +0200 CEST m=+0.000012")
	f.Add("2026-11-21T20:24:54.5Z")
	f.Fuzz(func(t *testing.T, text string) {
		if fast, ok := parsePlainTime(text); ok {
			if slow, err := time.Parse(sqliteTime, text); err != nil || fast != slow.UTC() {
				t.Fatalf("%q: read %s, the standard library reads %s, %v", text, fast, slow, err)
			}
		}
		parsed, err := parseTime(text)
		if err != nil || parsed.Year() < 0 || parsed.Year() > 9999 {
			return
		}
		again, err := parseTime(parsed.Format(sqliteTime))
		if err != nil || again != parsed {
			t.Fatalf("%q: read %s, and %s (%v) from what it is written as", text, parsed, again, err)
		}
	})
}

func BenchmarkParseTime(b *testing.B) {
	text := bindSQLiteTime(time.Unix(1_800_000_000, 123_456_789)).(string) //nolint:forcetypeassert,errcheck // a test
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseTime(text); err != nil {
			b.Fatal(err)
		}
	}
}
