package localapi_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/wire"
)

// alertOf is what a log processor has in memory where alertJSON is what it sends.
func alertOf(t *testing.T, value string) *wire.Alert {
	t.Helper()
	var alert wire.Alert
	if err := json.Unmarshal([]byte(alertJSON(value)), &alert); err != nil {
		t.Fatal(err)
	}
	return &alert
}

// TestReceivedAlertsAreThoseOfRequests compares everything that anybody may look at.
func TestReceivedAlertsAreThoseOfRequests(t *testing.T) {
	t.Parallel()
	var seen [2]string
	for i, send := range []func(f *fixture, m []string){
		func(f *fixture, m []string) {
			f.expect(201, `["1","2"]`, f.call("POST", "/v1/alerts", "["+alertJSON("1.2.3.4")+","+alertJSON("2001:db8::1")+"]", m...))
		},
		func(f *fixture, _ []string) {
			alerts := []*wire.Alert{alertOf(t, "1.2.3.4"), alertOf(t, "2001:db8::1")}
			before, _ := json.Marshal(alerts)
			if err := f.server.Receive(t.Context(), f.token("m1"), alerts); err != nil {
				t.Error(err)
			}
			if after, _ := json.Marshal(alerts); !bytes.Equal(before, after) {
				t.Errorf("the sender's alerts became %s", after)
			}
		},
	} {
		f := newFixture(t)
		m := f.machine("m1")
		send(f, m)
		f.flush()
		machine, err := f.store.Machine(t.Context(), "m1")
		if err != nil || !machine.LastPush.Equal(f.clock()) {
			t.Errorf("last push %v, %v", machine.LastPush, err)
		}
		requests := f.requests()
		stored := masked(f.call("GET", "/v1/alerts", "", m...).Body.String())
		told := masked(f.call("GET", "/v1/decisions/stream?startup=true", "", f.bouncer()...).Body.String())
		seen[i] = strings.Join([]string{stored, told, requests, logged(f)}, "\n")
	}
	if seen[0] != seen[1] {
		t.Errorf("requests give\n%s\nother alerts give\n%s", seen[0], seen[1])
	}
	for _, want := range []string{storedAlert, `"value":"2001:db8::1"`, `cs_lapi_machine_requests_total{machine="m1",method="POST",route="/v1/alerts"} 1`, "alert stored"} {
		if !strings.Contains(seen[1], want) {
			t.Errorf("%s is not in %s", want, seen[1])
		}
	}
}

// requests are the counters of requests, as text.
func (f *fixture) requests() string {
	f.t.Helper()
	return strings.Join(slices.DeleteFunc(counts(f.t, f), func(line string) bool { return !strings.Contains(line, "_request") }), "\n")
}

func jsonOf(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// logged is what the log says of the first request, without what differs from one to the next.
func logged(f *fixture) string {
	text, _, _ := strings.Cut(f.log.String(), "method=GET")
	for _, varying := range []string{`time=\S+ `, `latency=\S+ `, `protocol=\S+ `, `user_agent=\S+ `} {
		text = regexp.MustCompile(varying).ReplaceAllString(text, "")
	}
	return text
}

func TestReceiveRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		prepare func(t *testing.T, f *fixture) (token string, alert *wire.Alert)
		kind    fault.Kind
		counted string // in the refusals
	}{
		"no token": {func(t *testing.T, _ *fixture) (string, *wire.Alert) {
			t.Helper()
			return "", alertOf(t, "1.2.3.4")
		}, fault.Unauthorized, "token"},
		"a token that has expired": {func(t *testing.T, f *fixture) (string, *wire.Alert) {
			t.Helper()
			token := f.token("m1")
			f.wait(2 * time.Hour)
			return token, alertOf(t, "1.2.3.4")
		}, fault.Unauthorized, "token"},
		"a machine that is not validated any more": {func(t *testing.T, f *fixture) (string, *wire.Alert) {
			t.Helper()
			if err := f.store.UpdateMachine(t.Context(), "m1", store.MachineChange{Validated: new(bool)}); err != nil {
				t.Fatal(err)
			}
			return f.token("m1"), alertOf(t, "1.2.3.4")
		}, fault.Unauthorized, "not_validated"},
		"a machine that is gone": {func(t *testing.T, f *fixture) (string, *wire.Alert) {
			t.Helper()
			if err := f.store.DeleteMachine(t.Context(), "m1"); err != nil {
				t.Fatal(err)
			}
			return f.token("m1"), alertOf(t, "1.2.3.4")
		}, fault.Unauthorized, "gone"},
		"a store that is away": {func(t *testing.T, f *fixture) (string, *wire.Alert) {
			t.Helper()
			f.store.setDown(true)
			return f.token("m1"), alertOf(t, "1.2.3.4")
		}, fault.Unavailable, ""},
		"an alert about nobody": {func(t *testing.T, f *fixture) (string, *wire.Alert) {
			t.Helper()
			alert := alertOf(t, "1.2.3.4")
			alert.Source = nil
			return f.token("m1"), alert
		}, fault.Internal, ""}, // a *wire.ValidationError
		"more text than a body may have": {func(t *testing.T, f *fixture) (string, *wire.Alert) {
			t.Helper()
			alert := alertOf(t, "1.2.3.4")
			alert.Message = strings.Repeat("x", 51<<20)
			return f.token("m1"), alert
		}, fault.TooLarge, ""},
		"a panic": {func(t *testing.T, f *fixture) (string, *wire.Alert) {
			t.Helper()
			f.store.panics = true
			return f.token("m1"), alertOf(t, "1.2.3.4")
		}, fault.Internal, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.machine("m1")
			token, alert := test.prepare(t, f)
			if err := f.server.Receive(t.Context(), token, []*wire.Alert{alertOf(t, "4.3.2.1"), alert}); !fault.Is(err, test.kind) {
				t.Errorf("error %v, want %v", err, test.kind)
			}
			found, err := f.store.Alerts(t.Context(), store.AlertFilter{})
			if err != nil || len(found) != 0 {
				t.Errorf("%d alerts stored, %v", len(found), err)
			}
			all := strings.Join(counts(t, f), "\n")
			if test.counted != "" && !strings.Contains(all, `cs_lapi_refusals_total{reason="`+test.counted+`",side="agent"} 1`) {
				t.Errorf("no refusal was counted: %s", all)
			}
			if !strings.Contains(all, `cs_lapi_route_requests_total{method="POST",route="/v1/alerts"} 1`) {
				t.Errorf("the call was not counted: %s", all)
			}
		})
	}
}

func TestReceiveStoresAUUIDOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m := f.machine("m1")
	alert := alertOf(t, "1.2.3.4")
	alert.UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
	for range 2 {
		if err := f.server.Receive(t.Context(), f.token("m1"), []*wire.Alert{alert}); err != nil {
			t.Fatal(err)
		}
	}
	f.expect(201, `["1"]`, f.call("POST", "/v1/alerts", "["+string(jsonOf(t, alert))+"]", m...))
	found, err := f.store.Alerts(t.Context(), store.AlertFilter{})
	if err != nil || len(found) != 1 || found[0].MachineID != "m1" || found[0].Source.Scope != domain.ScopeIP {
		t.Errorf("stored %+v, %v", found, err)
	}
}

func TestListensAt(t *testing.T) {
	t.Parallel()
	const socket, other = "DIR/lapi.sock", "DIR/./lapi.sock"
	for listen, urls := range map[string]map[string]bool{
		"127.0.0.1:0": {
			"http://127.0.0.1:PORT": true, "https://127.0.0.1:PORT/": true, "http://127.0.0.1:PORT/api/": true, socket: true,
			other: true, "http://[::ffff:127.0.0.1]:PORT/": true,
			"http://127.0.0.2:PORT/": false, "http://127.0.0.1:1/": false, "http://127.0.0.1/": false, "http://[::1]:PORT/": false,
			"http://localhost:PORT/": false, "http://192.0.2.1:PORT/": false, socket + "x": false, "": false, "%": false,
		},
		"0.0.0.0:0": {
			"http://127.0.0.1:PORT": true, "http://127.0.0.9:PORT": true, "http://192.0.2.1:PORT": false,
		},
		"[::]:0": {"http://127.0.0.1:PORT": true, "http://[::1]:PORT/": true, "http://[2001:db8::1]:PORT/": false},
	} {
		dir := t.TempDir()
		f := newFixture(t, func(cfg *localapi.Config) { cfg.Listen, cfg.Socket = listen, filepath.Join(dir, "lapi.sock") })
		if f.server.ListensAt(filepath.Join(dir, "lapi.sock")) {
			t.Error("it listens before Listen")
		}
		serve(t, f.server)
		_, port, _ := strings.Cut(strings.TrimPrefix(f.server.Addr().String(), "[::]"), ":")
		for url, want := range urls {
			if got := f.server.ListensAt(strings.NewReplacer("PORT", port, "DIR", dir).Replace(url)); got != want {
				t.Errorf("listening on %s, %s: %v", listen, url, got)
			}
		}
	}
}
