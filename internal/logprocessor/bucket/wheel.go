package bucket

import "math"

// never is a deadline that does not come.
const never = math.MinInt64

// wheel has the entries by the second in which they may expire. It is not told of those that go before.
type wheel struct {
	seconds map[int64][]ref
	turned  int64 // the last second whose entries were taken
}

// arm puts an entry where the wheel gets to it in the second after its deadline.
func (w *wheel) arm(e *entry) {
	e.armed = true
	second := max(e.deadline+1, w.turned+1)
	w.seconds[second] = append(w.seconds[second], e.ref)
}

// turn takes the entries of the next second that has any, or none at the last one.
func (w *wheel) turn(last int64) []ref {
	w.turned = w.next(last)
	due := w.seconds[w.turned]
	delete(w.seconds, w.turned)
	return due
}

// next returns the next second to look at. Years without an entry, which a clock that was set right can
// bring, are skipped.
func (w *wheel) next(last int64) int64 {
	if last-w.turned <= int64(len(w.seconds))+1 {
		return w.turned + 1
	}
	next := last
	for second := range w.seconds {
		next = min(next, second)
	}
	return next
}
