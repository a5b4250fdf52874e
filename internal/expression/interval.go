package expression

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

var errTooFewTimes = errors.New("an interval needs at least two times")

func timeHelpers() []helper {
	return []helper{
		ofTimes("AverageInterval", averageInterval),
		ofTimes("MedianInterval", medianInterval),
	}
}

func (l *Library) timeOfDayHelpers() []helper {
	return []helper{
		of1("ParseUnix", l.parseUnix),
		try0("TimeNow", func() (string, error) { return l.now().UTC().Format(time.RFC3339), nil }),
	}
}

// ofTimes registers a helper over a list of times, which may be typed or not.
func ofTimes(name string, f func([]time.Time) (time.Duration, error)) helper {
	return helper{name: name, call: func(args ...any) (any, error) {
		times, err := sortedTimes(args[0])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return f(times)
	}, types: []any{new(func([]time.Time) time.Duration), new(func([]any) time.Duration)}}
}

// Intervals are the helpers that turn times, in any order, into a duration, by their names. They fail for fewer than
// two times.
func Intervals() map[string]func([]time.Time) (time.Duration, error) {
	ofAny := func(f func([]time.Time) (time.Duration, error)) func([]time.Time) (time.Duration, error) {
		return func(times []time.Time) (time.Duration, error) {
			sorted, err := sortedTimes(times)
			if err != nil {
				return 0, err
			}
			return f(sorted)
		}
	}
	return map[string]func([]time.Time) (time.Duration, error){
		"AverageInterval": ofAny(averageInterval), "MedianInterval": ofAny(medianInterval),
	}
}

func sortedTimes(list any) ([]time.Time, error) {
	var times []time.Time
	switch list := list.(type) {
	case []time.Time:
		times = slices.Clone(list)
	case []any:
		for _, item := range list {
			at, ok := item.(time.Time)
			if !ok {
				return nil, fmt.Errorf("list holds %T, want time.Time", item)
			}
			times = append(times, at)
		}
	default:
		return nil, fmt.Errorf("argument is %T, want a list of times", list)
	}
	if len(times) < 2 {
		return nil, errTooFewTimes
	}
	slices.SortFunc(times, time.Time.Compare)
	return times, nil
}

func averageInterval(times []time.Time) (time.Duration, error) {
	gaps := len(times) - 1
	return times[gaps].Sub(times[0]) / time.Duration(gaps), nil
}

func medianInterval(times []time.Time) (time.Duration, error) {
	gaps := make([]time.Duration, 0, len(times)-1)
	for i := 1; i < len(times); i++ {
		gaps = append(gaps, times[i].Sub(times[i-1]))
	}
	slices.Sort(gaps)
	middle := len(gaps) / 2
	if len(gaps)%2 == 1 {
		return gaps[middle], nil
	}
	low, high := gaps[middle-1], gaps[middle]
	return low + (high-low)/2, nil
}

// parseUnix reads seconds since 1970, whose fraction is ignored, and yields RFC 3339 in the local zone.
func (l *Library) parseUnix(text string) string {
	whole, _, _ := strings.Cut(text, ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || seconds <= 0 {
		return ""
	}
	return time.Unix(seconds, 0).In(l.now().Location()).Format(time.RFC3339)
}
