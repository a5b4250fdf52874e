package backendtest

import (
	"log/slog"
	"testing"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/remediation"
	"shieldwall/internal/wire"
)

// Opener returns a backend the way a new process would.
type Opener func(t *testing.T) remediation.Backend

// subject is a backend under test, driven as the component drives it.
type subject struct {
	t        *testing.T
	backend  remediation.Backend
	enforcer *remediation.Enforcer
}

// start opens a backend and adopts what is there.
func start(t *testing.T, open Opener) *subject {
	t.Helper()
	backend := open(t)
	s := &subject{
		t: t, backend: backend,
		enforcer: remediation.NewEnforcer(backend,
			remediation.Filter{Types: []string{"ban"}, IPv4: true, IPv6: true}, time.Now, slog.New(slog.DiscardHandler)),
	}
	s.must(s.enforcer.Start(t.Context()))
	return s
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

func (s *subject) snapshot(decisions ...wire.Decision) {
	s.t.Helper()
	believed, err := s.enforcer.Snapshot(s.t.Context(), wire.DecisionsStream{New: decisions})
	s.must(err)
	if !believed {
		s.t.Fatal("the snapshot was not believed")
	}
}

func (s *subject) add(decisions ...wire.Decision) {
	s.t.Helper()
	s.must(s.enforcer.Changes(s.t.Context(), wire.DecisionsStream{New: decisions}))
}

func (s *subject) remove(decisions ...wire.Decision) {
	s.t.Helper()
	s.must(s.enforcer.Changes(s.t.Context(), wire.DecisionsStream{Deleted: decisions}))
}

// held returns what the backend holds for an origin: values as text, with the time they have left.
func (s *subject) held(origin string) map[string]time.Duration {
	s.t.Helper()
	enforced, err := s.backend.Read(s.t.Context())
	s.must(err)
	if enforced.Incomplete {
		s.t.Error("something around the sets is missing")
	}
	now := time.Now()
	held := map[string]time.Duration{}
	for set, elements := range enforced.Sets {
		if set.Group != origin {
			continue
		}
		for value, until := range elements {
			held[remediation.Text(value)] = until.Sub(now)
		}
	}
	return held
}

// expect checks that the backend holds exactly the values, each for about the time given.
func (s *subject) expect(origin string, want map[string]time.Duration) {
	s.t.Helper()
	held := s.held(origin)
	if len(held) != len(want) {
		s.t.Fatalf("%s holds %v, want %v", origin, held, want)
	}
	const slack = 5 * time.Second
	for value, left := range want {
		if got, ok := held[value]; !ok || (got-left).Abs() > slack {
			s.t.Fatalf("%s holds %v, want %v", origin, held, want)
		}
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
