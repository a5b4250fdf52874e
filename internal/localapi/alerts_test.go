package localapi_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi"
	"shieldwall/internal/localapi/store"
)

const storedAlert = `{"capacity":5,"created_at":"2026-11-21T19:00:00Z","decisions":[{"duration":"4h0m0s","id":1,"origin":"crowdsec","scenario":"acme/ssh-bf","scope":"Ip","simulated":false,"type":"ban","value":"1.2.3.4"}],"events":[{"meta":[{"key":"source_ip","value":"1.2.3.4"},{"key":"log_type","value":"ssh_failed-auth"}],"timestamp":"2026-11-21 18:04:00 +0000 UTC"}],"events_count":6,"id":1,"kind":"crowdsec","labels":null,"leakspeed":"10s","machine_id":"m1","message":"Ip 1.2.3.4 performed x","meta":[{"key":"target_user","value":"[\"root\"]"}],"remediation":true,"scenario":"acme/ssh-bf","scenario_hash":"abc","scenario_version":"0.1","simulated":false,"source":{"as_name":"FOO","as_number":"123","cn":"FR","ip":"1.2.3.4","latitude":48.5,"longitude":2.25,"range":"1.2.3.0/24","scope":"Ip","value":"1.2.3.4"},"start_at":"2026-11-21T18:59:00Z","stop_at":"2026-11-21T19:00:00Z","uuid":"U"}`

func TestAlertGoesInAndComesOutAsPublished(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m := f.machine("m1")
	f.expect(201, `["1"]`, f.call("POST", "/v1/alerts", "["+alertJSON("1.2.3.4")+"]", m...))

	w := f.call("GET", "/v1/alerts/1", "", m...)
	if got := masked(w.Body.String()); w.Code != 200 || got != storedAlert {
		t.Errorf("got %d %s\nwant %s", w.Code, got, storedAlert)
	}
	if got := w.Header().Get("Content-Type"); got != "application/json; charset=utf-8" {
		t.Errorf("content type %q", got)
	}
	w = f.call("GET", "/v1/alerts", "", m...)
	if got := masked(w.Body.String()); w.Code != 200 || got != "["+storedAlert+"]" {
		t.Errorf("got %d %s\nwant [%s]", w.Code, got, storedAlert)
	}
	for _, path := range []string{"/v1/alerts", "/v1/alerts/1"} {
		w = f.call("HEAD", path, "", m...)
		if w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("HEAD %s: %d %q %v", path, w.Code, w.Body, w.Header())
		}
	}
	if err := f.store.DeleteMachine(t.Context(), "m1"); err != nil {
		t.Fatal(err)
	}
	w = f.call("GET", "/v1/alerts/1", "", f.machine("m2")...)
	if !strings.Contains(w.Body.String(), `"machine_id":"N/A"`) {
		t.Errorf("alert without owner: %s", w.Body)
	}
}

func TestCreateAlerts(t *testing.T) {
	t.Parallel()
	decision := func(value, more string) string {
		return `{"duration":"1h","origin":"cscli","scenario":"s","scope":"ip","type":"ban","value":"` + value + `"` + more + `}`
	}
	for _, test := range []struct {
		name, body string
		status     int
		want       string
	}{
		{"none", "[]", 201, `[]`},
		{"null", "null", 201, `[]`},
		{"two", "[" + alertJSON("1.1.1.1") + "," + alertJSON("2.2.2.2") + "]", 201, `["1","2"]`},
		{"not remediated", "[" + alertJSON("1.1.1.1", `"remediation":true`, `"remediation":false`) + "]", 201, `["1"]`},
		{"bad times", "[" + alertJSON("1.1.1.1", "2026-11-21T18:59:00.527Z", "yesterday") + "]", 201, `["1"]`},
		{"no address is left of the decisions", "[" + withDecisions("x", decision("nonsense", "")) + "," + alertJSON("3.3.3.3") + "]", 201, `["1"]`},
		{"one address is left", "[" + withDecisions("x", decision("nonsense", "")+","+decision("9.9.9.0/24", "")) + "]", 201, `["1"]`},
		{"born expired", "[" + banJSON("1.1.1.1", "-1h") + "]", 201, `["1"]`},
		{"empty", "", 400, `{"message":"EOF"}`},
		{"no json", "x", 400, `{"message":"invalid character 'x' looking for beginning of value"}`},
		{"cut", "[" + alertJSON("1.1.1.1"), 400, `{"message":"unexpected EOF"}`},
		{"object", "{}", 400, `{"message":"the body is not an array of alerts"}`},
		{"wrong type", `[{"capacity":"x"}]`, 400, ``},
		{
			"missing fields", `[{"simulated":false,"source":{"scope":"Ip"},"events":[{}],"decisions":[{"type":"ban"}]}]`, 422,
			`{"message":"validation failure list:\n0.capacity in body is required\n0.decisions.0.duration in body is required\n` +
				`0.decisions.0.origin in body is required\n0.decisions.0.scenario in body is required\n` +
				`0.decisions.0.scope in body is required\n0.decisions.0.value in body is required\n` +
				`0.events.0.meta in body is required\n0.events.0.timestamp in body is required\n` +
				`0.events_count in body is required\n0.leakspeed in body is required\n0.message in body is required\n` +
				`0.scenario in body is required\n0.scenario_hash in body is required\n0.scenario_version in body is required\n` +
				`0.source.value in body is required\n0.start_at in body is required\n0.stop_at in body is required"}`,
		},
		{
			"events null", "[" + alertJSON("1.1.1.1") + "," + strings.Replace(alertJSON("1.1.1.1"), `"events":[`, `"events":null,"x":[`, 1) + "]", 422,
			`{"message":"validation failure list:\n1.events in body is required"}`,
		},
		{"null alert", "[null]", 422, `{"message":"validation failure list:\n0 in body is required"}`},
		{
			"bad duration", "[" + alertJSON("1.1.1.1") + "," + banJSON("2.2.2.2", "1x") + "]", 400,
			`{"message":"alert 1: decision duration '1x': time: unknown unit \"x\" in duration \"1x\""}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			m := f.machine("m1")
			w := f.call("POST", "/v1/alerts", test.body, m...)
			if w.Code != test.status || test.want != "" && w.Body.String() != test.want {
				t.Errorf("got %d %s\nwant %d %s", w.Code, w.Body, test.status, test.want)
			}
			if test.status != 201 {
				f.expect(200, "null", f.call("GET", "/v1/alerts", "", m...))
			}
		})
	}
}

func TestAlertIsStoredOnceByItsUUID(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m := f.machine("m1")
	const id = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
	known := alertJSON("1.1.1.1", `{"capacity"`, `{"uuid":"`+id+`","capacity"`)
	f.expect(201, `["1"]`, f.call("POST", "/v1/alerts", "["+known+"]", m...))
	f.expect(201, `["1"]`, f.call("POST", "/v1/alerts", "["+known+"]", m...))
	strange := alertJSON("1.1.1.1", `{"capacity"`, `{"uuid":"mine","capacity"`)
	f.expect(201, `["2","3"]`, f.call("POST", "/v1/alerts", "["+strange+","+strange+"]", m...))
	if w := f.call("GET", "/v1/alerts/1", "", m...); !strings.Contains(w.Body.String(), `"uuid":"`+id+`"`) {
		t.Errorf("uuid not kept: %s", w.Body)
	}
	if w := f.call("GET", "/v1/alerts/2", "", m...); strings.Contains(w.Body.String(), `"mine"`) {
		t.Errorf("strange uuid kept: %s", w.Body)
	}
}

func TestRemainingDurationsOfAlerts(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m := f.machine("m1")
	f.expect(201, `["1"]`, f.call("POST", "/v1/alerts", "["+banJSON("1.1.1.1", "1d1h")+"]", m...))
	for _, step := range []struct {
		wait time.Duration
		want string
	}{{0, "25h0m0s"}, {90 * time.Minute, "23h30m0s"}, {23*time.Hour + 30*time.Minute, "0s"}, {time.Hour + time.Second, "-1h0m1s"}} {
		f.wait(step.wait)
		w := f.call("GET", "/v1/alerts/1", "", "Authorization", "Bearer "+f.token("m1"))
		if !strings.Contains(w.Body.String(), `"duration":"`+step.want+`"`) {
			t.Errorf("want %s in %s", step.want, w.Body)
		}
	}
}

func TestPushIsNoted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m := f.machine("m1")
	f.wait(time.Minute)
	f.expect(201, `["1"]`, f.call("POST", "/v1/alerts", "["+alertJSON("1.1.1.1")+"]", m...))
	f.flush()
	machine, err := f.store.Machine(t.Context(), "m1")
	if err != nil || !machine.LastPush.Equal(f.clock()) {
		t.Errorf("last push %v, %v", machine.LastPush, err)
	}
}

func TestListAlerts(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m := f.machine("m1")
	post := func(alert string) {
		if w := f.call("POST", "/v1/alerts", "["+alert+"]", m...); w.Code != 201 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	post(alertJSON("1.1.1.1"))
	f.wait(time.Minute)
	post(withDecisions("2.2.2.0/24", `{"duration":"1h","origin":"CAPI","scenario":"list","scope":"range","type":"captcha","value":"2.2.2.0/24"}`))
	f.wait(time.Minute)
	post(alertJSON("3.3.3.3", `"remediation":true`, `"remediation":false`, `"simulated":false`, `"simulated":true`, `"kind":"crowdsec"`, `"kind":"waf"`,
		"2026-11-21T18:59:00.527Z", "2026-11-21T16:00:00Z"))
	for query, want := range map[string]string{
		"":                                   "3 2 1",
		"sort=ASC":                           "1 2 3",
		"sort=sideways":                      "3 2 1",
		"limit=2":                            "3 2",
		"limit=0":                            "3 2 1",
		"scope=ip":                           "3 2 1",
		"scope=Country":                      "",
		"value=1.1.1.1":                      "1",
		"value=":                             "3 2 1",
		"scenario=list":                      "2",
		"scenario=acme/ssh-bf":               "3 2 1",
		"ip=2.2.2.7":                         "2",
		"range=2.2.0.0/16":                   "",
		"range=2.2.0.0/16&contains=false":    "2",
		"since=2h":                           "2 1",
		"since=1d":                           "3 2 1",
		"until=2h":                           "3",
		"created_before=1m30s":               "1",
		"simulated=false":                    "2 1",
		"simulated=true":                     "3 2 1",
		"has_active_decision=true":           "2 1",
		"has_active_decision=false":          "3",
		"decision_type=captcha":              "2",
		"origin=CAPI":                        "2",
		"origin=CAPI&include_capi=false":     "2",
		"include_capi=false":                 "3 1",
		"include_capi=perhaps":               "3 2 1",
		"kind=waf":                           "3",
		"with_decisions=false&value=1.1.1.1": "1",
	} {
		w := f.call("GET", "/v1/alerts?"+query, "", m...)
		if got := alertIDs(w.Body.String()); w.Code != 200 || got != want {
			t.Errorf("%s: got %d [%s], want [%s]", query, w.Code, got, want)
		}
		if want == "" && w.Body.String() != "null" {
			t.Errorf("%s: got %s, want null", query, w.Body)
		}
	}
	if w := f.call("GET", "/v1/alerts?with_decisions=false&limit=1", "", m...); !strings.Contains(w.Body.String(), `"decisions":null`) {
		t.Errorf("decisions were loaded: %s", w.Body)
	}
}

// alertIDs returns the ids of alerts in an answer, in order.
func alertIDs(body string) string {
	var ids []string
	for _, part := range strings.Split(body, `"events_count":6,"id":`)[1:] {
		id, _, _ := strings.Cut(part, ",")
		ids = append(ids, id)
	}
	return strings.Join(ids, " ")
}

func TestBadAlertRequests(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m := f.machine("m1")
	f.expect(201, `["1"]`, f.call("POST", "/v1/alerts", "["+alertJSON("1.1.1.1")+"]", m...))
	for _, test := range []struct {
		method, target string
		status         int
		want           string
	}{
		{"GET", "/v1/alerts?foo=bar", 400, `{"message":"filter parameter 'foo' is unknown (=bar): invalid filter"}`},
		{"HEAD", "/v1/alerts?foo=bar", 400, `{"message":"filter parameter 'foo' is unknown (=bar): invalid filter"}`},
		{"GET", "/v1/alerts?ip=bad", 400, `{"message":"invalid ip address or range 'bad'"}`},
		{"GET", "/v1/alerts?ip=1.1.1.1&range=2.0.0.0/8", 400, `{"message":"ip and range exclude each other: invalid filter"}`},
		{"GET", "/v1/alerts?limit=-1", 400, `{"message":"parameter 'limit' is not a number of zero or more (=-1): invalid filter"}`},
		{"GET", "/v1/alerts?limit=x", 400, `{"message":"parameter 'limit' is not a number of zero or more (=x): invalid filter"}`},
		{"GET", "/v1/alerts?since=x", 400, `{"message":"parameter 'since': time: invalid duration \"x\": invalid filter"}`},
		{"GET", "/v1/alerts?until=x", 400, `{"message":"parameter 'until': time: invalid duration \"x\": invalid filter"}`},
		{"GET", "/v1/alerts?created_before=x", 400, `{"message":"parameter 'created_before': time: invalid duration \"x\": invalid filter"}`},
		{"GET", "/v1/alerts?contains=x", 400, `{"message":"parameter 'contains' is not a bool (=x): invalid filter"}`},
		{"GET", "/v1/alerts?has_active_decision=x", 400, `{"message":"parameter 'has_active_decision' is not a bool (=x): invalid filter"}`},
		{"GET", "/v1/alerts?ip=%zz", 400, `{"message":"reading the parameters: invalid URL escape \"%zz\""}`},
		{"GET", "/v1/alerts/x", 400, `{"message":"alert_id 'x' is not an integer"}`},
		{"GET", "/v1/alerts/9", 404, `{"message":"object not found"}`},
		{"DELETE", "/v1/alerts/x", 400, `{"message":"alert_id 'x' is not an integer"}`},
		{"DELETE", "/v1/alerts/9", 404, `{"message":"alert with id '9' doesn't exist"}`},
		{"DELETE", "/v1/alerts?foo=bar", 400, `{"message":"filter parameter 'foo' is unknown (=bar): invalid filter"}`},
		{"DELETE", "/v1/alerts?alert_source=x", 400, `{"message":"filter parameter 'alert_source' is unknown (=x): invalid filter"}`},
		{"DELETE", "/v1/alerts?scenario=", 400, `{"message":"filter parameter 'scenario' is empty: invalid filter"}`},
		{"DELETE", "/v1/alerts?ip=%zz", 400, `{"message":"reading the parameters: invalid URL escape \"%zz\""}`},
	} {
		w := f.call(test.method, test.target, "", m...)
		if w.Code != test.status || w.Body.String() != test.want {
			t.Errorf("%s %s: got %d %s\nwant %d %s", test.method, test.target, w.Code, w.Body, test.status, test.want)
		}
	}
	if w := f.call("GET", "/v1/alerts", "", m...); alertIDs(w.Body.String()) != "1" {
		t.Errorf("something was deleted: %s", w.Body)
	}
}

func TestDeleteAlertsAnnouncesRemovals(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m, b := f.machine("m1"), f.bouncer()
	f.expect(201, `["1","2","3"]`, f.call("POST", "/v1/alerts",
		"["+banJSON("1.1.1.1", "1h")+","+banJSON("2.2.2.2", "1h")+","+banJSON("3.3.3.3", "1h")+"]", m...))
	f.call("GET", "/v1/decisions/stream?startup=true", "", b...)
	f.wait(time.Second)
	f.expect(200, `{"nbDeleted":"1"}`, f.call("DELETE", "/v1/alerts/2", "", m...))
	f.wait(time.Second)
	w := f.call("GET", "/v1/decisions/stream", "", b...)
	want := `{"new": [], "deleted": [{"duration":"-1s","id":2,"origin":"cscli","scenario":"manual","scope":"Ip","type":"ban","uuid":"U","value":"2.2.2.2"}]}`
	if got := masked(w.Body.String()); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	f.expect(200, `{"nbDeleted":"2"}`, f.call("DELETE", "/v1/alerts?limit=1", "", m...))
	f.expect(200, "null", f.call("GET", "/v1/decisions", "", b...))
}

func TestOnlyTrustedAddressesDeleteAlerts(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(cfg *localapi.Config) { cfg.TrustedIPs = prefixes("10.0.0.0/8", "2001:db8::/32") })
	m := f.machine("m1")
	for peer, status := range map[string]int{
		"127.0.0.1:1": 200, "[::1]:1": 200, "10.1.2.3:1": 200, "[::ffff:10.1.2.3]:1": 200, "[2001:db8::1]:1": 200,
		"8.8.8.8:1": 403, "[2001:db9::1]:1": 403,
	} {
		w := f.callFrom(peer, "DELETE", "/v1/alerts", "", m...)
		if w.Code != status {
			t.Errorf("from %s: %d %s", peer, w.Code, w.Body)
		}
	}
	f.expect(403, `{"message":"access forbidden from this IP (8.8.8.8)"}`, f.callFrom("8.8.8.8:1", "DELETE", "/v1/alerts/1", "", m...))
}

func TestBodies(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m := f.machine("m1")
	pack := func(text string) string {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		_, _ = w.Write([]byte(text))
		_ = w.Close()
		return packed.String()
	}
	alert := "[" + alertJSON("1.1.1.1") + "]"
	huge := strings.Repeat(" ", 50<<20) + "[]"
	for _, test := range []struct {
		name, encoding, body string
		status               int
		want                 string
	}{
		{"gzip", "gzip", pack(alert), 201, `["1"]`},
		{"other encodings are not looked at", "deflate", "[]", 201, `[]`},
		{"not gzip", "gzip", alert, 400, ``},
		{"no body at all", "gzip", "", 400, ``},
		{"too large", "", huge, 400, `{"message":"http: request body too large"}`},
	} {
		w := f.call("POST", "/v1/alerts", test.body, append(m, "Content-Encoding", test.encoding)...)
		if w.Code != test.status || w.Body.String() != test.want {
			t.Errorf("%s: got %d %.200s", test.name, w.Code, w.Body)
		}
	}
	for _, answer := range []string{
		f.call("POST", "/v1/watchers", pack(strings.Repeat(" ", 2<<20)+"{}"), "Content-Encoding", "gzip").Body.String(),
		f.call("POST", "/v1/watchers", strings.Repeat(" ", 2<<20)+"{}").Body.String(),
	} {
		if answer != `{"message":"http: request body too large"}` {
			t.Errorf("got %s", answer)
		}
	}
}

func TestProfilesCanBeReplaced(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m, b := f.machine("m1"), f.bouncer()
	f.server.SetProfiles(profiles(t, "name: x\nfilters: ['true']\nnotifications: [mail]\ndecisions: [{type: captcha, duration: 2d, origin: o}]\n"))
	f.expect(201, `["1"]`, f.call("POST", "/v1/alerts", "["+alertJSON("1.1.1.1", "2026-11-21T19:00:00.123Z", "2026-11-21T19:00:00Z")+"]", m...))
	f.expect(200, `[{"duration":"48h0m0s","id":1,"origin":"crowdsec/o","scenario":"acme/ssh-bf","scope":"Ip","type":"captcha","value":"1.1.1.1"}]`,
		f.call("GET", "/v1/decisions?ip=1.1.1.1", "", b...))
	if !strings.Contains(f.log.String(), "notifications of the profile are not sent") {
		t.Error("nothing warns about notifications")
	}
	f.server.SetProfiles(profiles(t, "name: x\nfilters: ['Alert.Events[3].Timestamp != \"\"']\n"))
	w := f.call("POST", "/v1/alerts", "["+alertJSON("1.1.1.1")+"]", m...)
	if w.Code != http.StatusInternalServerError || !strings.Contains(f.log.String(), "alert 0: profile 'x': filter") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestSimulatedAlertsYieldSimulatedDecisions(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m, b := f.machine("m1"), f.bouncer()
	f.expect(201, `["1"]`, f.call("POST", "/v1/alerts", "["+alertJSON("1.1.1.1", `"simulated":false`, `"simulated":true`)+"]", m...))
	f.expect(200, "null", f.call("GET", "/v1/decisions", "", b...))
	if w := f.call("GET", "/v1/decisions?simulated=true", "", b...); w.Body.String() == "null" {
		t.Error("simulated decisions cannot be asked for")
	}
	if w := f.call("GET", "/v1/alerts/1", "", m...); !strings.Contains(w.Body.String(), `"simulated":true,"type":"ban"`) {
		t.Errorf("got %s", w.Body)
	}
}

func TestMachinesMustProveWhoTheyAre(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m := f.machine("m1")
	old := f.token("m1")
	no := false
	f.machine("revoked")
	if err := f.store.UpdateMachine(t.Context(), "revoked", store.MachineChange{Validated: &no}); err != nil {
		t.Fatal(err)
	}
	f.machine("gone")
	if err := f.store.DeleteMachine(t.Context(), "gone"); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, header, value, want string
	}{
		{"nothing", "X-None", "", "cookie token is empty"},
		{"lower case", "Authorization", "bearer " + old, "cookie token is empty"},
		{"empty", "Authorization", "Bearer ", "cookie token is empty"},
		{"garbled", "Authorization", "Bearer x", "token contains an invalid number of segments"},
		{"bad signature", "Authorization", "Bearer " + old[:len(old)-3] + "AAA", "signature is invalid"},
		{"deleted", "Authorization", "Bearer " + f.token("gone"), "machine gone does not exist any more"},
		{"not validated", "Authorization", "Bearer " + f.token("revoked"), "machine revoked not validated"},
	} {
		w := f.call("GET", "/v1/alerts", "", test.header, test.value)
		if want := fmt.Sprintf(`{"code":401,"message":%q}`, test.want); w.Code != 401 || w.Body.String() != want {
			t.Errorf("%s: got %d %s, want %s", test.name, w.Code, w.Body, want)
		}
		if got := w.Header().Get("WWW-Authenticate"); got != "JWT realm=Crowdsec API local" {
			t.Errorf("%s: WWW-Authenticate %q", test.name, got)
		}
	}
	f.expect(200, "null", f.call("GET", "/v1/alerts", "", "Cookie", "jwt="+old))
	f.wait(time.Hour)
	f.expect(401, `{"code":401,"message":"Token is expired"}`, f.call("GET", "/v1/alerts", "", m...))
}

func TestStoreTrouble(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m, b := f.machine("m1"), f.bouncer()
	f.store.setDown(true)
	for _, w := range []func() (int, string){
		func() (int, string) { w := f.call("GET", "/v1/alerts", "", m...); return w.Code, w.Body.String() },
		func() (int, string) {
			w := f.call("GET", "/v1/decisions/stream", "", b...)
			return w.Code, w.Body.String()
		},
		func() (int, string) {
			w := f.call("POST", "/v1/watchers/login", `{"machine_id":"m1","password":"x"}`)
			return w.Code, w.Body.String()
		},
	} {
		if status, body := w(); status != 503 || body != `{"message":"the service is unavailable, try again later"}` {
			t.Errorf("got %d %s", status, body)
		}
	}
	if !strings.Contains(f.log.String(), "secret detail") {
		t.Error("the log does not say what is wrong")
	}
	f.store.setDown(false)
	f.expect(200, "null", f.call("GET", "/v1/alerts", "", m...))
}

func TestAnswerStandsWhenOnlyTheIndexLags(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.machine("m1")
	if _, err := f.store.AddAlerts(t.Context(), []domain.Alert{{Scenario: "of another replica", Decisions: []domain.Decision{
		{Scope: domain.ScopeIP, Value: "5.5.5.5", Type: "ban", Origin: "cscli", Until: f.clock().Add(time.Hour)},
	}}}); err != nil {
		t.Fatal(err)
	}
	b := f.bouncer()
	f.expect(200, "null", f.call("GET", "/v1/decisions", "", b...))
	// The bouncer comes from a replica that has told it about the decision: this one must not know less.
	rows, err := f.store.Bouncers(t.Context(), store.BouncerFilter{Name: "b1"})
	if err != nil {
		t.Fatal(err)
	}
	cursor, at := int64(1), f.clock()
	if err := f.store.UpdateBouncer(t.Context(), rows[0].ID, store.BouncerChange{Cursor: &cursor, LastPull: &at}); err != nil {
		t.Fatal(err)
	}
	f.wait(10 * time.Second)
	f.expect(200, `{"new": [], "deleted": []}`, f.call("GET", "/v1/decisions/stream", "", b...))
	if w := f.call("GET", "/v1/decisions", "", b...); !strings.Contains(w.Body.String(), "5.5.5.5") {
		t.Errorf("the index did not catch up: %s", w.Body)
	}
}
