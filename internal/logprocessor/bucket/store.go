package bucket

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"shieldwall/internal/logprocessor/event"
)

// Key names one bucket: the identity of its scenario and the group that its events share.
type Key struct {
	Scenario string
	Group    string
}

// Store owns the live buckets. It is not safe for concurrent use: whoever pours owns it.
type Store struct {
	families map[string]*Family // by the identity of their scenario
	byNumber []*Family
	entries  slab
	index    table
	seed     maphash.Seed
	wheel    wheel
	silence  map[Key]silence // overflows that are not to be heard of
	untold   changes         // what Changes has to tell
	memo     memo
	shown    State    // to Overflows
	watched  Watched  // to Overflows
	results  []Result // of the last call
	foreseen uint64   // keeps the compiler from leaving Foresee out
	replay   bool     // the wheel leaves alone what has seen the past only
}

// Family is where the buckets of one scenario are found.
type Family struct {
	store    *Store
	scenario string
	number   uint32
	config   *Config
	salt     uint64
}

// silence is read on the clock of the overflow that began it.
type silence struct {
	until time.Time
	clock event.Clock
}

// entry is a bucket and what the store knows of it. A million of them are why it is tight: 128 bytes, of which
// the first 64 are what looking for it touches.
type entry struct {
	ref
	family   uint32
	told     uint32 // events poured when Changes told of it; 0: it has not
	group    label
	deadline int64 // in seconds since 1970; never: lives for ever, or is left alone by the wheel
	state
}

// Result is what became of a bucket.
type Result struct {
	Key     Key
	Outcome Outcome
	At      time.Time // when it happened, by the bucket's clock
	State   *State    // after an Overflow, for the caller to keep; otherwise nil
	Created bool      // the input began a new bucket
}

// NewStore returns an empty store whose wheel starts to turn at now.
func NewStore(now time.Time) *Store {
	return &Store{
		families: map[string]*Family{}, seed: maphash.MakeSeed(), silence: map[Key]silence{},
		wheel: wheel{seconds: map[int64][]ref{}, turned: now.Unix()},
	}
}

// NewReplay is NewStore for sources that end: a bucket that has seen nothing but the past ends by the time in
// the log and by nothing else, so that a replay gives the same however long it takes.
func NewReplay(now time.Time) *Store {
	s := NewStore(now)
	s.replay = true
	return s
}

// Len returns the number of live buckets.
func (s *Store) Len() int { return s.index.used }

// Family returns where the buckets of a scenario are, which have that shape from now on.
func (s *Store) Family(scenario string, config *Config) *Family {
	f := s.families[scenario]
	if f == nil {
		f = &Family{store: s, scenario: scenario, number: uint32(len(s.byNumber)), salt: maphash.String(s.seed, scenario)} //nolint:gosec // few
		s.families[scenario] = f
		s.byNumber = append(s.byNumber, f)
	}
	f.config = config
	return f
}

// Pour puts an input into the bucket of a group, made on first use with the event's clock. What happens to a
// bucket that the input finds at the end of its life comes first in the results, which are good until the
// next call.
func (f *Family) Pour(group string, in Input) []Result {
	s := f.store
	s.results = s.results[:0]
	current := f.foreseen(in.place, group)
	if current == nil {
		current = f.find(group)
	}
	current = f.unlessOver(current, in.At)
	created := current == nil
	if created {
		current = f.add(group, in.Clock)
	}
	outcome := f.pour(current, group, &in)
	s.results = append(s.results, Result{Key: Key{f.scenario, group}, Outcome: outcome, At: in.At, Created: created})
	switch outcome {
	case Overflow, Canceled, Underflow:
		s.remove(current, outcome)
	case Kept:
		s.schedule(current, in.Now)
		s.untold.pour(current)
	case Ignored:
	}
	return s.results
}

// Holds reports whether a group has a bucket. One whose life is over at that time has none; what becomes of it is in the
// results, which are good until the next call.
func (f *Family) Holds(group string, at time.Time) (ended []Result, there bool) {
	s := f.store
	s.results = s.results[:0]
	there = f.unlessOver(f.find(group), at) != nil
	return s.results, there
}

// unlessOver returns a bucket, or nil once it has ended one that follows the clock of the log and whose life is over.
func (f *Family) unlessOver(e *entry, at time.Time) *entry {
	if e == nil || e.live || !f.config.over(&e.state, at) {
		return e
	}
	f.store.end(e, at)
	return nil
}

func (f *Family) pour(e *entry, group string, in *Input) Outcome {
	outcome := f.config.pour(&e.state, in)
	if outcome == Ignored {
		return Ignored
	}
	if outcome == Kept && f.config.Overflows != nil && f.overflows(e, group, in) {
		outcome = Overflow
	}
	if in.Clock == event.Live {
		e.live = true // whatever it began with: from now on it is the wheel that ends it
	}
	return outcome
}

// overflows asks the conditions of a bucket.
func (f *Family) overflows(e *entry, group string, in *Input) bool {
	view := &f.store.shown
	*view = e.view(group)
	if f.config.Ask == nil {
		view.Queue = f.store.memo.queue(e.queue)
	} else {
		view.Watched = f.watched(e, in)
	}
	overflows := f.config.Overflows(view, Latest{in.Kept, &f.store.memo})
	if view.Evidence != nil {
		e.remember(view.Evidence)
	}
	return overflows
}

func (f *Family) watched(e *entry, in *Input) *Watched {
	more, memo := e.extended(), &f.store.memo
	if more.answers == nil {
		more.answers = &answers{}
	}
	more.answers.follow(&e.state, f.config.Ask, in, memo)
	f.store.watched = Watched{queue: e.queue, answers: more.answers, memo: memo}
	return &f.store.watched
}

// Expire ends the live buckets whose time has come. Call it about once a second, with a clock that does
// not go back. The results are good until the next call.
func (s *Store) Expire(now time.Time) []Result {
	s.results = s.results[:0]
	for last := now.Unix(); s.wheel.turned < last; {
		for _, e := range s.due(s.wheel.turn(last)) {
			s.end(e, now)
		}
	}
	for key, one := range s.silence {
		if one.clock == event.Live && !one.until.After(now) {
			s.setSilence(key, silence{})
		}
	}
	return s.results
}

// due returns the entries whose time is over, and arms those again whose deadline was moved meanwhile.
func (s *Store) due(refs []ref) []*entry {
	var due []*entry
	for _, ref := range refs {
		switch e := s.entries.find(ref); {
		case e == nil:
		case e.deadline >= s.wheel.turned:
			s.wheel.arm(e)
		default:
			due = append(due, e)
		}
	}
	slices.SortFunc(due, s.older)
	return due
}

// Silent reports whether an overflow falls into the silence after an earlier one of its key.
func (s *Store) Silent(overflow Result) bool {
	return s.silence[overflow.Key].until.After(overflow.At)
}

// Silenced is Silent, but an overflow that does not fall into a silence begins a new one of that length.
func (s *Store) Silenced(overflow Result, length time.Duration) bool {
	if s.Silent(overflow) {
		return true
	}
	key := Key{overflow.Key.Scenario, strings.Clone(overflow.Key.Group)} // a batch may own it
	s.setSilence(key, silence{until: overflow.At.Add(length), clock: overflow.State.Clock})
	return false
}

// setSilence ends a silence when the new one is zero.
func (s *Store) setSilence(key Key, one silence) {
	if one == (silence{}) {
		delete(s.silence, key)
	} else {
		s.silence[key] = one
	}
	s.untold.hush(key, one)
}

// Retain gives the buckets of each scenario their shape, and forgets those whose scenario has none any more.
// It returns how many buckets of each scenario live on. Call it once after Apply, before anything is poured.
func (s *Store) Retain(shape func(scenario string) *Config) map[string]int {
	for scenario, family := range s.families {
		family.config = shape(scenario)
	}
	kept := map[string]int{}
	s.entries.all(func(e *entry) {
		family := s.byNumber[e.family]
		if family.config == nil {
			s.forget(e)
			return
		}
		s.schedule(e, time.Time{})
		kept[family.scenario]++
	})
	for key := range s.silence {
		if shape(key.Scenario) == nil {
			s.setSilence(key, silence{})
		}
	}
	return kept
}

func (f *Family) hash(group string) uint32 {
	const spread = 0x9e3779b97f4a7c15 // an odd number without a pattern
	return uint32(((maphash.String(f.store.seed, group) ^ f.salt) * spread) >> half)
}

func (f *Family) find(group string) *entry {
	entries := &f.store.entries
	number := f.store.index.find(f.hash(group), func(number uint32) bool {
		e := entries.at(number)
		return e.family == f.number && e.isOf(group)
	})
	if number == 0 {
		return nil
	}
	return entries.at(number)
}

// add begins a bucket.
func (f *Family) add(group string, clock event.Clock) *entry {
	e := f.store.entries.add()
	e.family, e.deadline, e.live = f.number, never, clock == event.Live
	e.setGroup(group)
	f.store.index.add(f.hash(group), e.number)
	return e
}

func (f *Family) key(e *entry) Key { return Key{f.scenario, e.groupText()} }

// older orders buckets by their first event, so that what ends together ends in an order that no restart changes.
func (s *Store) older(a, b *entry) int {
	return cmp.Or(
		a.first.time().Compare(b.first.time()),
		strings.Compare(s.byNumber[a.family].scenario, s.byNumber[b.family].scenario),
		strings.Compare(a.groupText(), b.groupText()),
	)
}

// end removes a bucket whose life is over at the latest at now.
func (s *Store) end(e *entry, now time.Time) {
	family := s.byNumber[e.family]
	at := now
	if family.config.Timed {
		at = e.first.time().Add(family.config.Lifetime)
	}
	outcome := family.config.expire()
	s.results = append(s.results, Result{Key: family.key(e), Outcome: outcome, At: at})
	s.remove(e, outcome)
}

// remove forgets a bucket that the last of the results is about. An overflow leaves its content there.
func (s *Store) remove(e *entry, outcome Outcome) {
	if outcome == Overflow {
		view := e.view(e.groupText())
		view.Kept = e.queue
		s.results[len(s.results)-1].State = &view
	}
	s.forget(e)
}

func (s *Store) forget(e *entry) {
	family := s.byNumber[e.family]
	s.untold.end(e, family)
	s.index.remove(family.hash(e.groupText()), e.number)
	s.entries.remove(e)
}

// schedule sets when the wheel ends a bucket: a timed one from its first event, the others from the latest,
// and one that has seen a backlog only from now, should the log say no more of it. An event from a backlog
// does not bring that forward.
func (s *Store) schedule(e *entry, now time.Time) {
	config := s.byNumber[e.family].config
	if config.Lifetime <= 0 || s.replay && !e.live {
		return
	}
	begin := now
	switch {
	case e.live && config.Timed:
		begin = e.first.instant()
	case e.live:
		begin = e.last.instant()
	}
	e.deadline = max(e.deadline, begin.Add(config.Lifetime).Unix())
	if !e.armed {
		s.wheel.arm(e)
	}
}

// view returns a bucket as rules see it, without its events.
func (e *entry) view(group string) State {
	view := State{Group: group, Clock: e.clock(), First: e.first.time(), Last: e.last.time(), Total: int(e.total)}
	if e.more != nil && e.more.evidence != nil {
		view.Evidence = *e.more.evidence
	}
	return view
}
