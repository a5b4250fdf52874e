package localapiclient_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v3"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapiclient"
	"shieldwall/internal/platform/tlsfiles/tlstest"
	"shieldwall/internal/wire"
)

// replica is a Local API that can be made to fail. Those of one fleet accept each other's tokens.
type replica struct {
	*httptest.Server

	mode     atomic.Value // of type behaviour
	requests atomic.Int32 // other than health checks and logins
	logins   atomic.Int32
	asked    atomic.Int32 // for its health
	stranger bool         // it knows only its own tokens
	released chan struct{}
	once     sync.Once
}

// behaviour answers in the place of a replica that is well.
type behaviour func(r *replica, w http.ResponseWriter, request *http.Request)

func newReplica(t *testing.T) *replica {
	t.Helper()
	r := &replica{released: make(chan struct{})}
	r.behave(well)
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	t.Cleanup(r.release)
	return r
}

func (r *replica) behave(b behaviour) { r.mode.Store(b) }

// release ends all requests that hang.
func (r *replica) release() { r.once.Do(func() { close(r.released) }) }

func (r *replica) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	switch request.URL.Path {
	case "/health":
		r.asked.Add(1)
	case "/v1/watchers/login":
		r.logins.Add(1)
	default:
		r.requests.Add(1)
	}
	mode, _ := r.mode.Load().(behaviour)
	mode(r, w, request)
}

func (r *replica) token() string {
	if r.stranger {
		return r.URL
	}
	return "shared"
}

func well(r *replica, w http.ResponseWriter, request *http.Request) {
	switch {
	case request.URL.Path == "/health":
		answer(w, 200, `{"status":"up"}`)
	case request.URL.Path == "/v1/watchers/login":
		_ = json.NewEncoder(w).Encode(wire.Token{Code: 200, Expire: start.Add(time.Hour), Token: r.token()})
	case strings.HasPrefix(request.URL.Path, "/v1/decisions"):
		answer(w, 200, `{"new": [], "deleted": []}`)
	case request.Header.Get("Authorization") != "Bearer "+r.token():
		answer(w, 401, `{"message":"signature is invalid"}`)
	case request.Method == http.MethodPost:
		answer(w, 201, `["1"]`)
	}
}

func status(code int) behaviour {
	return func(_ *replica, w http.ResponseWriter, _ *http.Request) { answer(w, code, `{"message":"no"}`) }
}

// hangs takes requests and is silent.
func hangs(r *replica, _ http.ResponseWriter, request *http.Request) {
	select {
	case <-r.released:
	case <-request.Context().Done():
	}
}

// breaks takes requests and dies.
func breaks(_ *replica, _ http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }

// fleet is two replicas, a client with a clock, and what the client logs.
type fleet struct {
	first, second *replica
	*localapiclient.Client

	mu  sync.Mutex // guards all below
	at  time.Time
	log bytes.Buffer
}

func newFleet(t *testing.T, cfg localapiclient.Config) *fleet {
	t.Helper()
	f := &fleet{first: newReplica(t), second: newReplica(t), at: start}
	if cfg.URL == nil {
		cfg.URL = localapiclient.URLs{f.first.URL, f.second.URL}
	}
	cfg.UserAgent, cfg.Now, cfg.Random = "crowdsec/v1.0.0-linux", f.now, func() float64 { return 0.5 }
	client, err := localapiclient.New(cfg, slog.New(slog.NewTextHandler(f, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	f.Client = client
	return f
}

func (f *fleet) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at
}

func (f *fleet) pass(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at = f.at.Add(d)
}

// Write implements io.Writer for the log.
func (f *fleet) Write(text []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.log.Write(text)
}

func (f *fleet) logged() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.log.String()
}

func (f *fleet) expectRequests(t *testing.T, first, second int32) {
	t.Helper()
	if a, b := f.first.requests.Load(), f.second.requests.Load(); a != first || b != second {
		t.Errorf("%d and %d requests, want %d and %d", a, b, first, second)
	}
}

func (f *fleet) mustBeat(t *testing.T) {
	t.Helper()
	if err := f.Heartbeat(t.Context()); err != nil {
		t.Error(err)
	}
}

func (f *fleet) eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !happened(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s\n%s", what, f.logged())
		}
		time.Sleep(time.Millisecond)
	}
}

func TestRequestsFailOverAtOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fail  func(r *replica)
		asked int32 // requests that the broken one has counted
	}{
		"refuses connections": {func(r *replica) { r.Close() }, 1},
		"breaks connections":  {func(r *replica) { r.behave(breaks) }, 2},
		"hangs":               {func(r *replica) { r.behave(hangs) }, 2},
		"503":                 {func(r *replica) { r.behave(status(503)) }, 2},
		"502":                 {func(r *replica) { r.behave(status(502)) }, 2},
		"500":                 {func(r *replica) { r.behave(status(500)) }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, localapiclient.Config{Login: "m", Password: "p", Patience: 100 * time.Millisecond})
			f.mustBeat(t)
			c.fail(f.first)
			f.mustBeat(t)
			f.mustBeat(t) // sticky
			if got := f.second.requests.Load(); got != 2 {
				t.Errorf("the second one got %d requests", got)
			}
			if got := f.first.requests.Load(); got < c.asked || got > c.asked+1 { // net/http repeats a request on a connection that was dead
				t.Errorf("the first one got %d requests", got)
			}
			if logins := f.first.logins.Load() + f.second.logins.Load(); logins != 1 {
				t.Errorf("%d logins: the token is good everywhere", logins)
			}
			if log := f.logged(); strings.Count(log, "the Local API fails, using another one") != 1 || !strings.Contains(log, "next="+f.second.URL) {
				t.Errorf("logged %s", log)
			}
			if f.URL() != f.second.URL+"/" {
				t.Errorf("uses %s", f.URL())
			}
		})
	}
}

func TestRetryAfterKeepsRequestsAway(t *testing.T) {
	t.Parallel()
	f := newFleet(t, localapiclient.Config{Login: "m", Password: "p"})
	f.first.behave(func(_ *replica, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "120")
		answer(w, 503, "")
	})
	f.mustBeat(t)
	f.second.behave(status(503))
	f.pass(time.Minute)
	logins := f.first.logins.Load()
	if err := f.Heartbeat(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
	if f.first.logins.Load() != logins || f.first.requests.Load() != 0 {
		t.Error("the one that asked to be left alone was not")
	}
	f.first.behave(well)
	f.pass(time.Minute)
	f.mustBeat(t)
	f.expectRequests(t, 1, 3)
}

func TestEverythingDown(t *testing.T) {
	t.Parallel()
	f := newFleet(t, localapiclient.Config{APIKey: "k"})
	f.first.Close()
	f.second.behave(status(503))
	_, err := f.Decisions(t.Context(), localapiclient.LiveQuery{})
	var refused *localapiclient.Error
	if !errors.As(err, &refused) || refused.Status != 503 || refused.Pause() != 0 {
		t.Errorf("got %v", err)
	}
	f.expectRequests(t, 0, 1)
	f.second.behave(well)
	if _, err := follow(f, localapiclient.StreamQuery{}); err != nil {
		t.Error(err)
	}
}

// TestTheFaultOfTheRequest: an error that every replica has says nothing about them.
func TestTheFaultOfTheRequest(t *testing.T) {
	t.Parallel()
	f := newFleet(t, localapiclient.Config{APIKey: "k"})
	f.first.behave(status(500))
	f.second.behave(status(500))
	for range 3 {
		if _, err := f.Decisions(t.Context(), localapiclient.LiveQuery{}); !fault.Is(err, fault.Internal) {
			t.Errorf("got %v", err)
		}
	}
	f.expectRequests(t, 3, 3)
	if f.URL() != f.first.URL+"/" || f.logged() != "" {
		t.Errorf("uses %s, logged %s", f.URL(), f.logged())
	}
	for _, code := range []int{400, 403, 404, 429} {
		f.first.behave(status(code))
		if _, err := f.Decisions(t.Context(), localapiclient.LiveQuery{}); err == nil {
			t.Errorf("%d: no error", code)
		}
	}
	f.expectRequests(t, 7, 3)
}

// TestWhatMayHaveHadItsEffectIsNotRepeated unless repeating does no harm.
func TestWhatMayHaveHadItsEffectIsNotRepeated(t *testing.T) {
	t.Parallel()
	ctx := context.WithoutCancel(t.Context())
	named := []wire.Alert{{UUID: "u"}}
	for name, c := range map[string]struct {
		call     func(f *fleet) error
		repeated bool
	}{
		"alerts with UUIDs":    {func(f *fleet) error { _, err := f.PushAlerts(ctx, named); return err }, true},
		"alerts without":       {func(f *fleet) error { _, err := f.PushAlerts(ctx, []wire.Alert{{}}); return err }, false},
		"spooled alerts":       {func(f *fleet) error { _, err := f.PushEncoded(ctx, [][]byte{[]byte("{}")}); return err }, true},
		"usage":                {func(f *fleet) error { return f.PushMachineUsage(ctx, wire.UsageMetrics{}) }, false},
		"registration":         {func(f *fleet) error { return f.Register(ctx, wire.Registration{}) }, false},
		"stream":               {func(f *fleet) error { _, err := follow(f, localapiclient.StreamQuery{}); return err }, false},
		"stream from a change": {func(f *fleet) error { _, err := follow(f, localapiclient.StreamQuery{Revision: 7}); return err }, true},
		"snapshot":             {func(f *fleet) error { _, err := follow(f, localapiclient.StreamQuery{Startup: true}); return err }, true},
	} {
		for how, broken := range map[string]behaviour{"breaks": breaks, "504": status(504)} {
			t.Run(name+" "+how, func(t *testing.T) {
				t.Parallel()
				f := newFleet(t, localapiclient.Config{Login: "m", Password: "p", APIKey: "k"})
				f.mustBeat(t)
				f.first.behave(broken)
				err := c.call(f)
				if sent := f.second.requests.Load() == 1; sent != c.repeated {
					t.Errorf("sent to the other one: %v", sent)
				}
				if !c.repeated && err == nil {
					t.Error("no error")
				}
				if err := c.call(f); err != nil && name != "registration" {
					t.Errorf("the next one: %v", err)
				}
			})
		}
	}
}

func TestARequestThatWasNeverSentIsSentElsewhere(t *testing.T) {
	t.Parallel()
	f := newFleet(t, localapiclient.Config{Login: "m", Password: "p"})
	f.first.Close()
	if _, err := f.PushAlerts(t.Context(), []wire.Alert{{}}); err != nil {
		t.Error(err)
	}
	f.expectRequests(t, 0, 1)
}

// TestEachEndpointHasItsToken: one that does not know the token of another gets a login of its own, once.
func TestEachEndpointHasItsToken(t *testing.T) {
	t.Parallel()
	f := newFleet(t, localapiclient.Config{Login: "m", Password: "p"})
	f.first.stranger, f.second.stranger = true, true
	f.mustBeat(t)
	f.first.behave(status(503))
	f.mustBeat(t)
	f.mustBeat(t)
	f.second.behave(status(503))
	f.first.behave(well)
	f.mustBeat(t)
	if a, b := f.first.logins.Load(), f.second.logins.Load(); a != 1 || b != 1 {
		t.Errorf("%d and %d logins", a, b)
	}
}

func TestBackToTheFirstWhenItIsWellAgain(t *testing.T) {
	t.Parallel()
	f := newFleet(t, localapiclient.Config{Login: "m", Password: "p", ProbeEvery: time.Millisecond})
	f.first.behave(status(503))
	f.mustBeat(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); f.Watch(ctx) }()
	probes := f.first.asked.Load()
	f.eventually(t, "health checks", func() bool { return f.first.asked.Load() > probes+3 })
	f.first.behave(well)
	probes = f.first.asked.Load()
	f.eventually(t, "health checks", func() bool { return f.first.asked.Load() > probes+3 })
	if f.URL() != f.second.URL+"/" {
		t.Error("back at once, not after a while")
	}
	f.pass(29 * time.Second)
	probes = f.first.asked.Load()
	f.eventually(t, "health checks", func() bool { return f.first.asked.Load() > probes+3 })
	if f.URL() != f.second.URL+"/" {
		t.Error("back too early")
	}
	f.pass(time.Second)
	f.eventually(t, "back to the first", func() bool { return f.URL() == f.first.URL+"/" })
	f.mustBeat(t)
	if asked := f.second.asked.Load(); asked != 0 {
		t.Errorf("%d health checks of one that nobody waits for", asked)
	}
	stop()
	<-ended
	if !strings.Contains(f.logged(), "the preferred Local API is well again and used") {
		t.Errorf("logged %s", f.logged())
	}
	expectSamples(t, f.Client, map[string]float64{
		"lapi_endpoint_active " + f.first.URL + "/": 1, "lapi_endpoint_active " + f.second.URL + "/": 0,
		"lapi_endpoint_healthy " + f.first.URL + "/": 1, "lapi_endpoint_healthy " + f.second.URL + "/": 1, "lapi_failovers_total ": 1,
	})
}

func expectSamples(t *testing.T, client *localapiclient.Client, want map[string]float64) {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(localapiclient.NewCollector(client))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			key := family.GetName() + " "
			for _, label := range metric.GetLabel() {
				key += label.GetValue()
			}
			value := metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
			if wanted, ok := want[key]; !ok || wanted != value {
				t.Errorf("%s is %v, want %v", key, value, wanted)
			}
			delete(want, key)
		}
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

// TestWhoWaitsIsSentElsewhere: a request that is held open at an endpoint that is gone is not held for long.
func TestWhoWaitsIsSentElsewhere(t *testing.T) {
	t.Parallel()
	f := newFleet(t, localapiclient.Config{APIKey: "k", ProbeEvery: time.Millisecond, Patience: time.Hour})
	f.first.behave(func(r *replica, w http.ResponseWriter, request *http.Request) {
		if request.URL.Path == "/health" {
			breaks(r, w, request)
		}
		hangs(r, w, request)
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); f.Watch(ctx) }()
	patience, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	stream, err := followFor(patience, f, localapiclient.StreamQuery{Revision: 7, Wait: time.Minute})
	if err != nil || stream.Endpoint != f.second.URL+"/" {
		t.Errorf("got %+v, %v", stream, err)
	}
	stop()
	<-ended
	if !strings.Contains(f.logged(), "not even to a health check") && !strings.Contains(f.logged(), "EOF") {
		t.Errorf("logged %s", f.logged())
	}
}

func TestOneURLIsNotWatched(t *testing.T) {
	t.Parallel()
	first := newReplica(t)
	client := newClient(t, localapiclient.Config{URL: localapiclient.URLs{first.URL}, ProbeEvery: time.Nanosecond})
	client.Watch(t.Context()) // returns
	if first.asked.Load() != 0 {
		t.Error("asked all the same")
	}
}

// TestARefusedCertificateIsReported: a client does fail over, but says whose certificate was refused and why.
func TestARefusedCertificateIsReported(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca, other := tlstest.NewAuthority(t, "Test CA"), tlstest.NewAuthority(t, "Other CA")
	cert, key := other.Issue(t, tlstest.Leaf{CommonName: "stranger"}).Write(t, dir, "stranger")
	for name, c := range map[string]struct {
		bad  string
		cfg  localapiclient.Config
		want []string
	}{
		"theirs": {
			secureServer(t, other, tls.NoClientCert),
			localapiclient.Config{CACert: ca.Write(t, dir)},
			[]string{"side=server", `subject="CN=lapi"`, `issuer="CN=Other CA"`, `reason="x509: certificate signed by unknown authority"`},
		},
		"ours": {
			secureServer(t, ca, tls.RequireAndVerifyClientCert),
			localapiclient.Config{CACert: ca.Write(t, dir), Cert: cert, Key: key},
			[]string{"side=client", `subject="CN=stranger"`, `issuer="CN=Other CA"`, `reason="remote error: tls: unknown certificate authority"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			good := secureServer(t, ca, tls.RequestClientCert)
			c.cfg.URL = localapiclient.URLs{c.bad, good}
			f := newFleet(t, c.cfg)
			for range 3 {
				if _, err := f.Decisions(t.Context(), localapiclient.LiveQuery{}); err != nil {
					t.Error(err)
				}
			}
			log := f.logged()
			for _, want := range append(c.want, "level=ERROR", "url="+c.bad) {
				if strings.Count(log, want) < 1 {
					t.Errorf("no %s in\n%s", want, log)
				}
			}
			if strings.Count(log, "certificate refused") != 1 {
				t.Errorf("logged\n%s", log)
			}
		})
	}
}

// forgetful is a Local API that may have lost a machine.
type forgetful struct {
	known, closed         atomic.Bool
	registrations, logins atomic.Int32
}

func (f *forgetful) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/v1/watchers":
		f.registrations.Add(1)
		var registration wire.Registration
		_ = json.NewDecoder(r.Body).Decode(&registration)
		switch {
		case f.closed.Load() || registration.RegistrationToken != "invitation" || registration.Password != "p":
			answer(w, 401, `{"message":"invalid token for auto registration"}`)
		case f.known.Load():
			answer(w, 403, `{"message":"user 'm': user already exist"}`)
		default:
			f.known.Store(true)
			w.WriteHeader(202)
		}
	case "/v1/watchers/login":
		f.logins.Add(1)
		if !f.known.Load() {
			answer(w, 401, `{"message":"incorrect Username or Password"}`)
			return
		}
		answer(w, 200, `{"code":200,"token":"t","expire":"`+start.Add(time.Hour).Format(time.RFC3339)+`"}`)
	default:
		if !f.known.Load() {
			answer(w, 401, `{"message":"unknown machine"}`)
		}
	}
}

func TestAForgottenMachineRegistersAgain(t *testing.T) {
	t.Parallel()
	api := &forgetful{}
	now := start
	cfg := localapiclient.Config{
		Login: "m", Password: "p", RegistrationToken: "invitation", URL: served(t, api), Now: func() time.Time { return now },
	}
	client := newClient(t, cfg)
	beat := func(ok bool, registrations, logins int32) {
		t.Helper()
		if err := client.Heartbeat(t.Context()); (err == nil) != ok || err != nil && !strings.HasSuffix(err.Error(), "incorrect Username or Password") {
			t.Errorf("got %v", err)
		}
		if r, l := api.registrations.Load(), api.logins.Load(); r != registrations || l != logins {
			t.Errorf("%d registrations and %d logins, want %d and %d", r, l, registrations, logins)
		}
	}
	beat(true, 1, 2)
	beat(true, 1, 2)
	api.known.Store(false) // while it has a token
	beat(true, 2, 4)
	api.known.Store(false)
	api.closed.Store(true)
	beat(false, 3, 5)
	beat(false, 3, 5) // not again at once
	now = now.Add(time.Minute)
	api.closed.Store(false)
	beat(true, 4, 7)

	api.known.Store(false)
	cfg.RegistrationToken = ""
	client = newClient(t, cfg)
	beat(false, 4, 8)
}

func TestStreamIsCheckedAgainstItsMarks(t *testing.T) {
	t.Parallel()
	const body = `{"new": [{"duration":"4h","value":"1.2.3.4"},{"duration":"4h","value":"1.2.3.5"}], "deleted": [{"value":"1.2.3.6"}]}`
	for marks, want := range map[string]string{
		"":                                       "unmarked",
		"Revision=5":                             "unmarked",
		"Revision=5 New=2 Deleted=1":             "unmarked",
		"Revision=5 Since=3 New=2 Deleted=1":     "3 to 5",
		"Revision=0 Since=0 New=2 Deleted=1":     "0 to 0",
		"Revision=5 Since=3 New=3 Deleted=1":     "not whole",
		"Revision=5 Since=3 New=2 Deleted=0":     "not whole",
		"Revision=x Since=3 New=2 Deleted=1":     "unmarked",
		"Revision=5 Since=-3 New=2 Deleted=1":    "unmarked",
		"Revision=1e3 Since=0 New=2 Deleted=1":   "unmarked",
		"Revision=99999999999999999999 Since=3 ": "unmarked",
	} {
		var query string
		client := newClient(t, localapiclient.Config{APIKey: "k", URL: served(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			query = r.URL.RawQuery
			for _, mark := range strings.Fields(marks) {
				name, value, _ := strings.Cut(mark, "=")
				w.Header().Set("X-Shieldwall-"+name, value)
			}
			answer(w, 200, body)
		}))})
		stream, err := follow(client, localapiclient.StreamQuery{Revision: 3, Wait: 25 * time.Second})
		got := "unmarked"
		switch {
		case errors.Is(err, localapiclient.ErrNotWhole) && fault.Is(err, fault.Unavailable):
			got = "not whole"
		case err != nil:
			got = err.Error()
		case stream.Marked:
			got = fmt.Sprintf("%d to %d", stream.Since, stream.Revision)
		}
		if got != want || query != "revision=3&wait=25s" {
			t.Errorf("%s: got %s, want %s (asked %s)", marks, got, want, query)
		}
	}
}

func TestURLsInYAML(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`url: http://a/`:             `[http://a/] "url: http://a/\n"`,
		`url: [http://a/]`:           `[http://a/] "url: http://a/\n"`,
		`url: [http://a/, /run/b]`:   `[http://a/ /run/b] "url:\n    - http://a/\n    - /run/b\n"`,
		"url:\n- http://a/\n- 5\n":   `[http://a/ 5] "url:\n    - http://a/\n    - \"5\"\n"`,
		`url:`:                       `[] "{}\n"`,
		`url: ""`:                    `[] "{}\n"`,
		`url: []`:                    `[] "{}\n"`,
		`other: 1`:                   `[] "{}\n"`,
		`url: {a: b}`:                "cannot unmarshal",
		`url: [[a]]`:                 "cannot unmarshal",
		`{x: &u http://a/, url: *u}`: `[http://a/] "url: http://a/\n"`,
	} {
		var file struct {
			URL localapiclient.URLs `yaml:"url,omitempty"`
		}
		err := yaml.Unmarshal([]byte(text), &file)
		if err != nil {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", text, err)
			}
			continue
		}
		written, err := yaml.Marshal(file)
		if got := fmt.Sprintf("%v %q", []string(file.URL), written); err != nil || got != want {
			t.Errorf("%s: got %s, want %s (%v)", text, got, want, err)
		}
	}
}

func TestListsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	many := localapiclient.URLs{}
	for i := range 17 {
		many = append(many, "http://h"+strconv.Itoa(i))
	}
	for want, urls := range map[string]localapiclient.URLs{
		"parsing api url: there is none":                                   {},
		"parsing api url: 17 of them, at most 16 make sense":               many,
		`parsing api url: "http://a" is there twice`:                       {"http://a", "http://b", "http://a"},
		`parsing api url: "ftp://b" is neither a http(s) URL nor a socket`: {"http://a", "ftp://b"},
	} {
		_, err := localapiclient.New(localapiclient.Config{URL: urls}, slog.New(slog.DiscardHandler))
		if !fault.Is(err, fault.Invalid) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v: got %v", urls, err)
		}
	}
	if urls := (localapiclient.URLs{"http://a", "/run/b"}); urls.String() != "http://a, /run/b" || !urls.HasSocket() || urls[:1].HasSocket() {
		t.Errorf("%s", urls)
	}
}
