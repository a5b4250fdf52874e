package localapi_test

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi"
	"shieldwall/internal/localapi/store"
)

func prefixes(texts ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

// seed stores five decisions: an address, a range, a country, a simulated address and an address of a list.
func seed(t *testing.T, f *fixture, m []string) {
	t.Helper()
	one := func(scope, value, kind, origin, scenario string) string {
		return withDecisions(value, `{"duration":"1h","origin":"`+origin+`","scenario":"`+scenario+`","scope":"`+scope+`","type":"`+kind+`","value":"`+value+`"}`)
	}
	body := "[" + strings.Join([]string{
		one("ip", "1.2.3.4", "ban", "crowdsec", "acme/SSH-bf"),
		one("range", "10.0.0.0/24", "captcha", "cscli", "acme/http-scan"),
		one("country", "FR", "ban", "cscli", "manual"),
		strings.Replace(one("ip", "6.6.6.6", "ban", "crowdsec", "acme/ssh-bf"), `"simulated":false`, `"simulated":true`, 1),
		one("ip", "2001:db8::1", "ban", "lists", "tor"),
	}, ",") + "]"
	f.expect(201, `["1","2","3","4","5"]`, f.call("POST", "/v1/alerts", body, m...))
}

func decisionIDs(body string) string {
	var ids []string
	for _, part := range strings.Split(body, `,"id":`)[1:] {
		id, _, _ := strings.Cut(part, ",")
		ids = append(ids, id)
	}
	return strings.Join(ids, " ")
}

func TestLiveQueries(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m, b := f.machine("m1"), f.bouncer()
	seed(t, f, m)
	for query, want := range map[string]string{
		"":                                  "1 2 3 5",
		"ip=1.2.3.4":                        "1",
		"ip=::ffff:1.2.3.4":                 "1",
		"ip=10.0.0.9":                       "2",
		"range=10.0.0.0/8":                  "",
		"range=10.0.0.0/8&contains=false":   "2",
		"ip=2001:db8::1&banned=true":        "5",
		"ip=9.9.9.9":                        "",
		"ip=":                               "1 2 3 5",
		"contains=":                         "1 2 3 5",
		"scope=country":                     "3",
		"scopes=COUNTRY,as":                 "3",
		"scopes=ip&scope=country":           "",
		"scopes=":                           "1 2 3 5",
		"value=FR":                          "3",
		"value=fr":                          "",
		"type=captcha":                      "2",
		"origins=cscli,lists":               "2 3 5",
		"origins=":                          "1 2 3 5",
		"scenarios_containing=ssh,TOR":      "1 5",
		"scenarios_containing=":             "1 2 3 5",
		"scenarios_not_containing=ACME":     "3 5",
		"scenarios_not_containing=":         "1 2 3 5",
		"simulated=false":                   "1 2 3 5",
		"simulated=":                        "1 2 3 5",
		"simulated=1":                       "1 2 3 4 5",
		"limit=2":                           "1 2",
		"limit=2&offset=1":                  "2 3",
		"id_gt=2":                           "3 5",
		"offset=99":                         "",
		"id_gt=99":                          "",
		"foo=bar":                           "1 2 3 5",
		"value=1.2.3.4&type=captcha":        "",
		"scopes=ip&ip=10.0.0.9":             "",
		"scenarios_containing=ssh&limit=10": "1",
	} {
		w := f.call("GET", "/v1/decisions?"+query, "", b...)
		if got := decisionIDs(w.Body.String()); w.Code != 200 || got != want {
			t.Errorf("%s: got %d [%s], want [%s]", query, w.Code, got, want)
		}
		if want == "" && w.Body.String() != "null" {
			t.Errorf("%s: got %s, want null", query, w.Body)
		}
		head := f.call("HEAD", "/v1/decisions?"+query, "", b...)
		if head.Code != 200 || head.Body.Len() != 0 {
			t.Errorf("HEAD %s: %d %s", query, head.Code, head.Body)
		}
	}
	f.wait(6*time.Minute + 9*time.Second + 600*time.Millisecond)
	w := f.call("GET", "/v1/decisions?ip=1.2.3.4", "", b...)
	f.expect(200, `[{"duration":"53m50s","id":1,"origin":"crowdsec","scenario":"acme/SSH-bf","scope":"Ip","type":"ban","value":"1.2.3.4"}]`, w)
	if got := w.Header().Get("Content-Type"); got != "application/json; charset=utf-8" {
		t.Errorf("content type %q", got)
	}
	f.wait(time.Hour)
	f.expect(200, "null", f.call("GET", "/v1/decisions", "", b...))
}

func TestBadDecisionRequests(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m, b := f.machine("m1"), f.bouncer()
	seed(t, f, m)
	for _, test := range []struct {
		method, target string
		who            []string
		status         int
		want           string
	}{
		{"GET", "/v1/decisions?ip=xx", b, 400, `{"message":"invalid ip address or range 'xx'"}`},
		{"HEAD", "/v1/decisions?ip=xx", b, 400, `{"message":"invalid ip address or range 'xx'"}`},
		{"GET", "/v1/decisions?ip=%zz", b, 400, `{"message":"reading the parameters: invalid URL escape \"%zz\""}`},
		{"GET", "/v1/decisions?contains=x", b, 400, `{"message":"parameter 'contains' is not a bool (=x): invalid filter"}`},
		{"GET", "/v1/decisions?limit=x", b, 400, `{"message":"parameter 'limit' is not a number of zero or more (=x): invalid filter"}`},
		{"GET", "/v1/decisions?offset=-1", b, 400, `{"message":"parameter 'offset' is not a number of zero or more (=-1): invalid filter"}`},
		{"GET", "/v1/decisions?id_gt=x", b, 400, `{"message":"parameter 'id_gt' is not a number of zero or more (=x): invalid filter"}`},
		{"GET", "/v1/decisions/stream?ip=zzz", b, 400, `{"message":"invalid ip address or range 'zzz'"}`},
		{"GET", "/v1/decisions", m, 403, `{"message":"access forbidden"}`},
		{"GET", "/v1/decisions", []string{"X-Api-Key", "wrong"}, 403, `{"message":"access forbidden"}`},
		{"HEAD", "/v1/decisions", []string{"X-Api-Key", "wrong"}, 403, `{"message":"access forbidden"}`},
		{"HEAD", "/v1/decisions", []string{"X-Api-Key", ""}, 403, `{"message":"access forbidden"}`},
		{"GET", "/v1/decisions/stream", nil, 403, `{"message":"access forbidden"}`},
		{"DELETE", "/v1/decisions", b, 401, `{"code":401,"message":"cookie token is empty"}`},
		{"DELETE", "/v1/decisions?foo=1", m, 400, `{"message":"'foo' doesn't exist: invalid filter"}`},
		{"DELETE", "/v1/decisions?ip=", m, 400, `{"message":"filter parameter 'ip' is empty: invalid filter"}`},
		{"DELETE", "/v1/decisions?ip=%zz", m, 400, `{"message":"reading the parameters: invalid URL escape \"%zz\""}`},
		{"DELETE", "/v1/decisions?ip=x", m, 400, `{"message":"invalid ip address or range 'x'"}`},
		{"DELETE", "/v1/decisions?scope=Ip&scopes=Range", m, 400, `{"message":"scope and scopes exclude each other: invalid filter"}`},
		{"DELETE", "/v1/decisions/x", m, 400, `{"message":"decision_id 'x' is not an integer"}`},
		{"DELETE", "/v1/decisions/9999", m, 404, `{"message":"decision with id '9999' doesn't exist: unable to delete"}`},
	} {
		w := f.call(test.method, test.target, "", test.who...)
		if w.Code != test.status || w.Body.String() != test.want {
			t.Errorf("%s %s: got %d %s\nwant %d %s", test.method, test.target, w.Code, w.Body, test.status, test.want)
		}
	}
	if w := f.call("GET", "/v1/decisions", "", b...); decisionIDs(w.Body.String()) != "1 2 3 5" {
		t.Errorf("something was deleted: %s", w.Body)
	}
}

func TestExpireDecisions(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"":                                "5",
		"ip=10.0.0.9":                     "1",
		"range=10.0.0.0/8":                "0",
		"range=10.0.0.0/8&contains=false": "1",
		"scopes=Ip":                       "3",
		"scope=Ip":                        "3",
		"value=FR":                        "1",
		"type=captcha":                    "1",
		"origin=crowdsec":                 "2",
		"scenario=tor":                    "1",
		"uuid=none&uuid=neither":          "0",
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			m := f.machine("m1")
			seed(t, f, m)
			f.expect(200, `{"nbDeleted":"`+want+`"}`, f.callFrom("8.8.8.8:1", "DELETE", "/v1/decisions?"+query, "", m...))
			f.expect(200, `{"nbDeleted":"0"}`, f.call("DELETE", "/v1/decisions?"+query, "", m...))
		})
	}
}

func TestExpireOneDecisionEvenTwice(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m, b := f.machine("m1"), f.bouncer()
	seed(t, f, m)
	f.call("GET", "/v1/decisions/stream?startup=true", "", b...)
	const gone = `{"new": [], "deleted": [{"duration":"0s","id":1,"origin":"crowdsec","scenario":"acme/SSH-bf","scope":"Ip","type":"ban","uuid":"U","value":"1.2.3.4"}]}`
	for range 2 {
		f.wait(10 * time.Second)
		f.expect(200, `{"nbDeleted":"1"}`, f.call("DELETE", "/v1/decisions/1", "", m...))
		if got := masked(f.call("GET", "/v1/decisions/stream", "", b...).Body.String()); got != gone {
			t.Errorf("got %s\nwant %s", got, gone)
		}
	}
}

func TestStream(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m, b := f.machine("m1"), f.bouncer()
	f.expect(200, `{"new": [], "deleted": []}`, f.call("GET", "/v1/decisions/stream?startup=true", "", b...))
	seed(t, f, m)
	w := f.call("GET", "/v1/decisions/stream", "", b...)
	const first = `{"duration":"1h0m0s","id":1,"origin":"crowdsec","scenario":"acme/SSH-bf","scope":"Ip","type":"ban","uuid":"U","value":"1.2.3.4"}`
	want := `{"new": [` + first +
		`,{"duration":"1h0m0s","id":2,"origin":"cscli","scenario":"acme/http-scan","scope":"Range","type":"captcha","uuid":"U","value":"10.0.0.0/24"}` +
		`,{"duration":"1h0m0s","id":5,"origin":"lists","scenario":"tor","scope":"Ip","type":"ban","uuid":"U","value":"2001:db8::1"}], "deleted": []}`
	if got := masked(w.Body.String()); w.Code != 200 || got != want {
		t.Errorf("got %d %s\nwant %s", w.Code, got, want)
	}
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("content type %q", got)
	}
	f.wait(10 * time.Second)
	f.expect(200, `{"new": [], "deleted": []}`, f.call("GET", "/v1/decisions/stream?startup=TRUE&additional_pull=false&community_pull=false&offset=3", "", b...))
	if w := f.call("GET", "/v1/decisions/stream?startup=true&offset=3", "", b...); decisionIDs(w.Body.String()) != "1 2 5" {
		t.Errorf("startup: %s", w.Body)
	}
	for query, want := range map[string]string{
		"scopes=ip":                  "1 5",
		"scopes=ip,country":          "1 3 5",
		"scope=country":              "",
		"scopes=":                    "1 2 5",
		"origins=lists":              "5",
		"simulated=yes":              "1 2 4 5",
		"scenarios_not_containing=/": "5",
		"ip=10.0.0.1":                "2",
		"scopes=ip,range&scenarios_containing=&scenarios_not_containing=&origins=": "1 2 5",
	} {
		w := f.call("GET", "/v1/decisions/stream?startup=true&"+query, "", b...)
		if got := decisionIDs(w.Body.String()); got != want {
			t.Errorf("%s: got [%s], want [%s]", query, got, want)
		}
	}
	f.wait(time.Hour)
	if w := f.call("GET", "/v1/decisions/stream", "", b...); !strings.HasPrefix(w.Body.String(), `{"new": [], "deleted": [{"duration":"-10s","id":1,`) ||
		decisionIDs(w.Body.String()) != "1 2 5" {
		t.Errorf("expiries: %s", w.Body)
	}
}

func TestStreamTellsTheLongestUnlessAskedNotTo(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m, b := f.machine("m1"), f.bouncer()
	f.call("POST", "/v1/alerts", "["+banJSON("1.1.1.1", "1h")+","+banJSON("1.1.1.1", "3h")+","+banJSON("1.1.1.1", "2h")+"]", m...)
	for query, want := range map[string]string{"": "2", "&dedup=false": "1 2 3", "&dedup=no": "2"} {
		if w := f.call("GET", "/v1/decisions/stream?startup=true"+query, "", b...); decisionIDs(w.Body.String()) != want {
			t.Errorf("%q: got %s, want ids %s", query, w.Body, want)
		}
	}
	f.wait(time.Minute)
	f.call("DELETE", "/v1/decisions/2", "", m...)
	w := f.call("GET", "/v1/decisions/stream", "", b...)
	if !strings.HasPrefix(w.Body.String(), `{"new": [{"duration":"1h59m0s","id":3,`) || !strings.Contains(w.Body.String(), `"deleted": [{"duration":"0s","id":2,`) {
		t.Errorf("got %s", w.Body)
	}
}

func theBouncer(t *testing.T, f *fixture) domain.Bouncer {
	t.Helper()
	f.flush()
	rows, err := f.store.Bouncers(t.Context(), store.BouncerFilter{Name: "b1"})
	if err != nil || len(rows) != 1 {
		t.Fatalf("%d bouncers, %v", len(rows), err)
	}
	return rows[0]
}

func TestCursorMovesOnlyAfterSuccess(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m, b := f.machine("m1"), f.bouncer()
	seed(t, f, m)
	for _, target := range []string{"/v1/decisions/stream?ip=zzz", "/v1/decisions/stream?contains=x"} {
		f.call("GET", target, "", b...)
	}
	f.call("HEAD", "/v1/decisions/stream", "", b...)
	if row := theBouncer(t, f); row.Cursor != 0 || !row.LastPull.IsZero() {
		t.Errorf("cursor %d, last pull %v after failures", row.Cursor, row.LastPull)
	}
	cut := func() {
		defer func() {
			if err, _ := recover().(error); !errors.Is(err, http.ErrAbortHandler) {
				t.Error("a broken stream did not cut the connection")
			}
		}()
		r, _ := http.NewRequestWithContext(t.Context(), "GET", "/v1/decisions/stream", nil)
		r.RemoteAddr = "127.0.0.1:4000"
		r.Header.Set(b[0], b[1])
		f.server.Handler().ServeHTTP(&brokenWriter{header: http.Header{}}, r)
	}
	cut()
	if row := theBouncer(t, f); row.Cursor != 0 || !row.LastPull.IsZero() {
		t.Errorf("cursor %d, last pull %v after a cut answer", row.Cursor, row.LastPull)
	}
	f.call("GET", "/v1/decisions/stream", "", b...)
	if row := theBouncer(t, f); row.Cursor != 5 || !row.LastPull.Equal(f.clock()) {
		t.Errorf("cursor %d, last pull %v after success", row.Cursor, row.LastPull)
	}
	f.wait(10 * time.Second)
	f.call("GET", "/v1/decisions/stream", "", b...)
	if row := theBouncer(t, f); row.Cursor != 5 || !row.LastPull.Equal(f.clock()) {
		t.Errorf("cursor %d, last pull %v after an idle poll", row.Cursor, row.LastPull)
	}
}

// brokenWriter is a connection that the client has closed.
type brokenWriter struct{ header http.Header }

func (w *brokenWriter) Header() http.Header       { return w.header }
func (w *brokenWriter) WriteHeader(int)           {}
func (w *brokenWriter) Write([]byte) (int, error) { return 0, http.ErrHandlerTimeout }

func TestStreamSurvivesARestart(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m, b := f.machine("m1"), f.bouncer()
	seed(t, f, m)
	f.call("GET", "/v1/decisions/stream?startup=true", "", b...)
	f.wait(30 * time.Second)
	f.call("DELETE", "/v1/decisions/1", "", m...)
	f.call("POST", "/v1/alerts", "["+banJSON("7.7.7.7", "1h")+"]", m...)
	f.flush()
	f.server = f.start()
	w := f.call("GET", "/v1/decisions/stream", "", b...)
	if got := decisionIDs(w.Body.String()); got != "6 1" {
		t.Errorf("got %s", w.Body)
	}
}

func TestLivePullIsNoted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.bouncer()
	f.call("GET", "/v1/decisions", "", b...)
	first := f.clock()
	if row := theBouncer(t, f); !row.LastPull.Equal(first) {
		t.Errorf("last pull %v, want %v", row.LastPull, first)
	}
	f.wait(time.Second)
	f.call("HEAD", "/v1/decisions", "", b...)
	if row := theBouncer(t, f); !row.LastPull.Equal(first) {
		t.Errorf("last pull %v after HEAD, want %v", row.LastPull, first)
	}
	f.call("GET", "/v1/decisions", "", b...)
	if row := theBouncer(t, f); !row.LastPull.Equal(f.clock()) {
		t.Errorf("last pull %v, want %v", row.LastPull, f.clock())
	}
}

func TestLiveQueryLeavesTheStreamAlone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m, b := f.machine("m1"), f.bouncer()
	f.call("POST", "/v1/alerts", "["+banJSON("1.1.1.1", "30s")+"]", m...)
	f.call("GET", "/v1/decisions/stream", "", b...)
	f.wait(2 * time.Minute)
	f.call("GET", "/v1/decisions", "", b...)
	f.wait(time.Minute)
	if w := f.call("GET", "/v1/decisions/stream", "", b...); decisionIDs(w.Body.String()) != "1" {
		t.Errorf("the expiry was lost: %s", w.Body)
	}
}

func TestSharedKeys(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.bouncer()
	names := func() string {
		rows, err := f.store.Bouncers(t.Context(), store.BouncerFilter{})
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, row := range rows {
			list = append(list, row.Name+" "+row.IPAddress+" "+row.Type+" "+row.Version)
		}
		return strings.Join(list, ", ")
	}
	f.callFrom("10.0.0.1:1", "HEAD", "/v1/decisions", "", b...)
	if got, want := names(), "b1   "; got != want {
		t.Errorf("after HEAD: %q, want %q", got, want)
	}
	f.callFrom("10.0.0.1:1", "GET", "/v1/decisions", "", append(b, "User-Agent", "firewall/v1")...)
	f.callFrom("10.0.0.2:1", "GET", "/v1/decisions", "", append(b, "User-Agent", "strange agent")...)
	f.callFrom("[2001:db8::1]:1", "GET", "/v1/decisions", "", append(b, "User-Agent", "a/b/c")...)
	want := "b1 10.0.0.1 firewall v1, b1@10.0.0.2 10.0.0.2 strange agent N/A, b1@2001:db8::1 2001:db8::1 a/b/c N/A"
	if got := names(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	f.callFrom("10.0.0.2:7", "GET", "/v1/decisions", "", append(b, "User-Agent", "strange/2")...)
	if got := names(); !strings.Contains(got, "b1@10.0.0.2 10.0.0.2 strange 2,") {
		t.Errorf("got %q", got)
	}
}

func TestClientAddressNamesTheBouncer(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		change  func(*localapi.Config)
		headers []string
		want    string
	}{
		{"headers are not believed", func(*localapi.Config) {}, []string{"X-Forwarded-For", "9.9.9.9"}, "10.0.0.1"},
		{"believed from anybody", func(c *localapi.Config) { c.UseForwardedFor = true }, []string{"X-Forwarded-For", "9.9.9.9, 8.8.8.8"}, "9.9.9.9"},
		{
			"from the right, past trusted ones", func(c *localapi.Config) { c.TrustedProxies = prefixes("10.0.0.0/8") },
			[]string{"X-Forwarded-For", "1.1.1.1, 9.9.9.9, 10.9.9.5"},
			"9.9.9.9",
		},
		{"untrusted peer", func(c *localapi.Config) { c.TrustedProxies = prefixes("192.0.2.0/24") }, []string{"X-Forwarded-For", "9.9.9.9"}, "10.0.0.1"},
		{"second header", func(c *localapi.Config) { c.UseForwardedFor = true }, []string{"X-Real-Ip", "9.9.9.9"}, "9.9.9.9"},
		{"nonsense", func(c *localapi.Config) { c.UseForwardedFor = true }, []string{"X-Forwarded-For", "nobody", "X-Real-Ip", ""}, "10.0.0.1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, test.change)
			b := f.bouncer()
			f.callFrom("10.0.0.1:1", "GET", "/v1/decisions", "", append(b, test.headers...)...)
			if got := theBouncer(t, f).IPAddress; got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
