package acquisition

import "time"

// LineTimes gives lines their times, which are distinct and increasing, because the time of a line is its identity for
// tools. The zero value has given none.
type LineTimes struct {
	last time.Time
}

// Next returns the time of the next line: wanted, or just after the line before.
func (t *LineTimes) Next(wanted time.Time) time.Time {
	if !wanted.After(t.last) {
		wanted = t.last.Add(time.Nanosecond)
	}
	t.last = wanted
	return wanted
}
