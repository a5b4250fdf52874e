package localapiclient_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapiclient"
	"shieldwall/internal/wire"
)

var start = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// fakeAPI is the machine side of a Local API: it hands out tokens t1, t2, … and accepts the last one.
type fakeAPI struct {
	logins  atomic.Int32
	expire  time.Time
	handler http.HandlerFunc // requests with a good token
}

func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/v1/watchers/login" {
		token := "t" + strconv.Itoa(int(f.logins.Add(1)))
		_ = json.NewEncoder(w).Encode(wire.Token{Code: 200, Expire: f.expire, Token: token})
		return
	}
	if r.Header.Get("Authorization") != "Bearer t"+strconv.Itoa(int(f.logins.Load())) {
		answer(w, http.StatusUnauthorized, `{"code":401,"message":"signature is invalid"}`)
		return
	}
	f.handler(w, r)
}

func answer(w http.ResponseWriter, status int, body string) {
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func newClient(t *testing.T, cfg localapiclient.Config) *localapiclient.Client {
	t.Helper()
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return start }
	}
	cfg.UserAgent = "crowdsec/v1.0.0-linux"
	client, err := localapiclient.New(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func serve(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func served(t *testing.T, handler http.Handler) localapiclient.URLs {
	t.Helper()
	return localapiclient.URLs{serve(t, handler)}
}

func machineClient(t *testing.T, handler http.HandlerFunc) (*localapiclient.Client, *fakeAPI) {
	t.Helper()
	api := &fakeAPI{expire: start.Add(time.Hour), handler: handler}
	return newClient(t, localapiclient.Config{URL: served(t, api), Login: "m", Password: "p"}), api
}

func TestRequestsAreThePublishedOnes(t *testing.T) {
	t.Parallel()
	var got string
	client, _ := machineClient(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Method + " " + r.RequestURI
		switch {
		case r.Method == http.MethodDelete:
			answer(w, 200, `{"nbDeleted":"3"}`)
		case strings.HasPrefix(r.URL.Path, "/v1/allowlists/"), strings.Count(r.URL.Path, "/") == 3:
			answer(w, 200, `{}`)
		default:
			answer(w, 200, `null`)
		}
	})
	type query = localapiclient.AlertQuery
	for want, call := range map[string]func(context.Context) error{
		"GET /v1/alerts?include_capi=false&limit=50": func(ctx context.Context) error {
			_, err := client.Alerts(ctx, query{Limit: 50})
			return err
		},
		"GET /v1/alerts?contains=false&include_capi=true&ip=1.2.3.4&limit=0&since=4h0m0s": func(ctx context.Context) error {
			_, err := client.Alerts(ctx, query{IncludeCAPI: true, IP: "1.2.3.4", Inside: true, Since: 4 * time.Hour})
			return err
		},
		"GET /v1/alerts?has_active_decision=true&include_capi=false&limit=100&simulated=false": func(ctx context.Context) error {
			_, err := client.Alerts(ctx, query{ActiveOnly: true, Limit: 100, ExcludeSimulated: true})
			return err
		},
		"GET /v1/alerts/7": func(ctx context.Context) error {
			_, err := client.Alert(ctx, 7)
			return err
		},
		"DELETE /v1/alerts?limit=0&scenario=S": func(ctx context.Context) error {
			_, err := client.DeleteAlerts(ctx, query{Scenario: "S"})
			return err
		},
		"DELETE /v1/alerts/7": func(ctx context.Context) error {
			_, err := client.DeleteAlert(ctx, 7)
			return err
		},
		"DELETE /v1/decisions?contains=false&origin=o&range=10.0.0.0%2F8&scenario=s&type=ban&value=v": func(ctx context.Context) error {
			_, err := client.DeleteDecisions(ctx, localapiclient.DecisionQuery{
				Range: "10.0.0.0/8", Inside: true, Value: "v", Type: "ban", Scenario: "s", Origin: "o",
			})
			return err
		},
		"DELETE /v1/decisions": func(ctx context.Context) error {
			_, err := client.DeleteDecisions(ctx, localapiclient.DecisionQuery{})
			return err
		},
		"DELETE /v1/decisions/9": func(ctx context.Context) error {
			count, err := client.DeleteDecision(ctx, 9)
			if count != 3 {
				t.Errorf("count %d", count)
			}
			return err
		},
		"GET /v1/heartbeat":        client.Heartbeat,
		"DELETE /v1/watchers/self": client.Unregister,
		"GET /v1/allowlists/check/1.2.3.0%2F24": func(ctx context.Context) error {
			_, err := client.CheckAllowlists(ctx, "1.2.3.0/24")
			return err
		},
	} {
		if err := call(t.Context()); err != nil {
			t.Errorf("%s: %v", want, err)
		}
		if got != want {
			t.Errorf("sent %s\nwant %s", got, want)
		}
	}
}

// told is an answer of the stream, collected.
type told struct {
	localapiclient.Stream
	wire.DecisionsStream
}

func (c *told) Begin(decision *wire.Decision) { c.New = append(c.New, *decision) }

func (c *told) Cease(decision *wire.Decision) { c.Deleted = append(c.Deleted, *decision) }

// streamer is a client, or something that has one.
type streamer interface {
	Stream(context.Context, localapiclient.StreamQuery, func(localapiclient.Stream) wire.StreamVisitor) (localapiclient.Stream, error)
}

func follow(client streamer, query localapiclient.StreamQuery) (told, error) {
	return followFor(context.Background(), client, query)
}

func followFor(ctx context.Context, client streamer, query localapiclient.StreamQuery) (told, error) {
	var answer told
	stream, err := client.Stream(ctx, query, func(localapiclient.Stream) wire.StreamVisitor {
		answer = told{}
		return &answer
	})
	answer.Stream = stream
	return answer, err
}

func TestBouncerRequests(t *testing.T) {
	t.Parallel()
	var got string
	client := newClient(t, localapiclient.Config{APIKey: "k", URL: served(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.RequestURI + " " + r.Header.Get("X-Api-Key") + r.Header.Get("Authorization")
		if strings.HasSuffix(r.URL.Path, "/stream") {
			answer(w, 200, `{"new": [{"duration":"4h","id":1,"value":"1.2.3.4"}], "deleted": []}`)
			return
		}
		answer(w, 200, `null`)
	}))})
	stream, err := follow(client, localapiclient.StreamQuery{
		Startup: true, Scopes: []string{"ip", "range"}, Origins: []string{"cscli"},
		ScenariosContaining: []string{"ssh"}, ScenariosNotContaining: []string{"a", "b"},
	})
	if err != nil || len(stream.New) != 1 || stream.New[0].Value != "1.2.3.4" || len(stream.Deleted) != 0 {
		t.Errorf("stream %+v, %v", stream, err)
	}
	if want := "/v1/decisions/stream?origins=cscli&scenarios_containing=ssh&scenarios_not_containing=a%2Cb" +
		"&scopes=ip%2Crange&startup=true k"; got != want {
		t.Errorf("sent %s\nwant %s", got, want)
	}
	decisions, err := client.Decisions(t.Context(), localapiclient.LiveQuery{IP: "1.2.3.4"})
	if err != nil || len(decisions) != 0 || got != "/v1/decisions?ip=1.2.3.4 k" {
		t.Errorf("live: %v, %v, sent %s", decisions, err, got)
	}
}

func TestPushedAlertsAreCompressedWhenLarge(t *testing.T) {
	t.Parallel()
	var encoding string
	var received []wire.Alert
	url := serve(t, &fakeAPI{expire: start.Add(time.Hour), handler: func(w http.ResponseWriter, r *http.Request) {
		encoding = r.Header.Get("Content-Encoding")
		body := io.Reader(r.Body)
		if encoding == "gzip" {
			unpacked, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			body = unpacked
		}
		if err := json.NewDecoder(body).Decode(&received); err != nil {
			t.Error(err)
		}
		answer(w, 201, `["23"]`)
	}})
	elsewhere := strings.Replace(url, "127.0.0.1", "0.0.0.0", 1) // leads here too, but does not look so
	for _, test := range []struct {
		url, want   string
		messageSize int
	}{{elsewhere, "", 100}, {elsewhere, "gzip", 6000}, {url, "", 6000}} {
		client := newClient(t, localapiclient.Config{URL: localapiclient.URLs{test.url}, Login: "m", Password: "p"})
		sent := wire.Alert{Message: strings.Repeat("x", test.messageSize)}
		text, err := json.Marshal(sent)
		if err != nil {
			t.Fatal(err)
		}
		for name, push := range map[string]func() ([]string, error){
			"alert":   func() ([]string, error) { return client.PushAlerts(t.Context(), []wire.Alert{sent}) },
			"encoded": func() ([]string, error) { return client.PushEncoded(t.Context(), [][]byte{text, text}) },
		} {
			ids, err := push()
			if err != nil || len(ids) != 1 || ids[0] != "23" {
				t.Errorf("%s: ids %v, %v", name, ids, err)
			}
			if encoding != test.want || received[len(received)-1].Message != sent.Message {
				t.Errorf("%s, %d bytes to %s: encoding %q, want %q", name, test.messageSize, test.url, encoding, test.want)
			}
		}
	}
}

func TestTokenIsKeptUntilItIsAboutToExpire(t *testing.T) {
	t.Parallel()
	now := start
	api := &fakeAPI{expire: start.Add(time.Hour), handler: func(http.ResponseWriter, *http.Request) {}}
	client := newClient(t, localapiclient.Config{URL: served(t, api), Now: func() time.Time { return now }})
	for _, step := range []struct {
		at     time.Duration
		logins int32
	}{{0, 1}, {58 * time.Minute, 1}, {59 * time.Minute, 2}} {
		now = start.Add(step.at)
		if err := client.Heartbeat(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := api.logins.Load(); got != step.logins {
			t.Errorf("after %v: %d logins, want %d", step.at, got, step.logins)
		}
	}
}

func TestRefusedTokenIsReplacedOnce(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	client, api := machineClient(t, func(w http.ResponseWriter, _ *http.Request) {
		if requests.Add(1) == 1 {
			answer(w, http.StatusForbidden, `{"message":"go away"}`)
		}
	})
	if err := client.Heartbeat(t.Context()); err != nil || api.logins.Load() != 2 {
		t.Errorf("%v after %d logins", err, api.logins.Load())
	}
	always, api := machineClient(t, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusForbidden, `{"message":"access forbidden from this IP (8.8.8.8)"}`)
	})
	err := always.Heartbeat(t.Context())
	if !fault.Is(err, fault.Forbidden) || err.Error() != "API error: access forbidden from this IP (8.8.8.8)" {
		t.Errorf("got %v", err)
	}
	if api.logins.Load() != 2 {
		t.Errorf("%d logins", api.logins.Load())
	}
}

func TestConcurrentRequestsShareOneLogin(t *testing.T) {
	t.Parallel()
	client, api := machineClient(t, func(http.ResponseWriter, *http.Request) {})
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if err := client.Heartbeat(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := api.logins.Load(); got != 1 {
		t.Errorf("%d logins", got)
	}
}

func TestWaitingForALoginHonoursTheContext(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}), make(chan struct{})
	client := newClient(t, localapiclient.Config{URL: served(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		answer(w, 503, "")
	}))})
	first := make(chan error, 1)
	go func() { first <- client.Heartbeat(t.Context()) }()
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := client.Heartbeat(ctx); !errors.Is(err, context.Canceled) || !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
	close(release)
	if err := <-first; !fault.Is(err, fault.Unavailable) {
		t.Errorf("first request: %v", err)
	}
}

func TestLoginErrors(t *testing.T) {
	t.Parallel()
	body := `{"code":401,"message":"incorrect Username or Password"}`
	client := newClient(t, localapiclient.Config{URL: served(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 401, body)
	}))})
	_, err := client.Login(t.Context())
	if !fault.Is(err, fault.Unauthorized) || err.Error() != "API error: incorrect Username or Password" {
		t.Errorf("got %v", err)
	}
	_, err = client.Alerts(t.Context(), localapiclient.AlertQuery{})
	want := `performing request: Get "` + client.URL() + `v1/alerts?include_capi=false&limit=0": could not get jwt token: ` +
		"API error: incorrect Username or Password"
	if !fault.Is(err, fault.Unauthorized) || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestLoginAnnouncesScenarios(t *testing.T) {
	t.Parallel()
	var body string
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		body = string(text) + r.Header.Get("User-Agent")
		answer(w, 200, `{"code":200,"expire":"2026-11-21T20:10:33Z","token":"t"}`)
	}))
	for want, scenarios := range map[string]func() []string{
		`null`: nil, `[]`: func() []string { return []string{} }, `["a","b"]`: func() []string { return []string{"a", "b"} },
	} {
		client := newClient(t, localapiclient.Config{URL: localapiclient.URLs{url}, Login: "m", Password: "p", Scenarios: scenarios})
		token, err := client.Login(t.Context())
		if err != nil || token.Token != "t" {
			t.Fatal(token, err)
		}
		if want := `{"machine_id":"m","password":"p","scenarios":` + want + `}crowdsec/v1.0.0-linux`; body != want {
			t.Errorf("sent %s\nwant %s", body, want)
		}
	}
}

func TestStatusesBecomeKinds(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]fault.Kind{
		400: fault.Invalid, 401: fault.Unauthorized, 403: fault.Forbidden, 404: fault.NotFound, 413: fault.TooLarge,
		422: fault.Invalid, 429: fault.Unavailable, 500: fault.Internal, 502: fault.Unavailable, 503: fault.Unavailable, 304: fault.Unavailable,
	} {
		client := newClient(t, localapiclient.Config{APIKey: "k", URL: served(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
		}))})
		_, err := client.Decisions(t.Context(), localapiclient.LiveQuery{})
		var refused *localapiclient.Error
		if !fault.Is(err, want) || !errors.As(err, &refused) || refused.Status != status {
			t.Errorf("%d: got %v (%s), want %s", status, err, fault.KindOf(err), want)
		}
	}
}

func TestRegister(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		body   string
		want   string // of the error, after the URL
	}{
		{201, "", ""},
		{202, "", ""},
		{401, `{"message":"invalid token for auto registration"}`, "401 Unauthorized: API error: invalid token for auto registration"},
		{422, `{"message":"x should be longer"}`, "API error: http code 422, invalid request: x should be longer"},
	} {
		client := newClient(t, localapiclient.Config{URL: served(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if text, _ := io.ReadAll(r.Body); string(text) != `{"machine_id":"m","password":"p","registration_token":"tok"}` {
				t.Errorf("sent %s", text)
			}
			answer(w, c.status, c.body)
		}))})
		err := client.Register(t.Context(), wire.Registration{MachineID: "m", Password: "p", RegistrationToken: "tok"})
		got := ""
		if err != nil {
			got = strings.TrimPrefix(err.Error(), "api register ("+client.URL()+"): ")
		}
		if got != c.want {
			t.Errorf("%d: got %q, want %q", c.status, got, c.want)
		}
	}
}

func TestBrokenAnswersAreErrors(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"truncated in an element": `{"new": [{"duration":"4h","id":1,"va`,
		"truncated after a list":  `{"new": [], "deleted": []`,
		"one list missing":        `{"new": []}`,
		"repeated list":           `{"new": [], "deleted": [], "new": []}`,
		"not a list":              `{"new": {}, "deleted": []}`,
		"other JSON":              `{}`,
		"no JSON":                 `<html>`,
		"empty":                   ``,
		"null":                    `null`,
		"trailing data":           `{"new": [], "deleted": []}{}`,
	} {
		client := newClient(t, localapiclient.Config{URL: served(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			answer(w, 200, body)
		}))})
		stream, err := follow(client, localapiclient.StreamQuery{})
		if !fault.Is(err, fault.Unavailable) || stream.Endpoint != "" {
			t.Errorf("%s: got %+v, %v", name, stream, err)
		}
	}
}

func TestBodyThatIsCutByTheNetworkIsAnError(t *testing.T) {
	t.Parallel()
	client := newClient(t, localapiclient.Config{URL: served(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		// The document looks whole; only the framing of HTTP tells that it is not.
		answer(w, 200, `{"new": [], "deleted": []}`)
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		panic(http.ErrAbortHandler)
	}))})
	if _, err := follow(client, localapiclient.StreamQuery{}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
}

func TestOversizedAnswerIsRefused(t *testing.T) {
	t.Parallel()
	client := newClient(t, localapiclient.Config{URL: served(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, `{"token":"`+strings.Repeat("x", 2<<20)+`"}`)
	}))})
	if _, err := client.Login(t.Context()); !fault.Is(err, fault.TooLarge) {
		t.Errorf("got %v", err)
	}
}

func TestRedirectsStayOnTheHost(t *testing.T) {
	t.Parallel()
	var leaked atomic.Bool
	other := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { leaked.Store(true) }))
	other = strings.Replace(other, "127.0.0.1", "localhost", 1)
	var target string
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/moved" {
			answer(w, 200, `null`)
			return
		}
		http.Redirect(w, r, target, http.StatusTemporaryRedirect)
	}))
	client := newClient(t, localapiclient.Config{URL: localapiclient.URLs{url}, APIKey: "secret"})
	target = "/moved"
	if _, err := client.Decisions(t.Context(), localapiclient.LiveQuery{}); err != nil {
		t.Errorf("same host: %v", err)
	}
	target = other
	if _, err := client.Decisions(t.Context(), localapiclient.LiveQuery{}); err == nil || leaked.Load() {
		t.Errorf("other host: %v, leaked %v", err, leaked.Load())
	}
}

func TestUnixSocket(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "api.sock")
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var host string
	server := &httptest.Server{Listener: listener, Config: &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			host = r.Host
			answer(w, 200, `null`)
		}),
	}}
	server.Start()
	t.Cleanup(server.Close)
	client := newClient(t, localapiclient.Config{URL: localapiclient.URLs{path}})
	if _, err := client.Decisions(t.Context(), localapiclient.LiveQuery{}); err != nil || host != "unix" {
		t.Errorf("%v, host %q", err, host)
	}
}

func TestURLForms(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"http://h:8080": "http://h:8080/", "http://h:8080/": "http://h:8080/", "https://h/prefix": "https://h/prefix/",
		"/run/x.sock": "http://unix/",
	} {
		if got := newClient(t, localapiclient.Config{URL: localapiclient.URLs{url}}).URL(); got != want {
			t.Errorf("%s: got %s, want %s", url, got, want)
		}
	}
	for url, want := range map[string]string{
		"10.0.0.1:8080":  "first path segment in URL cannot contain colon",
		"http://h:port/": "invalid port",
		"ftp://h/":       "neither a http(s) URL nor a socket path",
		"":               "neither a http(s) URL nor a socket path",
	} {
		_, err := localapiclient.New(localapiclient.Config{URL: localapiclient.URLs{url}}, slog.New(slog.DiscardHandler))
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v", url, err)
		}
	}
}

func TestTransportErrorsNameTheRequest(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	url := server.URL
	server.Close()
	client := newClient(t, localapiclient.Config{URL: localapiclient.URLs{url}})
	err := client.Heartbeat(t.Context())
	want := `performing request: Get "` + url + `/v1/heartbeat": could not get jwt token: Post "` + url + `/v1/watchers/login": dial tcp`
	if !fault.Is(err, fault.Unavailable) || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v", err)
	}
}

func TestARefusedLoginIsNotTriedAgainAtOnce(t *testing.T) {
	t.Parallel()
	var (
		now    = time.Unix(1_800_000_000, 0)
		logins atomic.Int64
		status atomic.Int64
	)
	status.Store(401)
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/watchers/login" {
			return
		}
		logins.Add(1)
		if code := int(status.Load()); code != 200 {
			w.Header().Set("Retry-After", "7")
			answer(w, code, `{"message":"no"}`)
			return
		}
		answer(w, 200, `{"code":200,"token":"t","expire":"`+now.Add(time.Hour).Format(time.RFC3339)+`"}`)
	}))
	client := newClient(t, localapiclient.Config{URL: localapiclient.URLs{url}, Now: func() time.Time { return now }})
	expect := func(after time.Duration, ok bool, tried int64) {
		t.Helper()
		now = now.Add(after)
		if err := client.Heartbeat(t.Context()); (err == nil) != ok || !ok && !strings.HasSuffix(err.Error(), "API error: no") {
			t.Errorf("got %v", err)
		}
		if got := logins.Load(); got != tried {
			t.Errorf("%d logins, want %d", got, tried)
		}
	}
	expect(0, false, 1)
	expect(6*time.Second, false, 1) // the server has asked for 7
	expect(time.Second, false, 2)
	expect(9*time.Second, false, 2) // twice the first pause of 5
	status.Store(503)
	expect(time.Second, false, 3)
	expect(0, false, 4) // that is for the caller to wait for
	status.Store(429)
	expect(0, false, 5)
	status.Store(200)
	expect(6*time.Second, false, 5)
	expect(time.Second, true, 6)
}
