package localapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi"
	"shieldwall/internal/localapi/store"
)

// allow puts values on a list, which it makes if it is not there.
func (f *fixture) allow(list string, items ...domain.AllowlistItem) {
	f.t.Helper()
	_, _ = f.store.CreateAllowlist(f.t.Context(), domain.Allowlist{Name: list, Description: "about " + list}) // or it is there
	if _, err := f.store.AddAllowlistItems(f.t.Context(), list, items); err != nil {
		f.t.Fatal(err)
	}
}

func item(value, comment string) domain.AllowlistItem {
	return domain.AllowlistItem{Value: value, Comment: comment}
}

func TestAllowlistsAreShownAsPublished(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m := f.machine("m1")
	f.expect(200, `[]`, f.call("GET", "/v1/allowlists", "", m...))
	f.allow("al1", item("1.2.3.0/24", "office"), domain.AllowlistItem{Value: "9.9.9.9", ExpiresAt: f.clock().Add(time.Hour)})
	f.allow("check")

	const head = `{"created_at":"2026-11-21T19:00:00.000Z","description":"about al1","items":[`
	const tail = `],"name":"al1","updated_at":"2026-11-21T19:00:00.000Z"}`
	const office = `{"created_at":"2026-11-21T19:00:00.000Z","description":"office","expiration":"0001-01-01T00:00:00.000Z","value":"1.2.3.0/24"}`
	const nine = `,{"created_at":"2026-11-21T19:00:00.000Z","expiration":"2026-11-21T20:00:00.000Z","value":"9.9.9.9"}`
	check := strings.ReplaceAll(head+tail, "al1", "check")
	for target, want := range map[string]string{
		"/v1/allowlists":                       "[" + head + tail + "," + check + "]",
		"/v1/allowlists?with_content=1":        "[" + head + tail + "," + check + "]",
		"/v1/allowlists?with_content=true":     "[" + head + office + nine + tail + "," + check + "]",
		"/v1/allowlists/al1":                   head + tail,
		"/v1/allowlists/al1?with_content=true": head + office + nine + tail,
		"/v1/allowlists/check":                 check,
	} {
		if w := f.call("GET", target, "", m...); w.Code != 200 || w.Body.String() != want {
			t.Errorf("%s: got %d %s\nwant %s", target, w.Code, w.Body, want)
		}
	}
	b := f.bouncer()
	f.expect(200, "["+head+office+nine+tail+","+check+"]", f.call("GET", "/v1/allowlists?with_content=true", "", b...))
	if w := f.call("GET", "/v1/allowlists/al1", "", b...); w.Code != 401 {
		t.Errorf("one list to a bouncer: %d", w.Code)
	}
	f.wait(time.Hour)
	m = []string{"Authorization", "Bearer " + f.token("m1")}
	f.expect(200, head+office+tail, f.call("GET", "/v1/allowlists/al1?with_content=true", "", m...))
	f.expect(404, `{"message":"allowlist 'none' not found"}`, f.call("GET", "/v1/allowlists/none", "", m...))
	f.expect(405, ``, f.call("HEAD", "/v1/allowlists/al1", "", m...))
	if w := f.call("GET", "/v1/allowlists", ""); w.Code != 401 {
		t.Errorf("without a token: %d", w.Code)
	}
}

func TestAllowlistsAreChecked(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m := f.machine("m1")
	f.allow("al1", item("1.2.3.0/24", "office"), item("2001:db8::/32", ""))
	f.allow("a", item("1.2.3.4", ""))
	for _, test := range []struct {
		method, target, body string
		status               int
		want                 string
	}{
		{"GET", "1.2.3.4", "", 200, `{"allowlisted":true,"reason":"1.2.3.4 from a, 1.2.3.0/24 from al1 (office)"}`},
		{"GET", "1.2.3.5", "", 200, `{"allowlisted":true,"reason":"1.2.3.0/24 from al1 (office)"}`},
		{"GET", "1.2.3.0%2F24", "", 200, `{"allowlisted":true,"reason":"1.2.3.4 from a, 1.2.3.0/24 from al1 (office)"}`},
		{"GET", "1.0.0.0%2F8", "", 200, `{"allowlisted":true,"reason":"1.2.3.4 from a, 1.2.3.0/24 from al1 (office)"}`},
		{"GET", "2001:db8::1", "", 200, `{"allowlisted":true,"reason":"2001:db8::/32 from al1"}`},
		{"GET", "8.8.8.8", "", 200, `{}`},
		{"GET", "1.2.3.0/24", "", 404, ``},
		{"HEAD", "1.2.3.4", "", 200, ``},
		{"HEAD", "8.8.8.8", "", 204, ``},
		{"HEAD", "bad", "", 400, `{"message":"invalid ip address 'bad'"}`}, // net/http drops the body
		{"GET", "bad", "", 400, `{"message":"invalid ip address 'bad'"}`},
		{"POST", "", `{"targets":["1.2.3.4","8.8.8.8","2001:db8::/48"]}`, 200, `{"results":[{"allowlists":["1.2.3.4 from a","1.2.3.0/24 from al1 (office)"],"target":"1.2.3.4"},{"allowlists":["2001:db8::/32 from al1"],"target":"2001:db8::/48"}]}`},
		{"POST", "", `{"targets":["8.8.8.8"]}`, 200, `{"results":[]}`},
		{"POST", "", `{"targets":["8.8.8.8","bad-apple"]}`, 400, `{"message":"invalid ip address 'bad-apple'"}`},
		{"POST", "", `{"targets":[]}`, 400, `{"message":"targets list cannot be empty"}`},
		{"POST", "", `{}`, 400, `{"message":"targets list cannot be empty"}`},
		{"POST", "", ``, 400, `{"message":"EOF"}`},
	} {
		target := strings.TrimSuffix("/v1/allowlists/check/"+test.target, "/")
		w := f.call(test.method, target, test.body, m...)
		if w.Code != test.status || w.Body.String() != test.want {
			t.Errorf("%s %s %s: got %d %s\nwant %d %s", test.method, test.target, test.body, w.Code, w.Body, test.status, test.want)
		}
	}
}

func TestAlertsAboutAllowlistedSourcesAreDropped(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m := f.machine("m1")
	f.allow("al1", item("1.2.3.0/24", "office"), domain.AllowlistItem{Value: "9.9.9.9", ExpiresAt: f.clock().Add(time.Hour)})
	body := strings.Join([]string{
		alertJSON("1.2.3.4"), alertJSON("5.5.5.5"), alertJSON("1.0.0.0/8", `"scope":"ip"`, `"scope":"RANGE"`),
		banJSON("1.2.3.4", "1h"), alertJSON("1.2.3.4", `"scope":"ip"`, `"scope":"username"`), alertJSON("nonsense"),
		alertJSON("9.9.9.9"),
	}, ",")
	f.expect(201, `["1","2","3"]`, f.call("POST", "/v1/alerts", "["+body+"]", m...))
	if log := f.log.String(); strings.Count(log, "alert dropped, its source is on an allowlist") != 3 ||
		!strings.Contains(log, `reason="1.2.3.0/24 from al1 (office)"`) {
		t.Errorf("log: %s", log)
	}
	f.wait(time.Hour) // that of 9.9.9.9 is over
	m = []string{"Authorization", "Bearer " + f.token("m1")}
	f.expect(201, `["4"]`, f.call("POST", "/v1/alerts", "["+alertJSON("9.9.9.9")+"]", m...))
}

// TestNewItemEndsDecisionsOfProfiles is about the moment between the change of a list by another process
// and the next look at it.
func TestNewItemEndsDecisionsOfProfiles(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(c *localapi.Config) {
		c.Profiles = profiles(t, "name: all\nfilters: ['true']\ndecisions: [{type: ban, duration: 4h}]\n")
	})
	m, b := f.machine("m1"), f.bouncer()
	for _, alert := range []string{
		alertJSON("1.2.3.4"), alertJSON("1.2.0.0/16", `"scope":"ip"`, `"scope":"Range"`), alertJSON("8.8.8.8"),
		banJSON("1.2.3.4", "1h"), alertJSON("1.2.3.4", `"simulated":false`, `"simulated":true`),
	} {
		if w := f.call("POST", "/v1/alerts", "["+alert+"]", m...); w.Code != 201 {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
	}
	f.call("GET", "/v1/decisions/stream?startup=true", "", b...)
	f.allow("al1", item("1.2.3.0/24", ""))
	f.call("GET", "/v1/allowlists/check/1.1.1.1", "", m...)
	found, err := f.store.Decisions(t.Context(), store.DecisionFilter{})
	if err != nil {
		t.Fatal(err)
	}
	var active []int64
	for _, decision := range found {
		if decision.Until.After(f.clock()) {
			active = append(active, decision.ID)
		}
	}
	if len(active) != 2 || active[0] != 3 || active[1] != 4 {
		t.Errorf("active: %v", active)
	}
	w := f.call("GET", "/v1/decisions/stream", "", b...)
	if body := w.Body.String(); strings.Contains(body, `8.8.8.8`) || !strings.Contains(body, `"deleted": [{`) || !strings.Contains(body, "1.2.0.0/16") {
		t.Errorf("stream: %s", body)
	}
}

// TestItemThatIsListedBeforeTheCommit is about a decision that nobody can find who would have to end it.
func TestItemThatIsListedBeforeTheCommit(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m, b := f.machine("m1"), f.bouncer()
	f.store.adding = func() {
		f.store.adding = nil
		f.allow("al1", item("1.2.3.0/24", ""))
		f.call("GET", "/v1/allowlists/check/1.1.1.1", "", m...) // takes note of it, and ends what there is
	}
	f.expect(201, `["1","2","3"]`, f.call("POST", "/v1/alerts",
		"["+alertJSON("1.2.3.4")+","+alertJSON("5.5.5.5")+","+banJSON("1.2.3.4", "1h")+"]", m...))
	if got := decisionIDs(f.call("GET", "/v1/decisions", "", b...).Body.String()); got != "2 3" {
		t.Errorf("active: %s", got)
	}
}

func TestAllowlistsStayInForceWhenTheStoreIsAway(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m := f.machine("m1")
	f.allow("al1", item("1.2.3.4", ""))
	f.expect(200, `{"allowlisted":true,"reason":"1.2.3.4 from al1"}`, f.call("GET", "/v1/allowlists/check/1.2.3.4", "", m...))
	f.store.setListsDown(true)
	f.expect(200, `{"allowlisted":true,"reason":"1.2.3.4 from al1"}`, f.call("GET", "/v1/allowlists/check/1.2.3.4", "", m...))
	if w := f.call("GET", "/v1/allowlists", "", m...); w.Code != http.StatusServiceUnavailable {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
