package bucket

import (
	"time"

	"shieldwall/internal/logprocessor/event"
)

// state is a bucket as the store has millions of them: a pour is a change of it. The zero value is empty.
type state struct {
	queue       []event.Packed
	more        *more   // nil: there is no more
	tokens      float64 // of a leaky bucket, at last
	first, last moment  // of the events poured
	total       uint32  // events poured, kept or not
	live        bool    // since the first live event
	noted       bool    // the store has a note to tell of it
	armed       bool    // the wheel knows it
}

// more is what few buckets have.
type more struct {
	group    string // too long for its entry
	distinct distinct
	evidence *[]bool
	answers  *answers // nil: nothing was asked yet
}

func (s *state) take(in *Input, limit int) {
	at := momentOf(in.At)
	if s.total == 0 {
		s.first = at
	}
	s.last = at
	s.total++
	s.keep(in.Kept, limit)
}

// keep holds the newest limit+1 events.
func (s *state) keep(kept event.Packed, limit int) {
	if limit < 0 || len(s.queue) <= limit {
		s.queue = append(s.queue, kept)
		return
	}
	copy(s.queue, s.queue[1:])
	s.queue[limit] = kept
}

func (s *state) isNew(value string) bool {
	return s.extended().distinct.add(value)
}

func (s *state) remember(evidence []bool) {
	s.extended().evidence = &evidence
}

func (s *state) extended() *more {
	if s.more == nil {
		s.more = &more{}
	}
	return s.more
}

func (s *state) clock() event.Clock {
	if s.live {
		return event.Live
	}
	return event.TimeMachine
}

// moment is a time in less room: to the nanosecond, and to the minute of its zone.
type moment struct {
	seconds     int64 // since 1970
	nanoseconds int32
	zone        int16 // minutes east of Greenwich
}

func momentOf(t time.Time) moment {
	m := moment{seconds: t.Unix(), nanoseconds: int32(t.Nanosecond())} //nolint:gosec // below 10^9
	if t.Location() != time.UTC {
		_, offset := t.Zone()
		m.zone = int16(offset / 60) //nolint:gosec // a day has 1440 minutes
	}
	return m
}

// instant is the time in UTC, for what does not ask for its zone: that takes memory.
func (m moment) instant() time.Time { return time.Unix(m.seconds, int64(m.nanoseconds)).UTC() }

func (m moment) time() time.Time {
	if m.zone == 0 {
		return m.instant()
	}
	return m.instant().In(time.FixedZone("", int(m.zone)*60))
}
