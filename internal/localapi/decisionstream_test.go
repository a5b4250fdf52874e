package localapi_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"shieldwall/internal/localapi"
)

// patience is how long a test waits for what must come: long enough to say nothing about speed.
const patience = 30 * time.Second

// waiter is a request on the stream that is held open.
type waiter struct {
	body chan string
}

// await holds a request open at the server, and returns once it is.
func (f *fixture) await(server *localapi.Server, headers []string) waiter {
	f.t.Helper()
	before := f.waiting()
	w := waiter{make(chan string, 1)}
	ctx := f.t.Context()
	go func() {
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/v1/decisions/stream?wait=50s", nil)
		r.RemoteAddr = "127.0.0.1:4000"
		r.Header.Set(headers[0], headers[1])
		answer := httptest.NewRecorder()
		server.Handler().ServeHTTP(answer, r)
		w.body <- answer.Body.String()
	}()
	for deadline := time.Now().Add(patience); f.waiting() == before; {
		if time.Now().After(deadline) {
			f.t.Fatal("the request is not held open")
		}
		time.Sleep(time.Millisecond)
	}
	return w
}

// waiting is the number of requests that are held open.
func (f *fixture) waiting() float64 {
	f.t.Helper()
	families, err := f.registry.Gather()
	if err != nil {
		f.t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == "cs_lapi_waiting_bouncers" {
			return family.GetMetric()[0].GetGauge().GetValue()
		}
	}
	f.t.Fatal("no count of waiting requests")
	return 0
}

func (w waiter) told(t *testing.T) string {
	t.Helper()
	select {
	case body := <-w.body:
		return body
	case <-time.After(patience):
		t.Fatal("nobody was told")
		return ""
	}
}

// TestStreamTellsThoseWhoWait: of what is added, ended, or expires by itself.
func TestStreamTellsThoseWhoWait(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m, b := f.machine("m1"), f.bouncer()
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	server := f.start(func(cfg *localapi.Config) { cfg.Listen = "127.0.0.1:0" })
	if err := server.Listen(ctx); err != nil {
		t.Fatal(err)
	}
	go func() { served <- server.Serve(ctx) }()

	w := f.await(server, b)
	f.call("POST", "/v1/alerts", "["+banJSON("192.0.2.1", "1h")+"]", m...) // at the other server
	if got := w.told(t); decisionIDs(got) != "1" || !strings.HasSuffix(got, `"deleted": []}`) {
		t.Errorf("after an addition: %s", got)
	}
	w = f.await(server, b)
	f.call("DELETE", "/v1/decisions/1", "", m...)
	if got := w.told(t); decisionIDs(got) != "1" || !strings.HasPrefix(got, `{"new": [],`) {
		t.Errorf("after a deletion: %s", got)
	}
	f.call("POST", "/v1/alerts", "["+banJSON("192.0.2.2", "1h")+"]", m...)
	send(t, server.Handler(), "127.0.0.1:4000", "GET", "/v1/decisions/stream", "", b...) // it remembers the cursor
	w = f.await(server, b)
	f.wait(2 * time.Hour)
	if got := w.told(t); decisionIDs(got) != "2" || !strings.HasPrefix(got, `{"new": [],`) {
		t.Errorf("after an expiry: %s", got)
	}

	w = f.await(server, b)
	stop()
	if got := w.told(t); !strings.HasPrefix(got, `{"new": [],`) { // it may repeat the expiry
		t.Errorf("at the end of the server: %s", got)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// TestStreamTellsNothingToThoseWhoHaveLeft: what nobody can have received is told to who asks next.
func TestStreamTellsNothingToThoseWhoHaveLeft(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m, b := f.machine("m1"), f.bouncer()
	f.call("GET", "/v1/decisions/stream?startup=true", "", b...)
	f.call("POST", "/v1/alerts", "["+banJSON("192.0.2.1", "1h")+"]", m...)
	ctx, leave := context.WithCancel(t.Context())
	f.store.read = leave
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/v1/decisions/stream", nil)
	r.RemoteAddr = "127.0.0.1:4000"
	r.Header.Set(b[0], b[1])
	f.server.Handler().ServeHTTP(httptest.NewRecorder(), r)
	if got := decisionIDs(f.call("GET", "/v1/decisions/stream", "", b...).Body.String()); got != "1" {
		t.Errorf("who came back was told %q", got)
	}
}

// TestStreamDoesNotGoBack: a bouncer that comes from another replica is not told an older state of things, although
// this one remembers it from before.
func TestStreamDoesNotGoBack(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m, b := f.machine("m1"), f.bouncer()
	other := f.start()
	ask := func(handler http.Handler, query string) string {
		t.Helper()
		w := send(t, handler, "127.0.0.1:4000", "GET", "/v1/decisions/stream"+query, "", b...)
		return w.Header().Get("X-Shieldwall-Revision") + " " + decisionIDs(w.Body.String())
	}
	for _, step := range []struct {
		name, want string
		do         func() string
	}{
		{name: "startup here", want: "0 ", do: func() string { return ask(f.server.Handler(), "?startup=true") }},
		{name: "delta there", want: "0 ", do: func() string { return ask(other.Handler(), "") }},
		{name: "addition here", want: "1 1", do: func() string {
			f.call("POST", "/v1/alerts", "["+banJSON("192.0.2.1", "1h")+"]", m...)
			return ask(f.server.Handler(), "")
		}},
		{name: "removal here", want: "2 1", do: func() string {
			f.call("DELETE", "/v1/decisions/1", "", m...)
			return ask(f.server.Handler(), "")
		}},
		{name: "there again", want: "2 1", do: func() string { return ask(other.Handler(), "") }},
		{name: "startup there", want: "3 2", do: func() string {
			f.call("POST", "/v1/alerts", "["+banJSON("192.0.2.2", "1h")+"]", m...)
			return strings.TrimSuffix(ask(other.Handler(), "?startup=true"), " 1")
		}},
	} {
		if got := step.do(); got != step.want {
			t.Errorf("%s: got %q, want %q", step.name, got, step.want)
		}
	}
}

func TestStreamWaitsNoLongerThanAsked(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.bouncer()
	f.expect(200, `{"new": [], "deleted": []}`, f.call("GET", "/v1/decisions/stream?wait=1ms", "", b...))
	f.expect(200, `{"new": [], "deleted": []}`, f.call("GET", "/v1/decisions/stream?startup=true&wait=50s", "", b...))
	for _, wait := range []string{"x", "-1s", "5"} {
		w := f.call("GET", "/v1/decisions/stream?wait="+wait, "", b...)
		if w.Code != 400 || !strings.Contains(w.Body.String(), "'wait' is not a duration such as 30s") {
			t.Errorf("%s: got %d %s", wait, w.Code, w.Body)
		}
	}
}

// TestStreamSaysWhatIsComplete: revision and counts go with every answer.
func TestStreamSaysWhatIsComplete(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m, b := f.machine("m1"), f.bouncer()
	expect := func(query, want string) {
		t.Helper()
		header := f.call("GET", "/v1/decisions/stream"+query, "", b...).Header()
		got := fmt.Sprint(header.Get("X-Shieldwall-Revision"), header.Get("X-Shieldwall-New"), header.Get("X-Shieldwall-Deleted"))
		if got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	seed(t, f, m)
	expect("", "530")
	expect("", "500")
	f.call("DELETE", "/v1/decisions/1", "", m...)
	expect("", "601")
	expect("?startup=true", "621")
	expect("?startup=true", "621")
}

// TestStreamContinuesFromTheRevisionThatIsAsked: an answer that was lost is told again, and what cannot be continued
// is told whole.
func TestStreamContinuesFromTheRevisionThatIsAsked(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m, b := f.machine("m1"), f.bouncer()
	seed(t, f, m)
	f.call("GET", "/v1/decisions/stream?startup=true", "", b...)
	f.call("POST", "/v1/alerts", "["+banJSON("192.0.2.77", "1h")+"]", m...)
	for _, c := range []struct{ query, since, revision, ids string }{
		{"", "5", "6", "6"},            // and this answer is lost
		{"", "6", "6", ""},             // what the Local API believes was told
		{"?revision=5", "5", "6", "6"}, // what was
		{"?revision=6&wait=1ms", "6", "6", ""},
		{"?revision=0", "0", "6", "1 2 5 6"},
		{"?revision=99", "0", "6", "1 2 5 6"}, // of another database
		{"?startup=true&revision=5", "0", "6", "1 2 5 6"},
	} {
		w := f.call("GET", "/v1/decisions/stream"+c.query, "", b...)
		header := w.Header()
		if header.Get("X-Shieldwall-Since") != c.since || header.Get("X-Shieldwall-Revision") != c.revision || decisionIDs(w.Body.String()) != c.ids {
			t.Errorf("%q: got %s to %s: %s, want %+v", c.query, header.Get("X-Shieldwall-Since"), header.Get("X-Shieldwall-Revision"), w.Body, c)
		}
	}
	for _, revision := range []string{"x", "-1", "1.5"} {
		f.expect(400, `{"message":"parameter 'revision' is not a revision (=`+revision+`)"}`,
			f.call("GET", "/v1/decisions/stream?revision="+revision, "", b...))
	}
}

// TestSnapshotsAreShared: whoever asks second is sent what is encoded once, compressed if it can take that, and
// nobody is sent what is out of date.
func TestSnapshotsAreShared(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m, b := f.machine("m1"), f.bouncer()
	seed(t, f, m)
	ask := func(query string, coding ...string) string {
		t.Helper()
		w := f.call("GET", "/v1/decisions/stream?startup=true"+query, "", append(coding, b...)...)
		if w.Header().Get("Content-Encoding") != "gzip" {
			return w.Body.String()
		}
		unzipped, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(unzipped)
		if err != nil {
			t.Fatal(err)
		}
		return "compressed " + string(body)
	}
	first := ask("")
	if decisionIDs(first) != "1 2 5" {
		t.Fatalf("got %s", first)
	}
	for coding, want := range map[string]string{
		"": first, "identity": first, "br": first, "gzip;q=0": first, "gzip; q=0": first,
		"gzip": "compressed " + first, "br, GZIP;q=0.5": "compressed " + first,
	} {
		if got := ask("", "Accept-Encoding", coding); got != want {
			t.Errorf("%q: got %s\nwant %s", coding, got, want)
		}
	}
	if got := ask("&origins=lists", "Accept-Encoding", "gzip"); decisionIDs(got) != "5" {
		t.Errorf("another filter: %s", got)
	}
	f.wait(time.Minute)
	if got := ask(""); strings.Contains(got, "1h0m0s") {
		t.Errorf("after a minute: %s", got)
	}
	f.call("POST", "/v1/alerts", "["+banJSON("192.0.2.1", "1h")+"]", m...)
	if got := ask(""); decisionIDs(got) != "1 2 5 6" {
		t.Errorf("after an addition: %s", got)
	}
}
