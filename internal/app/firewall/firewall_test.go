package firewall_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"shieldwall/internal/app/firewall"
	"shieldwall/internal/platform/buildinfo"
	"shieldwall/internal/remediation/backendtest"
	"shieldwall/internal/wire"
)

// asProgram makes the test binary be the program, so that it can be killed and run in a namespace.
const asProgram = "SHIELDWALL_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	surroundings := around(os.Stdout, os.Stderr, os.Args[1:]...)
	verify := make(chan os.Signal, 1)
	signal.Notify(verify, syscall.SIGUSR1)
	surroundings.Verify = verify
	code := firewall.Main(ctx, surroundings)
	stop()
	os.Exit(code)
}

func around(stdout, stderr io.Writer, args ...string) firewall.Surroundings {
	return firewall.Surroundings{
		Args: args, Env: os.LookupEnv, Now: time.Now, Stdout: stdout, Stderr: stderr,
		Build: buildinfo.Info{Version: "v1.2.3", System: "linux"}, Root: "testdata/root",
	}
}

// transcript is an output that can be read while it is written.
type transcript struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (o *transcript) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *transcript) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// localAPI is a Local API with one key and one list of decisions.
type localAPI struct {
	*httptest.Server

	mu        sync.Mutex // guards all below
	decisions []wire.Decision
	deleted   []wire.Decision
	allowed   []string
	requests  []string // of the stream
	broken    bool
}

const apiKey = "a-key-that-must-not-be-logged"

// newLocalAPI serves at a listener, which may be in a namespace.
func newLocalAPI(t *testing.T, listener net.Listener) *localAPI {
	t.Helper()
	api := &localAPI{}
	api.Server = &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(api.serve)}}
	api.Start()
	t.Cleanup(api.Close)
	return api
}

func (a *localAPI) serve(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	lists := r.URL.Path == "/v1/allowlists"
	if !lists {
		a.requests = append(a.requests, r.Method+" "+r.URL.String()+" "+r.UserAgent())
	}
	switch {
	case a.broken:
		w.WriteHeader(http.StatusInternalServerError)
	case r.Header.Get("X-Api-Key") != apiKey && (r.TLS == nil || len(r.TLS.VerifiedChains) == 0):
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"message":"access forbidden"}`)
	case lists && a.allowed == nil: // as a published one does to bouncers
		w.WriteHeader(http.StatusUnauthorized)
	case lists:
		list := wire.Allowlist{Name: "friends"}
		for _, value := range a.allowed {
			list.Items = append(list.Items, wire.AllowlistItem{Value: value})
		}
		_ = json.NewEncoder(w).Encode([]wire.Allowlist{list})
	default:
		_ = json.NewEncoder(w).Encode(wire.DecisionsStream{New: a.decisions, Deleted: a.deleted})
	}
}

// decide sets what is banned, and what is not any more.
func (a *localAPI) decide(banned, freed []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.decisions, a.deleted = nil, nil
	for _, value := range banned {
		a.decisions = append(a.decisions, wire.Decision{Value: value, Scope: "Ip", Type: "ban", Origin: "cscli", Duration: "4h"})
	}
	for _, value := range freed {
		a.deleted = append(a.deleted, wire.Decision{Value: value, Scope: "Ip", Type: "ban", Origin: "cscli", Duration: "0s"})
	}
}

// allow sets what is allowlisted.
func (a *localAPI) allow(values ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.allowed = values
}

func (a *localAPI) breakDown() { a.setBroken(true) }

func (a *localAPI) recover() { a.setBroken(false) }

func (a *localAPI) setBroken(broken bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.broken = broken
}

func (a *localAPI) seen() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.requests...)
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

func configFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "crowdsec-firewall-bouncer.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	timeout := time.NewTimer(20 * time.Second)
	defer timeout.Stop()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for !condition() {
		select {
		case <-timeout.C:
			t.Fatalf("waited in vain: %s", what)
		case <-ticker.C:
		}
	}
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	valid := configFile(t, "mode: dry-run\napi_url: http://127.0.0.1:1/\napi_key: x\nupdate_frequency: 1s\n")
	if err := os.WriteFile(valid+".local", []byte("api_key: $HOME\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args           []string
		code           int
		stdout, stderr string // regular expressions
	}{
		{[]string{"-V"}, 0, `^version: v1\.2\.3\n(?s:.*)Platform: linux\n`, `^$`},
		{[]string{"--version", "-c", "x"}, 0, `^version: v1\.2\.3\n`, `^$`},
		{nil, 1, `^$`, `level=fatal msg="configuration file is required"`},
		{[]string{"-x"}, 2, `^$`, `flag provided but not defined: -x`},
		{[]string{"-h"}, 0, `^$`, `Usage`},
		{[]string{"-c", "/does/not/exist"}, 1, `^$`, `msg="unable to read config file: `},
		{[]string{"-c", "/does/not/exist", "-T"}, 1, `^$`, `msg="unable to read config file: `},
		{[]string{"-c", configFile(t, "api_url: x\n")}, 1, `^$`, `msg="unable to load configuration: config does not contain 'mode'"`},
		{[]string{"-c", valid, "-T"}, 0, `^mode: dry-run\n(?s:.*)api_key: \$HOME\n(?s:.*)\n\n$`, `^$`},
		{[]string{"-t", "-c", valid}, 0, `^$`, `(?s)msg="backend type: dry-run".*msg="backend\.Init\(\) called".*msg="config is valid"`},
		{
			[]string{"-t", "-c", configFile(t, "mode: dry-run\napi_url: http://x/\ncert_path: /no\nkey_path: /no\n")},
			1, `^$`,
			`msg="process terminated with error: unable to configure bouncer: `,
		},
	} {
		var stdout, stderr bytes.Buffer
		code := firewall.Main(t.Context(), around(&stdout, &stderr, test.args...))
		if code != test.code || !regexp.MustCompile(test.stdout).MatchString(stdout.String()) ||
			!regexp.MustCompile(test.stderr).MatchString(stderr.String()) {
			t.Errorf("%q: exit %d\nstdout %s\nstderr %s", test.args, code, &stdout, &stderr)
		}
	}
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	api := newLocalAPI(t, listen(t))
	api.decide([]string{"192.0.2.1", "198.51.100.0/24"}, nil)
	notified := filepath.Join(t.TempDir(), "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: notified})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = manager.Close() }()
	var out transcript
	surroundings := around(io.Discard, &out, "-c", configFile(t, "mode: dry-run\nupdate_frequency: 20ms\napi_url: "+api.URL+
		"\napi_key: "+apiKey+"\nscopes: [ip, range]\nprometheus: {enabled: true, listen_addr: 127.0.0.1, listen_port: 0}\n"))
	surroundings.Env = func(name string) (string, bool) { return notified, name == "NOTIFY_SOCKET" }
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	finished := make(chan int, 1)
	go func() { finished <- firewall.Main(ctx, surroundings) }()
	eventually(t, "bans", func() bool { return strings.Contains(out.String(), "2 decision(s) added") })
	api.decide(nil, []string{"192.0.2.1"})
	eventually(t, "deletion", func() bool { return strings.Contains(out.String(), "backend.Delete() called with 192.0.2.1") })
	buffer := make([]byte, 64)
	if n, err := manager.Read(buffer); err != nil || string(buffer[:n]) != "READY=1" {
		t.Errorf("the service manager got %q, %v", buffer[:n], err)
	}
	metrics := scrape(t, &out)
	for _, want := range []string{`fw_bouncer_banned_ips{ip_type="ipv4",origin="cscli"} 1`, "lapi_requests_total ", "go_goroutines "} {
		if !strings.Contains(metrics, want) {
			t.Errorf("%s is missing in\n%s", want, metrics)
		}
	}
	stop()
	if code := <-finished; code != 0 {
		t.Errorf("exit code %d", code)
	}
	inOrder(t, out.String(), "Starting crowdsec-firewall-bouncer v1.2.3", "backend type: dry-run", "backend.Init() called",
		"Using API key auth", "Processing new and deleted decisions . . .", "backend.Add() called with ", "backend.Commit() called",
		"1 decision(s) deleted", "Received shutdown signal, exiting gracefully", "Shutting down backend", "backend.ShutDown() called")
	if strings.Contains(out.String(), apiKey) {
		t.Error("the key was logged")
	}
	requests := api.seen()
	first, second := requests[0], requests[1]
	if !strings.Contains(first, "startup=true") || strings.Contains(second, "startup") ||
		!strings.Contains(first, "scopes=ip%2Crange") || !strings.HasSuffix(first, " crowdsec-firewall-bouncer/v1.2.3") {
		t.Errorf("requested %q, then %q", first, second)
	}
}

// scrape reads the metrics where the log says they are.
func scrape(t *testing.T, out *transcript) string {
	t.Helper()
	var found []string
	eventually(t, "metrics", func() bool {
		found = regexp.MustCompile(`Serving metrics at (127\.0\.0\.1:\d+/metrics)`).FindStringSubmatch(out.String())
		return found != nil
	})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+found[1], nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func inOrder(t *testing.T, text string, parts ...string) {
	t.Helper()
	rest := text
	for _, part := range parts {
		_, after, found := strings.Cut(rest, part)
		if !found {
			t.Fatalf("%q is missing, or too early, in\n%s", part, text)
		}
		rest = after
	}
}

func TestAWrongKeyEndsTheProgram(t *testing.T) {
	t.Parallel()
	api := newLocalAPI(t, listen(t))
	var out transcript
	code := firewall.Main(t.Context(), around(io.Discard, &out, "-c",
		configFile(t, "mode: dry-run\napi_key: wrong\napi_url: "+api.URL+"\n")))
	if code != 1 || !strings.Contains(out.String(), `msg="process terminated with error: API error: access forbidden"`) {
		t.Errorf("exit %d\n%s", code, &out)
	}
	if strings.Contains(out.String(), "ShutDown") {
		t.Error("bans were taken out of force")
	}
}

// site is a firewall with the program and its Local API behind, and the outside.
type site struct {
	lab    *backendtest.Lab
	api    *localAPI
	config string
}

const (
	attacker  = "198.51.100.7"
	neighbour = "198.51.100.8"
)

// newSite is a site whose program is configured as packages ship it, and quick. More keys may follow.
func newSite(t *testing.T, more ...string) *site {
	t.Helper()
	lab := backendtest.NewLab(t)
	var listener net.Listener
	if err := lab.Firewall.Do(func() error {
		listener = listen(t)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	api := newLocalAPI(t, listener)
	config := configFile(t, fmt.Sprintf(
		"mode: nftables\nupdate_frequency: 50ms\nreconcile_interval: 100ms\nallowlists_interval: 50ms\nstate_dir: %s\n"+
			"api_key: %s\napi_url: %s\nnftables: {ipv4: {priority: -10}}\nnftables_hooks: [input, forward]\n",
		filepath.Join(t.TempDir(), "state"), apiKey, api.URL))
	local := strings.Join(more, "\n") + "\n"
	if err := os.WriteFile(config+".local", []byte(local), 0o600); err != nil {
		t.Fatal(err)
	}
	return &site{lab: lab, api: api, config: config}
}

// process is the program, running at a site.
type process struct {
	*exec.Cmd

	out      *transcript
	finished chan error
}

func (s *site) start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{out: &transcript{}, finished: make(chan error, 1)}
	p.Cmd = exec.CommandContext(t.Context(), os.Args[0], append(args, "-c", s.config)...)
	p.Env = append(os.Environ(), asProgram+"=1")
	p.Stdout, p.Stderr = p.out, p.out
	if err := s.lab.Firewall.Do(p.Start); err != nil {
		t.Fatal(err)
	}
	go func() { p.finished <- p.Wait() }()
	t.Cleanup(func() {
		_ = p.Process.Kill()
		if t.Failed() {
			t.Logf("the program said\n%s", p.out)
		}
	})
	return p
}

func (p *process) end(t *testing.T, sig os.Signal) error {
	t.Helper()
	if err := p.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	err := <-p.finished
	p.finished <- err
	return err
}

func (s *site) stops(t *testing.T, address string) {
	t.Helper()
	eventually(t, address+" is stopped", func() bool { return s.lab.Ask(t, address) == backendtest.Silence })
}

func (s *site) passes(t *testing.T, address string) {
	t.Helper()
	eventually(t, address+" passes", func() bool { return s.lab.Ask(t, address) == backendtest.Echo })
}

func TestProgram(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.api.decide([]string{attacker}, nil)
	first := s.start(t)
	s.stops(t, attacker)
	s.passes(t, neighbour)

	if err := <-s.start(t, "-t").finished; err != nil {
		t.Fatalf("testing the configuration: %v", err)
	}
	if answer := s.lab.Ask(t, attacker); answer != backendtest.Silence {
		t.Fatalf("testing the configuration opened the gate: %s", answer)
	}

	if err := first.end(t, syscall.SIGKILL); err == nil {
		t.Fatal("killed without an error")
	}
	if answer := s.lab.Ask(t, attacker); answer != backendtest.Silence {
		t.Fatalf("killing the program opened the gate: %s", answer)
	}

	s.api.decide([]string{neighbour}, []string{attacker})
	second := s.start(t)
	s.stops(t, neighbour)
	s.passes(t, attacker)
	s.lab.Firewall.Run(t, "nft", "flush", "ruleset")
	s.stops(t, neighbour)

	if err := second.end(t, syscall.SIGTERM); err != nil {
		t.Fatalf("normal end: %v", err)
	}
	s.passes(t, neighbour)
	if rules := s.lab.Firewall.Run(t, "nft", "list", "ruleset"); rules != "" {
		t.Errorf("a normal end leaves\n%s", rules)
	}
}

func TestProgramWithoutTheLocalAPI(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.api.decide([]string{attacker}, nil)
	first := s.start(t)
	s.stops(t, attacker)
	s.api.breakDown()
	requests := len(s.api.seen())
	eventually(t, "failing polls", func() bool { return len(s.api.seen()) > requests+3 })
	if answer := s.lab.Ask(t, attacker); answer != backendtest.Silence {
		t.Fatalf("a broken local api opened the gate: %s", answer)
	}
	_ = first.end(t, syscall.SIGKILL)
	second := s.start(t)
	if err := <-second.finished; err == nil {
		t.Fatal("no error without a first answer")
	}
	if answer := s.lab.Ask(t, attacker); answer != backendtest.Silence {
		t.Fatalf("a start without the local api opened the gate: %s", answer)
	}
}
