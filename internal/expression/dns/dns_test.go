package dns_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"shieldwall/internal/expression/dns"
)

// servers answer after delay, or never.
type servers struct {
	delay time.Duration // below 0: never
	names map[string][]string
	fails error

	mu    sync.Mutex
	asked []string
}

func (s *servers) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	return s.answer(ctx, addr)
}

func (s *servers) LookupHost(ctx context.Context, host string) ([]string, error) {
	return s.answer(ctx, host)
}

func (s *servers) answer(ctx context.Context, text string) ([]string, error) {
	s.mu.Lock()
	s.asked = append(s.asked, text)
	s.mu.Unlock()
	if s.delay < 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	time.Sleep(s.delay) // in the bubble of a test
	if s.fails != nil {
		return nil, s.fails
	}
	if names, ok := s.names[text]; ok {
		return names, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: text, IsNotFound: true}
}

func (s *servers) times() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

func newCache(s dns.Resolver, log *bytes.Buffer) *dns.Cache {
	return dns.NewCache(s, dns.Options{
		TTL: time.Hour, NegativeTTL: 5 * time.Minute, Size: 100, Now: time.Now, Log: slog.New(slog.NewTextHandler(log, nil)),
	})
}

// settled lets look-ups end that nobody waits for any more.
func settled() { time.Sleep(5 * time.Second) }

func TestAnswersAreRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			name    string
			reverse bool
			fails   error
			text    string
			kept    time.Duration
		}{
			{"names of an address", true, nil, "192.0.2.1", time.Hour},
			{"an address without names", true, nil, "192.0.2.9", 5 * time.Minute},
			{"failed servers", true, errors.New("refused"), "192.0.2.1", time.Minute},
			{"addresses of a name", false, nil, "a.example", time.Minute},
			{"a name without addresses", false, nil, "b.example", time.Minute},
		} {
			s := &servers{names: map[string][]string{"192.0.2.1": {"a.example."}, "a.example": {"192.0.2.1"}}, fails: test.fails}
			cache := newCache(s, new(bytes.Buffer))
			look := cache.LookupHost
			if test.reverse {
				look = cache.LookupAddr
			}
			first, firstErr := look(t.Context(), test.text)
			time.Sleep(test.kept - time.Second)
			again, againErr := look(t.Context(), test.text)
			if !slices.Equal(first, again) || (firstErr == nil) != (againErr == nil) || s.times() != 1 {
				t.Errorf("%s: %v, %v, then %v, %v, asked %d times", test.name, first, firstErr, again, againErr, s.times())
			}
			if want := s.names[test.text]; test.fails == nil && !slices.Equal(first, want) {
				t.Errorf("%s: got %v, want %v", test.name, first, want)
			}
			time.Sleep(time.Second)
			if _, _ = look(t.Context(), test.text); s.times() != 2 {
				t.Errorf("%s: asked %d times after %v, want 2", test.name, s.times(), test.kept)
			}
		}
	})
}

func TestAnAnswerWithoutNamesIsNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cache := newCache(&servers{names: map[string][]string{"192.0.2.1": {}}}, new(bytes.Buffer))
		if names, err := cache.LookupAddr(t.Context(), "192.0.2.1"); err == nil {
			t.Errorf("got %v", names)
		}
	})
}

func TestLongAnswersAreCut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cache := newCache(&servers{names: map[string][]string{"192.0.2.1": make([]string, 5000)}}, new(bytes.Buffer))
		if names, err := cache.LookupAddr(t.Context(), "192.0.2.1"); err != nil || len(names) != 64 {
			t.Errorf("%d names, %v", len(names), err)
		}
	})
}

func TestEqualLookUpsAreOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &servers{delay: time.Second / 2, names: map[string][]string{"192.0.2.1": {"a.example."}}}
		cache := newCache(s, new(bytes.Buffer))
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() {
				if names, err := cache.LookupAddr(t.Context(), "192.0.2.1"); err != nil || len(names) != 1 {
					t.Errorf("got %v, %v", names, err)
				}
			})
		}
		group.Wait()
		if s.times() != 1 {
			t.Errorf("asked %d times", s.times())
		}
	})
}

func TestNameServersThatNeverAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		defer settled()
		log := new(bytes.Buffer)
		s := &servers{delay: -1}
		cache := newCache(s, log)
		begin := time.Now()
		for i := range 1000 {
			if _, err := cache.LookupAddr(t.Context(), fmt.Sprintf("192.0.2.%d", i)); err == nil {
				t.Fatal("an answer")
			}
		}
		if waited := time.Since(begin); waited > 4*time.Second {
			t.Errorf("1000 look-ups in a row waited %v", waited)
		}
		if s.times() > 2*256 { // at most so many at a time, each for 3 seconds
			t.Errorf("%d look-ups were under way", s.times())
		}
		begin = time.Now()
		var waited time.Duration
		for i := range 600 { // one a second
			asked := time.Now()
			_, _ = cache.LookupAddr(t.Context(), fmt.Sprintf("198.51.100.%d", i))
			waited += time.Since(asked)
			time.Sleep(time.Second)
		}
		if share := waited.Seconds() / time.Since(begin).Seconds(); share > 0.21 {
			t.Errorf("waited %.0f%% of the time", 100*share)
		}
		if complaints := strings.Count(log.String(), "level=WARN"); complaints == 0 || complaints > 15 {
			t.Errorf("%d complaints in %v", complaints, time.Since(begin))
		}
	})
}

func TestNamesThatCannotBeHadLeavePatienceForOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		defer settled()
		names := map[string][]string{"192.0.2.1": {"a.example."}}
		slow, quick := &servers{delay: -1}, &servers{delay: 50 * time.Millisecond, names: names}
		cache := newCache(split{slow, quick}, new(bytes.Buffer))
		for i := range 8 {
			_, _ = cache.LookupHost(t.Context(), fmt.Sprintf("%d.example", i))
		}
		if names, err := cache.LookupAddr(t.Context(), "192.0.2.1"); err != nil || len(names) != 1 {
			t.Errorf("got %v, %v", names, err)
		}
	})
}

// split asks different servers for names and for addresses.
type split struct{ hosts, addrs *servers }

func (s split) LookupHost(ctx context.Context, host string) ([]string, error) {
	return s.hosts.LookupHost(ctx, host)
}

func (s split) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	return s.addrs.LookupAddr(ctx, addr)
}

func TestLateAnswersAreThereTheNextTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &servers{delay: 900 * time.Millisecond, names: map[string][]string{"192.0.2.1": {"a.example."}, "192.0.2.2": {"b.example."}}}
		cache := newCache(s, new(bytes.Buffer))
		if names, err := cache.LookupAddr(t.Context(), "192.0.2.1"); err != nil || len(names) != 1 {
			t.Errorf("in time: got %v, %v", names, err)
		}
		if _, err := cache.LookupAddr(t.Context(), "192.0.2.2"); err == nil {
			t.Error("an answer although there is less patience now")
		}
		time.Sleep(2 * time.Second)
		if names, err := cache.LookupAddr(t.Context(), "192.0.2.2"); err != nil || len(names) != 1 || s.times() != 2 {
			t.Errorf("too late: got %v, %v, asked %d times", names, err, s.times())
		}
	})
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &servers{delay: time.Second / 2, names: map[string][]string{"192.0.2.1": {"a.example."}}}
		cache := newCache(s, new(bytes.Buffer))
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := cache.LookupAddr(ctx, "192.0.2.1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if names, err := cache.LookupAddr(t.Context(), "192.0.2.1"); err != nil || len(names) != 1 || s.times() != 1 {
			t.Errorf("got %v, %v: the look-up should go on", names, err)
		}
	})
}
