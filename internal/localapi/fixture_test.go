package localapi_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi"
	"shieldwall/internal/localapi/auth"
	"shieldwall/internal/localapi/profile"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/localapi/store/sql"
	"shieldwall/internal/platform/logging/logtest"
)

const defaultProfile = `name: default_ip_remediation
filters: ['Alert.Remediation == true && Alert.GetScope() == "Ip"']
decisions: [{type: ban, duration: 4h}]
on_success: break
`

var secret = bytes.Repeat([]byte("s"), 64)

// fixture is a Local API on a database of its own, at a time of its own.
type fixture struct {
	t        *testing.T
	store    *faultyStore
	server   *localapi.Server
	log      *logtest.Buffer
	registry *prometheus.Registry

	authority localapi.Authority // of servers that start from now on; nil: none

	mu  sync.Mutex
	now time.Time
}

// faultyStore fails while it is down.
type faultyStore struct {
	localapi.Store
	mu        sync.Mutex
	down      bool
	listsDown bool
	panics    bool   // set before the first request
	adding    func() // called before alerts are stored, when not nil; set like that
	read      func() // called after changes are read, when not nil; set like that
}

func (s *faultyStore) setDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

func (s *faultyStore) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return fault.Errorf(fault.Unavailable, "dial tcp 10.9.8.7: secret detail")
	}
	return nil
}

func (s *faultyStore) Machine(ctx context.Context, id string) (domain.Machine, error) {
	if err := s.err(); err != nil {
		return domain.Machine{}, err
	}
	return s.Store.Machine(ctx, id)
}

func (s *faultyStore) Bouncers(ctx context.Context, filter store.BouncerFilter) ([]domain.Bouncer, error) {
	if err := s.err(); err != nil {
		return nil, err
	}
	return s.Store.Bouncers(ctx, filter)
}

func (s *faultyStore) UpdateBouncer(ctx context.Context, id int64, change store.BouncerChange) error {
	if err := s.err(); err != nil {
		return err
	}
	return s.Store.UpdateBouncer(ctx, id, change)
}

func (s *faultyStore) ChangesSince(ctx context.Context, seq int64, limit int) ([]store.Change, error) {
	if err := s.err(); err != nil {
		return nil, err
	}
	if s.read != nil {
		defer s.read()
	}
	return s.Store.ChangesSince(ctx, seq, limit)
}

func (s *faultyStore) AddAlerts(ctx context.Context, alerts []domain.Alert) ([]int64, error) {
	if s.panics {
		panic("the store is broken")
	}
	if s.adding != nil {
		s.adding()
	}
	return s.Store.AddAlerts(ctx, alerts)
}

func (s *faultyStore) setListsDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listsDown = down
}

func (s *faultyStore) listsErr() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listsDown {
		return fault.Errorf(fault.Unavailable, "no allowlists")
	}
	return nil
}

func (s *faultyStore) Allowlists(ctx context.Context, now time.Time) ([]domain.Allowlist, error) {
	if err := s.listsErr(); err != nil {
		return nil, err
	}
	return s.Store.Allowlists(ctx, now)
}

func (s *faultyStore) AllowlistRevision(ctx context.Context) (int64, error) {
	if err := s.listsErr(); err != nil {
		return 0, err
	}
	return s.Store.AllowlistRevision(ctx)
}

func newFixture(t *testing.T, change ...func(*localapi.Config)) *fixture {
	t.Helper()
	f := &fixture{
		t: t, log: &logtest.Buffer{}, registry: prometheus.NewRegistry(),
		now: time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC),
	}
	db, err := sql.Open(t.Context(), sql.Config{Type: "sqlite", Path: filepath.Join(t.TempDir(), "lapi.db"), Now: f.clock}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	f.store = &faultyStore{Store: db}
	f.server = f.start(change...)
	return f
}

// start starts one more Local API on the same database.
func (f *fixture) start(change ...func(*localapi.Config)) *localapi.Server {
	f.t.Helper()
	cfg := localapi.Config{Secret: secret, Profiles: profiles(f.t, defaultProfile)}
	for _, apply := range change {
		apply(&cfg)
	}
	server, err := localapi.New(f.t.Context(), cfg, localapi.Deps{
		Store: f.store, Now: f.clock, Registry: f.registry, Authority: f.authority,
		Log: slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return server
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func profiles(t *testing.T, text string) []profile.Profile {
	t.Helper()
	path := filepath.Join(t.TempDir(), "profiles.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, err := profile.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// flush stores what the Local API has in memory.
func (f *fixture) flush() {
	f.t.Helper()
	if err := f.server.Flush(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *fixture) wait(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

// machine adds a validated machine and returns the header of its requests.
func (f *fixture) machine(id string) []string {
	f.t.Helper()
	if err := f.store.AddMachine(f.t.Context(), domain.Machine{ID: id, Validated: true, AuthType: domain.AuthPassword}); err != nil {
		f.t.Fatal(err)
	}
	return []string{"Authorization", "Bearer " + f.token(id)}
}

func (f *fixture) token(id string) string {
	f.t.Helper()
	tokens, err := auth.NewTokens(secret, f.clock)
	if err != nil {
		f.t.Fatal(err)
	}
	token, _, err := tokens.Issue(id)
	if err != nil {
		f.t.Fatal(err)
	}
	return token
}

// bouncer adds the bouncer b1 and returns the header of its requests.
func (f *fixture) bouncer() []string {
	f.t.Helper()
	const key = "key of b1"
	if _, err := f.store.AddBouncer(f.t.Context(), domain.Bouncer{Name: "b1", KeyHash: auth.HashKey(key), AuthType: domain.AuthAPIKey}); err != nil {
		f.t.Fatal(err)
	}
	return []string{"X-Api-Key", key}
}

// call sends a request from the loopback address; headers are pairs of name and value.
func (f *fixture) call(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	f.t.Helper()
	return f.callFrom("127.0.0.1:4000", method, target, body, headers...)
}

func (f *fixture) callFrom(peer, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	f.t.Helper()
	return send(f.t, f.server.Handler(), peer, method, target, body, headers...)
}

func send(t *testing.T, handler http.Handler, peer, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, target, reader)
	r.RemoteAddr = peer
	r.Header.Set("User-Agent", "crowdsec/v1.7.4-linux")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	checkContract(t, r, w)
	return w
}

// expect calls and checks status and body.
func (f *fixture) expect(status int, body string, w *httptest.ResponseRecorder) {
	f.t.Helper()
	if w.Code != status || w.Body.String() != body {
		f.t.Errorf("got %d %s\nwant %d %s", w.Code, w.Body, status, body)
	}
}

// alertJSON is a complete alert about value, changed by pairs of old and new text.
func alertJSON(value string, changes ...string) string {
	text := `{"capacity":5,"decisions":null,"events":[{"meta":[{"key":"source_ip","value":"1.2.3.4"},{"key":"log_type","value":"ssh_failed-auth"}],"timestamp":"2026-11-21T18:04:00Z"}],"events_count":6,"kind":"crowdsec","labels":null,"leakspeed":"10s","message":"Ip 1.2.3.4 performed x","meta":[{"key":"target_user","value":"[\"root\"]"}],"remediation":true,"scenario":"acme/ssh-bf","scenario_hash":"abc","scenario_version":"0.1","simulated":false,"source":{"as_name":"FOO","as_number":"123","cn":"FR","ip":"1.2.3.4","latitude":48.5,"longitude":2.25,"range":"1.2.3.0/24","scope":"ip","value":"VALUE"},"start_at":"2026-11-21T18:59:00.527Z","stop_at":"2026-11-21T19:00:00.123Z"}`
	return strings.NewReplacer(append([]string{"VALUE", value}, changes...)...).Replace(text)
}

// banJSON is an alert that brings its own decision.
func banJSON(value, duration string) string {
	return withDecisions(value, `{"duration":"`+duration+`","origin":"cscli","scenario":"manual","scope":"Ip","type":"ban","value":"`+value+`"}`)
}

func withDecisions(value, decisions string) string {
	return alertJSON(value, `"decisions":null`, `"decisions":[`+decisions+`]`, `"remediation":true`, `"remediation":false`,
		"2026-11-21T19:00:00.123Z", "2026-11-21T19:00:00Z")
}

// masked replaces the random identities of an answer.
func masked(text string) string {
	const start = `"uuid":"`
	for at := 0; ; {
		i := strings.Index(text[at:], start)
		if i < 0 {
			return text
		}
		at += i + len(start)
		end := strings.IndexByte(text[at:], '"')
		text = text[:at] + "U" + text[at+end:]
	}
}
