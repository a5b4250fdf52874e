package replica_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/replica"
)

// shared is a store in memory. While it is away it answers with an error, or, when it hangs, not at all.
type shared struct {
	mu     sync.Mutex
	away   bool
	hangs  bool
	last   int64
	nodes  []domain.Node
	holder string
	until  time.Time
}

func (s *shared) enter(ctx context.Context) error {
	s.mu.Lock()
	if s.hangs {
		s.mu.Unlock()
		<-ctx.Done()
		s.mu.Lock()
		return ctx.Err()
	}
	if s.away {
		return errors.New("the store is away")
	}
	return ctx.Err()
}

func (s *shared) Acquire(ctx context.Context, _, holder string, ttl time.Duration) (bool, error) {
	defer s.mu.Unlock()
	if err := s.enter(ctx); err != nil {
		return false, err
	}
	if s.holder != holder && time.Now().Before(s.until) {
		return false, nil
	}
	s.holder, s.until = holder, time.Now().Add(ttl)
	return true, nil
}

func (s *shared) Release(ctx context.Context, _, holder string) error {
	defer s.mu.Unlock()
	if err := s.enter(ctx); err != nil {
		return err
	}
	if s.holder == holder {
		s.until = time.Time{}
	}
	return nil
}

func (s *shared) SeenNode(ctx context.Context, node domain.Node) (int64, error) {
	defer s.mu.Unlock()
	if err := s.enter(ctx); err != nil {
		return 0, err
	}
	s.nodes = append(slices.DeleteFunc(s.nodes, func(n domain.Node) bool { return n.ID == node.ID }), node)
	return s.last - node.Applied, nil
}

func (s *shared) ForgetNode(ctx context.Context, id string) error {
	defer s.mu.Unlock()
	if err := s.enter(ctx); err != nil {
		return err
	}
	s.nodes = slices.DeleteFunc(s.nodes, func(n domain.Node) bool { return n.ID == id })
	return nil
}

func (s *shared) set(change func(*shared)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func newReplica(t *testing.T, s *shared, log *strings.Builder, registry prometheus.Registerer) *replica.Replica {
	t.Helper()
	r, err := replica.New(s, replica.Options{
		Node: domain.Node{Hostname: "here", PID: 7, Address: "192.0.2.1:8080", Version: "v1"}, Applied: func() int64 { return 40 },
		Log: slog.New(slog.NewTextHandler(log, nil)), Now: time.Now, Registry: registry,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSignsOfLife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, log, registry := &shared{last: 42}, &strings.Builder{}, prometheus.NewRegistry()
		r := newReplica(t, s, log, registry)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			r.Run(ctx)
		}()
		synctest.Wait()
		node := s.nodes[0]
		if !strings.HasPrefix(node.ID, "here-7-") || !node.StartedAt.Equal(time.Now()) || node.Applied != 40 || node.Address != "192.0.2.1:8080" {
			t.Errorf("node %+v", node)
		}
		expectGauges(t, registry, "cs_lapi_change_lag", 2)
		s.set(func(s *shared) { s.last = 50 })
		time.Sleep(5 * time.Second)
		synctest.Wait()
		expectGauges(t, registry, "cs_lapi_change_lag", 10)

		s.set(func(s *shared) { s.away = true })
		time.Sleep(time.Minute)
		s.set(func(s *shared) { s.away, s.nodes = false, nil })
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if len(s.nodes) != 1 || strings.Count(log.String(), "do not see this one") != 1 {
			t.Errorf("%d nodes after the store was away; log: %s", len(s.nodes), log)
		}
		stop()
		<-ended
		if len(s.nodes) != 0 {
			t.Errorf("left %+v", s.nodes)
		}
	})
}

func expectGauges(t *testing.T, registry *prometheus.Registry, name string, want float64) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			if got := family.GetMetric()[0].GetGauge().GetValue(); got != want {
				t.Errorf("%s is %v, want %v", name, got, want)
			}
			return
		}
	}
	t.Errorf("no gauge %s", name)
}

// worker records who works when.
type worker struct {
	mu      sync.Mutex
	working []string
	most    int
}

func (w *worker) job(name string) func(context.Context) {
	return func(ctx context.Context) {
		w.set(func() { w.working = append(w.working, name) })
		<-ctx.Done()
		time.Sleep(4 * time.Second) // work takes a while to end
		w.set(func() { w.working = slices.DeleteFunc(w.working, func(one string) bool { return one == name }) })
	}
}

func (w *worker) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
	w.most = max(w.most, len(w.working))
}

func (w *worker) now() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.working, " ")
}

// hold runs the job on a replica of its own until the test or the returned function ends it.
func (w *worker) hold(t *testing.T, s *shared, name string, log *strings.Builder, registry prometheus.Registerer) (stop func()) {
	t.Helper()
	r := newReplica(t, s, log, registry)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.Hold(ctx, "job", w.job(name))
	}()
	synctest.Wait()
	return func() {
		cancel()
		<-ended
	}
}

// TestLeaseIsHandedOver: at a clean end the other one works within seconds; who died is replaced when its lease has run
// out; never do two work.
func TestLeaseIsHandedOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, w, log, registry := &shared{}, &worker{}, &strings.Builder{}, prometheus.NewRegistry()
		stopA := w.hold(t, s, "a", log, registry)
		stopB := w.hold(t, s, "b", &strings.Builder{}, nil)
		defer stopB()
		expectGauges(t, registry, "cs_lapi_lease_held", 1)
		time.Sleep(10 * time.Minute)
		if got := w.now(); got != "a" {
			t.Fatalf("%q works", got)
		}
		stopA()
		expectGauges(t, registry, "cs_lapi_lease_held", 0)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if got := w.now(); got != "b" {
			t.Errorf("%q works after a clean end", got)
		}
		stopB()
		s.set(func(s *shared) { s.holder, s.until = "killed", time.Now().Add(15*time.Second) })
		stopC := w.hold(t, s, "c", log, nil)
		defer stopC()
		time.Sleep(14 * time.Second)
		if got := w.now(); got != "" {
			t.Errorf("%q works beside the one that may be alive", got)
		}
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if got := w.now(); got != "c" || w.most != 1 {
			t.Errorf("%q works after a kill; at most %d did", got, w.most)
		}
	})
}

// TestWorkEndsBeforeTheLease: who cannot reach the store stops working while nobody else can have begun, whether the
// store answers with an error or not at all.
func TestWorkEndsBeforeTheLease(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*shared){
		"error": func(s *shared) { s.away = true },
		"hangs": func(s *shared) { s.hangs = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, w, log := &shared{}, &worker{}, &strings.Builder{}
				stop := w.hold(t, s, "a", log, nil)
				defer stop()
				time.Sleep(7 * time.Second) // renewed two seconds ago
				s.set(fail)
				time.Sleep(7 * time.Second)
				synctest.Wait()
				if got := w.now(); got != "a" {
					t.Errorf("%q works soon after the store went away", got)
				}
				time.Sleep(6 * time.Second) // 15 s after the renewal
				synctest.Wait()
				if got := w.now(); got != "" {
					t.Errorf("%q works when the lease has run out", got)
				}
				time.Sleep(time.Minute)
				s.set(func(s *shared) { s.away, s.hangs = false, false })
				time.Sleep(10 * time.Second)
				synctest.Wait()
				if got := w.now(); got != "a" {
					t.Errorf("%q works after the store has come back", got)
				}
				if count := strings.Count(log.String(), "neither taken nor renewed"); count != 1 {
					t.Errorf("said %d times that the store is away: %s", count, log)
				}
			})
		})
	}
}

// TestShortTroubleCostsNothing: a restart of the database of some seconds does not end the work.
func TestShortTroubleCostsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, w, log := &shared{}, &worker{}, &strings.Builder{}
		stop := w.hold(t, s, "a", log, nil)
		defer stop()
		time.Sleep(4 * time.Second)
		s.set(func(s *shared) { s.away = true })
		time.Sleep(4 * time.Second)
		s.set(func(s *shared) { s.away = false })
		time.Sleep(time.Minute)
		if got := w.now(); got != "a" || strings.Count(log.String(), "lease taken") != 1 {
			t.Errorf("%q works; log: %s", got, log)
		}
	})
}

func TestLostLeaseEndsTheWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, w, log := &shared{}, &worker{}, &strings.Builder{}
		stop := w.hold(t, s, "a", log, nil)
		defer stop()
		s.set(func(s *shared) { s.holder, s.until = "thief", time.Now().Add(time.Hour) })
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := w.now(); got != "" || !strings.Contains(log.String(), "lease lost to another Local API") {
			t.Errorf("%q works; log: %s", got, log)
		}
	})
}

func TestWorkThatEndsIsBegunAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, log := &shared{}, &strings.Builder{}
		r := newReplica(t, s, log, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := 0
		r.Hold(ctx, "job", func(context.Context) { began++ })
		if began != 4 || !s.until.IsZero() {
			t.Errorf("began %d times, the lease lasts until %v", began, s.until)
		}
	})
}
