package remediation_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapiclient"
	"shieldwall/internal/remediation"
	"shieldwall/internal/remediation/backendtest"
	"shieldwall/internal/wire"
)

// script is a Local API that answers as written, then with nothing new.
type script struct {
	mu       sync.Mutex // guards all below
	answers  []answer
	startups []bool
	at       []time.Time
}

type answer struct {
	stream wire.DecisionsStream
	err    error
}

func (s *script) Stream(
	_ context.Context, query localapiclient.StreamQuery, open func(localapiclient.Stream) wire.StreamVisitor,
) (localapiclient.Stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.startups = append(s.startups, query.Startup)
	s.at = append(s.at, time.Now())
	var next answer
	if len(s.answers) > 0 {
		next, s.answers = s.answers[0], s.answers[1:]
	}
	if next.err == nil {
		backendtest.Show(open(localapiclient.Stream{}), next.stream)
	}
	return localapiclient.Stream{}, next.err
}

var (
	refused     = fault.Mark(fault.Forbidden, &localapiclient.Error{Status: http.StatusForbidden, Message: "access forbidden"})
	lost        = fault.Errorf(fault.Unavailable, "decoding answer: unexpected EOF")
	unreachable = fault.Mark(fault.Unavailable, &net.OpError{Op: "dial", Err: errors.New("connection refused")})
)

func added(values ...string) answer {
	var stream wire.DecisionsStream
	for _, value := range values {
		stream.New = append(stream.New, decision(value, "crowdsec", "1h"))
	}
	return answer{stream: stream}
}

// run lets a component run for a while of fake time.
func run(t *testing.T, api *script, backend remediation.Backend, retry bool, lifetime time.Duration) (*prometheus.Registry, error) {
	t.Helper()
	registry := prometheus.NewRegistry()
	component := remediation.NewComponent(api, newEnforcer(backend, time.Now), remediation.Options{
		PollEvery: 10 * time.Second, ReconcileEvery: time.Minute, RetryConnection: retry,
	}, remediation.NewRequests(registry), slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithTimeout(t.Context(), lifetime)
	defer cancel()
	err := component.Run(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	return registry, err
}

func TestComponentAsksForEverythingWhenItMustHaveMissedSomething(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		second   answer
		startups []bool
	}{
		{"answers arrive", added("192.0.2.2"), []bool{true, false, false}},
		{"an answer is lost", answer{err: lost}, []bool{true, false, true}},
		{"a request is refused", answer{err: refused}, []bool{true, false, false}},
		{"nobody is there", answer{err: unreachable}, []bool{true, false, false}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				api := &script{answers: []answer{added("192.0.2.1"), test.second, added("192.0.2.1")}}
				_, err := run(t, api, newFragile(time.Now), false, 25*time.Second)
				must(t, err)
				if len(api.startups) != len(test.startups) {
					t.Fatalf("%d pulls", len(api.startups))
				}
				for i, startup := range test.startups {
					if api.startups[i] != startup {
						t.Errorf("startup of pulls: %v, want %v", api.startups, test.startups)
					}
				}
			})
		})
	}
}

func TestComponentEndsWhenTheFirstAnswerIsMissing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		backend := newFragile(time.Now)
		snapshot(t, newEnforcer(backend, time.Now), added("192.0.2.1").stream) // of an earlier process
		registry, err := run(t, &script{answers: []answer{{err: refused}}}, backend, false, time.Hour)
		if err == nil || err.Error() != "API error: access forbidden" {
			t.Errorf("got %v", err)
		}
		if !backend.holds(t)["192.0.2.1"] {
			t.Error("a ban was taken out of force")
		}
		expectMetrics(t, registry, `
			# HELP lapi_requests_failures_total The total number of calls to the Local API that failed.
			# TYPE lapi_requests_failures_total counter
			lapi_requests_failures_total 1
			# HELP lapi_requests_total The total number of calls to the Local API.
			# TYPE lapi_requests_total counter
			lapi_requests_total 1
		`)
	})
}

func TestComponentWaitsForTheFirstAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		backend := newFragile(time.Now)
		api := &script{answers: []answer{{err: unreachable}, {err: refused}, added("192.0.2.1")}}
		_, err := run(t, api, backend, true, 25*time.Second)
		must(t, err)
		if len(api.at) < 3 || api.at[2].Sub(api.at[0]) != 20*time.Second {
			t.Errorf("asked at %v", api.at)
		}
		if !backend.holds(t)["192.0.2.1"] {
			t.Error("the ban is not enforced")
		}
	})
}

func TestComponentReconcilesWithoutTheLocalAPI(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		backend := newFragile(time.Now)
		api := &script{answers: []answer{added("192.0.2.1")}}
		for range 100 {
			api.answers = append(api.answers, answer{err: unreachable})
		}
		time.AfterFunc(30*time.Second, func() { _ = backend.Remove(t.Context()) })
		_, err := run(t, api, backend, false, 65*time.Second)
		must(t, err)
		if !backend.holds(t)["192.0.2.1"] {
			t.Error("what others deleted was not restored")
		}
	})
}

func TestComponentKeepsBansWhenTheLocalAPIFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		backend := newFragile(time.Now)
		api := &script{answers: []answer{added("192.0.2.1"), {err: lost}, {}, {err: refused}, {}}}
		_, err := run(t, api, backend, false, 10*time.Minute)
		must(t, err)
		if !backend.holds(t)["192.0.2.1"] {
			t.Error("a ban was taken out of force")
		}
	})
}

// expectMetrics compares the exposition of registry with want, line by line but for indentation.
func expectMetrics(t *testing.T, registry *prometheus.Registry, want string) {
	t.Helper()
	recorder := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).
		ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	wanted := strings.ReplaceAll(strings.TrimSpace(want), "\t", "")
	if got := strings.TrimSpace(recorder.Body.String()); got != wanted {
		t.Errorf("exposes\n%s\nwant\n%s", got, wanted)
	}
}
