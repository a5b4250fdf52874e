package replicas

import (
	"sync/atomic"
	"time"
)

// clock runs like any other, and can be moved ahead: then everything that is under way was slow.
type clock struct {
	start   time.Time
	skipped atomic.Int64
}

func newClock() *clock { return &clock{start: time.Now()} }

// Now returns a time without the fractions that a database would cut.
func (c *clock) Now() time.Time {
	passed := time.Since(c.start) + time.Duration(c.skipped.Load())
	return c.start.Round(0).UTC().Add(passed).Truncate(time.Microsecond)
}

func (c *clock) skip(d time.Duration) { c.skipped.Add(int64(d)) }
