package bucket

import (
	"slices"
	"time"

	"shieldwall/internal/logprocessor/event"
)

// Watched is what is known about the events of a bucket, without a look at all of them. It is good until the call
// ends that it was handed to. Its methods panic where there is no such event, as a list does.
type Watched struct {
	queue   []event.Packed
	answers *answers
	memo    *memo
}

// Len returns how many events the bucket holds.
func (w *Watched) Len() int { return len(w.queue) }

// Count returns for how many of them the answer to a question was yes.
func (w *Watched) Count(question int) int { return int(w.answers.counts[question]) }

// Last returns the newest n of those, or all if there are fewer, oldest first.
func (w *Watched) Last(question, n int) []*event.Event {
	events := make([]*event.Event, 0, min(n, w.Count(question)))
	for i := len(w.queue) - 1; i >= 0 && len(events) < n; i-- {
		if w.answers.bits[i]&(1<<question) != 0 {
			events = append(events, w.memo.unpack(w.queue[i]))
		}
	}
	slices.Reverse(events)
	return events
}

// LastTimes returns the times of the events that Last returns.
func (w *Watched) LastTimes(question, n int) []time.Time {
	times := make([]time.Time, 0, min(n, w.Count(question)))
	for i := len(w.queue) - 1; i >= 0 && len(times) < n; i-- {
		if w.answers.bits[i]&(1<<question) != 0 {
			times = append(times, w.answers.times[i].time())
		}
	}
	slices.Reverse(times)
	return times
}

// NewestTimes returns the times of the events that Newest returns.
func (w *Watched) NewestTimes(n int) []time.Time {
	newest := w.answers.times[max(0, len(w.queue)-n):]
	times := make([]time.Time, len(newest))
	for i, at := range newest {
		times[i] = at.time()
	}
	return times
}

// Newest returns the newest n of all, or all if there are fewer, oldest first.
func (w *Watched) Newest(n int) []*event.Event {
	return w.memo.queue(w.queue[max(0, len(w.queue)-n):])
}

// At returns one of all, counted from the end when i is negative.
func (w *Watched) At(i int) *event.Event {
	if i < 0 {
		i += len(w.queue)
	}
	return w.memo.unpack(w.queue[i])
}

// MaxQuestions is how many questions there may be about an event.
const MaxQuestions = 8

// answers are those about the events of a queue, in their order: a bit for each question.
type answers struct {
	bits   []uint8
	times  []moment // of the events themselves
	counts [MaxQuestions]uint32
	total  uint32 // events that had been poured when the last answers came
}

// follow takes in the event that was poured last. What came before is asked again, of what was kept of it, after a
// restart only.
func (a *answers) follow(s *state, ask func(*event.Env) uint8, latest *Input, memo *memo) {
	if a.total+1 != s.total {
		*a = answers{}
		for _, kept := range s.queue[:len(s.queue)-1] {
			evt := memo.unpack(kept)
			a.add(ask(&event.Env{Evt: evt}), momentOf(evt.Time))
		}
	}
	a.total = s.total
	a.add(latest.Answers, momentOf(latest.Time))
	a.drop(len(a.bits) - len(s.queue))
}

func (a *answers) add(bits uint8, at moment) {
	a.bits, a.times = append(a.bits, bits), append(a.times, at)
	a.count(bits, 1)
}

// drop forgets the oldest.
func (a *answers) drop(oldest int) {
	if oldest <= 0 {
		return
	}
	for _, bits := range a.bits[:oldest] {
		a.count(bits, ^uint32(0)) // one less
	}
	a.bits = append(a.bits[:0], a.bits[oldest:]...)
	a.times = append(a.times[:0], a.times[oldest:]...)
}

func (a *answers) count(bits uint8, by uint32) {
	for question := range a.counts {
		if bits&(1<<question) != 0 {
			a.counts[question] += by
		}
	}
}
