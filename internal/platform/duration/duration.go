// Package duration reads and writes durations as the published interfaces spell them: Go syntax, with an
// optional leading whole number of days.
package duration

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const (
	day     = 24 * time.Hour
	maxDays = int(math.MaxInt64/day) - 1 // leaves room for the part after the days
)

// Parse reads a Go duration that may begin with a number of days: "7d", "1d30m", "-2d", "90s".
func Parse(text string) (time.Duration, error) {
	unsigned, negative := strings.CutPrefix(text, "-")
	head, rest, hasDays := strings.Cut(unsigned, "d")
	if !hasDays {
		return time.ParseDuration(text)
	}
	number, err := strconv.ParseUint(head, 10, 31) // no second sign
	days := int(number)
	if err != nil || days > maxDays {
		return 0, fmt.Errorf("invalid day value in duration %q", text)
	}
	total := time.Duration(days) * day
	if rest != "" {
		more, err := time.ParseDuration(rest)
		if err != nil {
			return 0, fmt.Errorf("time: invalid duration %q", text)
		}
		if more < 0 || more > day*time.Duration(maxDays-days+1) {
			return 0, fmt.Errorf("time: invalid duration %q", text)
		}
		total += more
	}
	if negative {
		total = -total
	}
	return total, nil
}

// Format writes d rounded to the second in hours, minutes and seconds ("3h59m51s", "0s"): the only form
// that every published client can read.
func Format(d time.Duration) string { return d.Round(time.Second).String() }
