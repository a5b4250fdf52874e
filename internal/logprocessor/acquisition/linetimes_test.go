package acquisition_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"shieldwall/internal/logprocessor/acquisition"
)

// TestLineTimes: whatever the clock does, times increase, and a clock that goes forward is believed.
func TestLineTimes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var times acquisition.LineTimes
		var last time.Time
		for _, offset := range rapid.SliceOf(rapid.Int64Range(0, 5)).Draw(t, "offsets") {
			wanted := time.Unix(1_700_000_000, offset)
			got := times.Next(wanted)
			if !got.After(last) || wanted.After(last) && !got.Equal(wanted) {
				t.Fatalf("after %v, for %v: %v", last, wanted, got)
			}
			last = got
		}
	})
}
