package localapi_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"shieldwall/internal/localapi"
)

func TestRouting(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, test := range []struct {
		method, target  string
		status          int
		header, content string
		body            string
	}{
		{"GET", "/health", 200, "Cache-Control", "no-cache", `{"status":"up"}`},
		{"GET", "/health", 200, "Pragma", "no-cache", `{"status":"up"}`},
		{"GET", "/health", 200, "Expires", "Thu, 01 Jan 1970 00:00:00 GMT", `{"status":"up"}`},
		{"HEAD", "/health", 405, "Allow", "GET", ""},
		{"GET", "/nope", 404, "Content-Type", "", ""},
		{"GET", "/", 404, "", "", ""},
		{"GET", "/v2/alerts", 404, "", "", ""},
		{"GET", "/v1/decisions/stream/more", 404, "", "", ""},
		{"GET", "/nope/", 404, "Location", "", ""},
		{"PUT", "/v1/alerts", 405, "Allow", "POST, GET, HEAD, DELETE", ""},
		{"OPTIONS", "/v1/alerts", 405, "Allow", "POST, GET, HEAD, DELETE", ""},
		{"PUT", "/v1/alerts/1", 405, "Allow", "GET, HEAD, DELETE", ""},
		{"GET", "/v1/decisions/1", 405, "Allow", "DELETE", ""},
		{"GET", "/v1/watchers", 405, "Allow", "POST", ""},
		{"HEAD", "/v1/heartbeat", 405, "Allow", "GET", ""},
		{"POST", "/v1/decisions/stream", 405, "Allow", "GET, HEAD", ""},
		{"POST", "/v1/alerts/", 307, "Location", "/v1/alerts", ""},
		{"HEAD", "/v1/alerts/", 307, "Location", "/v1/alerts", ""},
		{"DELETE", "/v1/decisions/7/?x=1", 307, "Location", "/v1/decisions/7?x=1", ""},
	} {
		w := f.call(test.method, test.target, "")
		if w.Code != test.status || w.Body.String() != test.body || w.Header().Get(test.header) != test.content {
			t.Errorf("%s %s: got %d %q %v", test.method, test.target, w.Code, w.Body, w.Header())
		}
	}
	if w := f.call("GET", "/v1/alerts/?limit=1", ""); w.Code != 301 || w.Header().Get("Location") != "/v1/alerts?limit=1" {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m, b := f.machine("m1"), f.bouncer()
	f.call("GET", "/health", "")
	f.call("GET", "/nope", "")
	f.call("BREW", "/nope", "")
	f.call("POST", "/v1/alerts", "["+banJSON("1.1.1.1", "1h")+"]", m...)
	f.call("GET", "/v1/alerts/1", "", m...)
	f.call("GET", "/v1/alerts/1", "")
	f.call("GET", "/v1/decisions?ip=1.1.1.1", "", b...)
	f.call("HEAD", "/v1/decisions?ip=1.1.1.1", "", b...)
	f.call("GET", "/v1/decisions?ip=2.2.2.2", "", b...)
	f.start() // registers the same metrics
	want := []string{
		`cs_active_decisions{action="ban",origin="cscli",reason="manual"} 1`,
		`cs_alerts{reason="acme/ssh-bf"} 1`,
		`cs_lapi_allowlist_items 0`,
		`cs_lapi_bouncer_requests_total{bouncer="b1",method="GET",route="/v1/decisions"} 2`,
		`cs_lapi_bouncer_requests_total{bouncer="b1",method="HEAD",route="/v1/decisions"} 1`,
		`cs_lapi_decisions_ko_total{bouncer="b1"} 1`,
		`cs_lapi_decisions_ok_total{bouncer="b1"} 2`,
		`cs_lapi_machine_requests_total{machine="m1",method="GET",route="/v1/alerts/:alert_id"} 1`,
		`cs_lapi_machine_requests_total{machine="m1",method="POST",route="/v1/alerts"} 1`,
		`cs_lapi_refusals_total{reason="token",side="agent"} 1`,
		`cs_lapi_request_duration_seconds_count{endpoint="",method="GET"} 1`,
		`cs_lapi_request_duration_seconds_count{endpoint="",method="OTHER"} 1`,
		`cs_lapi_request_duration_seconds_count{endpoint="/v1/alerts",method="POST"} 1`,
		`cs_lapi_request_duration_seconds_count{endpoint="/v1/alerts/:alert_id",method="GET"} 2`,
		`cs_lapi_request_duration_seconds_count{endpoint="/v1/decisions",method="GET"} 2`,
		`cs_lapi_request_duration_seconds_count{endpoint="/v1/decisions",method="HEAD"} 1`,
		`cs_lapi_route_requests_total{method="GET",route="/v1/alerts/:alert_id"} 2`,
		`cs_lapi_route_requests_total{method="GET",route="/v1/decisions"} 2`,
		`cs_lapi_route_requests_total{method="GET",route="invalid-endpoint"} 1`,
		`cs_lapi_route_requests_total{method="HEAD",route="/v1/decisions"} 1`,
		`cs_lapi_route_requests_total{method="OTHER",route="invalid-endpoint"} 1`,
		`cs_lapi_route_requests_total{method="POST",route="/v1/alerts"} 1`,
		`cs_lapi_waiting_bouncers 0`,
	}
	if got := counts(t, f); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// counts returns the counters of the registry as a scrape shows them, without the buckets of histograms.
func counts(t *testing.T, f *fixture) []string {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil)
	promhttp.HandlerFor(f.registry, promhttp.HandlerOpts{}).ServeHTTP(w, r)
	var lines []string
	for line := range strings.Lines(w.Body.String()) {
		if !strings.HasPrefix(line, "#") && !strings.Contains(line, "_bucket{") && !strings.Contains(line, "_sum{") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

func TestAccessLog(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.bouncer()
	f.call("GET", "/health", "")
	f.call("GET", "/v1/decisions?ip=xx", "", b...)
	log := f.log.String()
	for _, want := range []string{
		`level=DEBUG msg="request answered" client_ip=127.0.0.1 method=GET path=/health protocol=HTTP/1.1 status=200`,
		`level=INFO msg="request answered" client_ip=127.0.0.1 method=GET path="/v1/decisions?ip=xx" protocol=HTTP/1.1 status=400`,
		`user_agent=crowdsec/v1.7.4-linux bouncer=b1 error="invalid ip address or range 'xx'"`,
	} {
		if !strings.Contains(log, want) {
			t.Errorf("not logged: %s\n%s", want, log)
		}
	}
	if strings.Contains(log, "key of b1") {
		t.Error("a key was logged")
	}
}

func TestPanicsAreSurvived(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.bouncer()
	f.store.Store = nil // whatever is asked panics
	f.expect(500, ``, f.call("GET", "/v1/decisions", "", b...))
	if !strings.Contains(f.log.String(), "panic while answering") {
		t.Error("the panic was not logged")
	}
}

func TestNewRefusesAShortSecret(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, err := localapi.New(t.Context(), localapi.Config{Secret: []byte("short")}, localapi.Deps{Store: f.store})
	if err == nil {
		t.Error("accepted")
	}
	f.store.setDown(true)
	if _, err := localapi.New(t.Context(), localapi.Config{Secret: secret}, localapi.Deps{Store: f.store}); err == nil {
		t.Error("started without a store")
	}
}

// serve runs a server until the test ends.
func serve(t *testing.T, server *localapi.Server) {
	t.Helper()
	if err := server.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

func TestServeTCPAndSocket(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m, b := f.machine("m1"), f.bouncer()
	socket := filepath.Join(t.TempDir(), "lapi.sock")
	server := f.start(func(cfg *localapi.Config) {
		cfg.Listen, cfg.Socket, cfg.DisableRemoteRegistration = "127.0.0.1:0", socket, true
	})
	if server.Addr() != nil {
		t.Error("an address before Listen")
	}
	serve(t, server)
	f.call("POST", "/v1/alerts", "["+banJSON("1.1.1.1", "1h")+"]", m...) // on the other replica

	tcp := &http.Client{Transport: &http.Transport{}}
	base := "http://" + server.Addr().String()
	res := do(t, tcp, "GET", base+"/v1/decisions/stream?startup=true", "", b...)
	if res.status != 200 || !res.chunked || !strings.HasPrefix(res.body, `{"new": [`) {
		t.Errorf("stream: got %+v", res)
	}
	res = do(t, tcp, "GET", base+"/v1/heartbeat", "", m...)
	if res.contentLength != 0 || res.header.Get("Content-Type") != "" {
		t.Errorf("heartbeat: got %+v", res)
	}

	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	res = do(t, &http.Client{Transport: &http.Transport{Protocols: &protocols}}, "GET", base+"/health", "")
	if res.protocol != "HTTP/2.0" {
		t.Errorf("protocol %s", res.protocol)
	}

	unix := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "unix", socket)
	}}}
	if res = do(t, unix, "GET", "http://unix/v1/decisions", "", b...); res.status != 200 {
		t.Errorf("over the socket: %d", res.status)
	}
	if got := theBouncer(t, f).IPAddress; got != "127.0.0.1" {
		t.Errorf("address of a caller on the socket: %s", got)
	}
	if res = do(t, unix, "POST", "http://unix/v1/watchers", `{"machine_id":"m7","password":"p"}`); res.status != 201 {
		t.Errorf("registration over the socket: %d", res.status)
	}
	if err := f.start(func(cfg *localapi.Config) { cfg.Socket = socket }).Listen(t.Context()); !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), socket) {
		t.Errorf("the socket of a living server was taken: %v", err)
	}
}

// reply is what came over the connection.
type reply struct {
	status        int
	body          string
	header        http.Header
	protocol      string
	chunked       bool
	contentLength int64
}

// do sends a request over a connection; headers are pairs of name and value.
func do(t *testing.T, client *http.Client, method, target, body string, headers ...string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{
		status: res.StatusCode, body: string(text), header: res.Header, protocol: res.Proto,
		chunked: slices.Equal(res.TransferEncoding, []string{"chunked"}), contentLength: res.ContentLength,
	}
}

func TestFollowsOtherReplicas(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m, b := f.machine("m1"), f.bouncer()
	server := f.start(func(cfg *localapi.Config) { cfg.Listen, cfg.FollowInterval = "127.0.0.1:0", time.Millisecond })
	serve(t, server)
	f.call("POST", "/v1/alerts", "["+banJSON("1.1.1.1", "1h")+"]", m...)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if w := send(t, server.Handler(), "127.0.0.1:1", "GET", "/v1/decisions", "", b...); w.Body.String() != "null" {
			return
		}
	}
	t.Error("the decision never arrived")
}

func TestListenErrorsNameTheAddress(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	taken := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(taken.Close)
	address := taken.Listener.Addr().String()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*localapi.Config){
		"no listen_uri or listen_socket specified":            func(*localapi.Config) {},
		"listening on " + address:                             func(cfg *localapi.Config) { cfg.Listen = address },
		"listening on " + file + ": a file that is no socket": func(cfg *localapi.Config) { cfg.Socket = file },
		"listening on /does/not/exist/s":                      func(cfg *localapi.Config) { cfg.Listen, cfg.Socket = "127.0.0.1:0", "/does/not/exist/s" },
	} {
		server := f.start(change)
		if err := server.Listen(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
		if server.Addr() != nil {
			t.Errorf("%s: still bound to %s", want, server.Addr())
		}
	}
}

func TestStaleSocketIsReplaced(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	socket := filepath.Join(t.TempDir(), "lapi.sock")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	if err := dead.Close(); err != nil {
		t.Fatal(err)
	}
	t.Run("serving", func(t *testing.T) { serve(t, f.start(func(cfg *localapi.Config) { cfg.Socket = socket })) })
	if _, err := os.Lstat(socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket stays after the end: %v", err)
	}
}

func TestHugeHeadersAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	server := f.start(func(cfg *localapi.Config) { cfg.Listen = "127.0.0.1:0" })
	serve(t, server)
	res := do(t, &http.Client{Transport: &http.Transport{}}, "GET", "http://"+server.Addr().String()+"/health", "",
		"X-Long", strings.Repeat("x", 80<<10))
	if res.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("got %d", res.status)
	}
}
