package backendtest

import (
	"log/slog"
	"testing"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/remediation"
	"shieldwall/internal/wire"
)

// Subject is a backend that says how it holds elements.
type Subject interface {
	remediation.Backend
	// Traits say how the backend holds elements.
	Traits() remediation.Traits
}

// Opener returns a backend the way a new process would.
type Opener func(t *testing.T) Subject

// subject is a backend under test, driven as the component drives it.
type subject struct {
	t        *testing.T
	backend  remediation.Backend
	traits   remediation.Traits
	enforcer *remediation.Enforcer
}

// start opens a backend and adopts what is there.
func start(t *testing.T, open Opener) *subject {
	t.Helper()
	s := prepared(t, open)
	s.must(s.enforcer.Start(t.Context()))
	return s
}

// prepared opens a backend and does nothing.
func prepared(t *testing.T, open Opener) *subject {
	t.Helper()
	backend := open(t)
	return &subject{t: t, backend: backend, traits: backend.Traits(), enforcer: enforcerOf(backend, backend.Traits())}
}

func enforcerOf(backend remediation.Backend, traits remediation.Traits) *remediation.Enforcer {
	return remediation.NewEnforcer(backend, remediation.Filter{
		Traits: traits, Types: []string{"ban", "quarantine"}, Origins: []string{"crowdsec", "cscli", "lists"},
		IPv4: true, IPv6: true,
	}, time.Now, slog.New(slog.DiscardHandler))
}

func (s *subject) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// ban is a decision to ban value. Without a duration it is for an hour.
func ban(value string, options ...func(*wire.Decision)) wire.Decision {
	decision := wire.Decision{Value: value, Scope: "Ip", Type: "ban", Origin: "crowdsec", Duration: "1h"}
	if r, err := domain.ParseIPRange(value); err == nil && r.First != r.Last {
		decision.Scope = "Range"
	}
	for _, option := range options {
		option(&decision)
	}
	return decision
}

func lasting(duration time.Duration) func(*wire.Decision) {
	return func(d *wire.Decision) { d.Duration = duration.String() }
}

func by(origin string) func(*wire.Decision) {
	return func(d *wire.Decision) { d.Origin = origin }
}

func of(kind string) func(*wire.Decision) {
	return func(d *wire.Decision) { d.Type = kind }
}

// allow replaces what passes. Values are addresses and prefixes, with the time they have left; 0 is for ever.
func (s *subject) allow(items map[string]time.Duration) {
	s.t.Helper()
	var elements []remediation.Element
	for value, left := range items {
		r, err := domain.ParseIPRange(value)
		s.must(err)
		element := remediation.Element{IPRange: r}
		if left > 0 {
			element.Until = time.Now().Add(left)
		}
		elements = append(elements, element)
	}
	s.must(s.enforcer.Allow(s.t.Context(), elements))
}

func (s *subject) snapshot(decisions ...wire.Decision) {
	s.t.Helper()
	believed, err := s.enforcer.Snapshot(s.t.Context(), Told(s.enforcer.Whole(), wire.DecisionsStream{New: decisions}))
	s.must(err)
	if !believed {
		s.t.Fatal("the snapshot was not believed")
	}
}

func (s *subject) add(decisions ...wire.Decision) {
	s.t.Helper()
	s.must(s.enforcer.Changes(s.t.Context(), Told(s.enforcer.Delta(), wire.DecisionsStream{New: decisions})))
}

func (s *subject) remove(decisions ...wire.Decision) {
	s.t.Helper()
	s.must(s.enforcer.Changes(s.t.Context(), Told(s.enforcer.Delta(), wire.DecisionsStream{Deleted: decisions})))
}

// group is what the backend keeps the decisions of an origin in.
func (s *subject) group(origin string) string {
	if s.traits.Group == nil {
		return origin
	}
	return s.traits.Group(origin, false)
}

// held returns what the backend holds for an origin: values as text, with the time they have left.
func (s *subject) held(origin string) map[string]time.Duration {
	s.t.Helper()
	group := s.group(origin)
	return s.values(func(set remediation.Set) bool { return !set.Allow && set.Group == group })
}

// passing returns what the backend lets pass.
func (s *subject) passing() map[string]time.Duration {
	s.t.Helper()
	return s.values(func(set remediation.Set) bool { return set.Allow })
}

// values returns what the backend holds in some sets; 0 is for ever.
func (s *subject) values(wanted func(remediation.Set) bool) map[string]time.Duration {
	s.t.Helper()
	enforced, err := s.backend.Read(s.t.Context())
	s.must(err)
	if enforced.Incomplete || len(enforced.Idle) > 0 {
		s.t.Errorf("something around the sets is missing: incomplete %t, idle %v", enforced.Incomplete, enforced.Idle)
	}
	now := time.Now()
	held := map[string]time.Duration{}
	for set, elements := range enforced.Sets {
		if !wanted(set) {
			continue
		}
		for value, until := range elements {
			held[remediation.Text(value)] = 0
			if !until.IsZero() {
				held[remediation.Text(value)] = until.Sub(now)
			}
		}
	}
	return held
}

// expect checks that the backend holds exactly the values, each for about the time given.
func (s *subject) expect(origin string, want map[string]time.Duration) {
	s.t.Helper()
	s.same(origin, s.held(origin), want)
}

func (s *subject) same(what string, held, want map[string]time.Duration) {
	s.t.Helper()
	if len(held) != len(want) {
		s.t.Fatalf("%s holds %v, want %v", what, held, want)
	}
	const slack = 5 * time.Second
	for value, left := range want {
		if got, ok := held[value]; !ok || !s.traits.Timeless && (got-left).Abs() > slack {
			s.t.Fatalf("%s holds %v, want %v", what, held, want)
		}
	}
}

// lasts checks that every value is held for so long or longer.
func (s *subject) lasts(held map[string]time.Duration, least time.Duration) {
	s.t.Helper()
	for value, left := range held {
		if left < least && !s.traits.Timeless {
			s.t.Fatalf("%s was not extended: %s left", value, left)
		}
	}
}

// elapse does what a component does while time passes: it ends what does not end by itself.
func (s *subject) elapse() {
	s.t.Helper()
	if s.traits.Timeless {
		s.must(s.enforcer.Reconcile(s.t.Context()))
	}
}

// eventually waits until condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	const patience = 20 * time.Second
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !condition() {
		select {
		case <-timeout.C:
			t.Fatalf("waited in vain: %s", what)
		case <-ticker.C:
		}
	}
}
