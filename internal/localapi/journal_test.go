package localapi_test

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"shieldwall/internal/localapi"
)

// TestChangesAreOnRecordAfterACleanStop serves for real, because the last entries are written at the end.
func TestChangesAreOnRecordAfterACleanStop(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "s")
	f := newFixture(t, func(c *localapi.Config) { c.Socket = socket })
	m := f.machine("m1")
	if err := f.server.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.server.Serve(ctx) }()
	for _, call := range []struct{ method, target, body string }{
		{"POST", "/v1/alerts", "[" + banJSON("1.1.1.1", "1h") + "," + alertJSON("2.2.2.2") + "]"},
		{"DELETE", "/v1/decisions?ip=1.1.1.1", ""},
		{"DELETE", "/v1/decisions?ip=1.1.1.1", ""},
		{"DELETE", "/v1/decisions/2", ""},
		{"DELETE", "/v1/alerts/1", ""},
		{"DELETE", "/v1/alerts", ""},
		{"POST", "/v1/watchers", `{"machine_id":"m2","password":"p"}`},
		{"DELETE", "/v1/watchers/self", ""},
	} {
		if w := f.call(call.method, call.target, call.body, m...); w.Code >= 300 {
			t.Fatalf("%s %s: %d %s", call.method, call.target, w.Code, w.Body)
		}
	}
	key := f.bouncer()
	for _, peer := range []string{"192.0.2.1:1", "192.0.2.2:1", "192.0.2.2:2"} {
		f.expect(http.StatusOK, "null", f.callFrom(peer, "GET", "/v1/decisions", "", key...))
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	entries, err := f.store.AuditEntries(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range slices.Backward(entries) {
		got = append(got, fmt.Sprintf("%s %s %s %s %q %d", e.ActorKind, e.Actor, e.Address, e.Action, e.Subject, e.Count))
	}
	want := []string{
		`machine m1 127.0.0.1 decisions.add "acme/ssh-bf" 1`,
		`machine m1 127.0.0.1 decisions.expire "ip=1.1.1.1" 1`,
		`machine m1 127.0.0.1 decisions.expire "id 2" 1`,
		`machine m1 127.0.0.1 alerts.delete "id 1" 1`,
		`machine m1 127.0.0.1 alerts.delete "all" 1`,
		`machine m2 127.0.0.1 machine.add "m2" 1`,
		`machine m1 127.0.0.1 machine.delete "m1" 1`,
		`bouncer b1@192.0.2.2 192.0.2.2 bouncer.add "b1@192.0.2.2" 1`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestPanicIsAnsweredAndKept(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "trace")
	f := newFixture(t, func(c *localapi.Config) {
		c.TraceDir = dir
		c.Profiles = profiles(t, "name: p\nfilters: ['true']\ndecisions: [{type: ban, duration: 1h}]\n")
	})
	m := f.machine("m1")
	f.store.panics = true
	f.expect(http.StatusInternalServerError, "", f.call("POST", "/v1/alerts", "["+alertJSON("1.1.1.1")+"]", m...))
	files, err := filepath.Glob(filepath.Join(dir, "lapi-*.txt"))
	if err != nil || len(files) != 1 {
		t.Fatalf("traces: %v, %v", files, err)
	}
	text := read(t, files[0])
	if !strings.Contains(text, "POST /v1/alerts\npanic: the store is broken\n") || !strings.Contains(text, "createAlerts") {
		t.Errorf("trace: %s", text)
	}
}
