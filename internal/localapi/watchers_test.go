package localapi_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/localapi"
	"shieldwall/internal/localapi/auth"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/wire"
)

func TestRegister(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, test := range []struct {
		body   string
		status int
		want   string
	}{
		{`{"machine_id":"m1","password":"p","unknown":1}`, 201, ""},
		{`{"machine_id":"m1","password":"p"}`, 403, `{"message":"user 'm1': user already exist"}`},
		{`{"machine_id":"m2","password":"p","registration_token":"` + strings.Repeat("t", 32) + `"}`, 201, ""},
		{`{"machine_id":"m3","password":"` + strings.Repeat("p", 73) + `"}`, 400, `{"message":"unable to hash"}`},
		{
			`{"machine_id":"m4","password":"p","registration_token":"short"}`, 422,
			`{"message":"validation failure list:\nregistration_token in body should be at least 32 chars long"}`,
		},
		{
			`{"machine_id":"m4","password":"p","registration_token":"` + strings.Repeat("t", 256) + `"}`, 422,
			`{"message":"validation failure list:\nregistration_token in body should be at most 255 chars long"}`,
		},
		{`{}`, 422, `{"message":"validation failure list:\nmachine_id in body is required\npassword in body is required"}`},
		{`x`, 400, `{"message":"invalid character 'x' looking for beginning of value"}`},
		{``, 400, `{"message":"EOF"}`},
	} {
		w := f.callFrom("192.0.2.9:1", "POST", "/v1/watchers", test.body)
		if w.Code != test.status || w.Body.String() != test.want {
			t.Errorf("%s: got %d %s\nwant %d %s", test.body, w.Code, w.Body, test.status, test.want)
		}
	}
	machine, err := f.store.Machine(t.Context(), "m1")
	if err != nil || machine.Validated || machine.IPAddress != "192.0.2.9" || !strings.HasPrefix(machine.PasswordHash, "$2a$10$") {
		t.Errorf("stored %+v, %v", machine, err)
	}
}

func TestRemoteRegistrationCanBeDisabled(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(cfg *localapi.Config) { cfg.DisableRemoteRegistration = true })
	f.expect(403, `{"message":"access forbidden"}`, f.callFrom("192.0.2.9:1", "POST", "/v1/watchers", `{"machine_id":"m1","password":"p"}`))
	f.expect(201, ``, f.callFrom("[::1]:1", "POST", "/v1/watchers", `{"machine_id":"m1","password":"p"}`))
}

func TestAutoRegistration(t *testing.T) {
	t.Parallel()
	token := strings.Repeat("t", 32)
	f := newFixture(t, func(cfg *localapi.Config) {
		cfg.AutoRegistration = &auth.AutoRegistration{Token: token, Ranges: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
	})
	for _, test := range []struct {
		peer, id, token string
		status          int
		want            string
	}{
		{"192.0.2.9:1", "m1", token, 202, ""},
		{"192.0.2.9:1", "m1", token, 403, `{"message":"user 'm1': user already exist"}`},
		{"192.0.2.9:1", "m2", "", 201, ""},
		{"192.0.2.9:1", "m3", strings.Repeat("u", 32), 401, `{"message":"invalid token for auto registration"}`},
		{"198.51.100.1:1", "m3", token, 401, `{"message":"IP not in allowed range for auto registration"}`},
		{"192.0.2.9:1", "m3", "short", 422, `{"message":"validation failure list:\nregistration_token in body should be at least 32 chars long"}`},
	} {
		w := f.callFrom(test.peer, "POST", "/v1/watchers", `{"machine_id":"`+test.id+`","password":"p","registration_token":"`+test.token+`"}`)
		if w.Code != test.status || w.Body.String() != test.want || w.Header().Get("WWW-Authenticate") != "" {
			t.Errorf("%s, %s: got %d %s %v\nwant %d %s", test.peer, test.id, w.Code, w.Body, w.Header(), test.status, test.want)
		}
	}
	f.expect(401, `{"code":401,"message":"machine m2 not validated"}`, f.call("POST", "/v1/watchers/login", `{"machine_id":"m2","password":"p"}`))
	if w := f.call("POST", "/v1/watchers/login", `{"machine_id":"m1","password":"p"}`); w.Code != 200 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if log := f.log.String(); strings.Contains(log, token) || !strings.Contains(log, `msg="access refused" address=198.51.100.1 side=agent`) {
		t.Errorf("logged %s", log)
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.expect(201, ``, f.call("POST", "/v1/watchers", `{"machine_id":"m1","password":"secret-p"}`))
	good := `{"machine_id":"m1","password":"secret-p","scenarios":["a/b","c/d"]}`
	f.expect(401, `{"code":401,"message":"machine m1 not validated"}`, f.call("POST", "/v1/watchers/login", good))
	yes := true
	if err := f.store.UpdateMachine(t.Context(), "m1", store.MachineChange{Validated: &yes}); err != nil {
		t.Fatal(err)
	}
	w := f.callFrom("192.0.2.9:1", "POST", "/v1/watchers/login", good)
	if !regexp.MustCompile(`^\{"code":200,"expire":"2026-11-21T20:00:00Z","token":"[\w-]+\.[\w-]+\.[\w-]+"\}$`).MatchString(w.Body.String()) || w.Code != 200 {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	var token wire.Token
	if err := json.Unmarshal(w.Body.Bytes(), &token); err != nil {
		t.Fatal(err)
	}
	f.expect(200, ``, f.call("GET", "/v1/heartbeat", "", "Authorization", "Bearer "+token.Token))
	machine, err := f.store.Machine(t.Context(), "m1")
	if err != nil || strings.Join(machine.Scenarios, " ") != "a/b c/d" || machine.Version != "v1.7.4-linux" || machine.IPAddress != "192.0.2.9" {
		t.Errorf("stored %+v, %v", machine, err)
	}
	if w := f.call("POST", "/v1/watchers/login", `{"machine_id":"m1","password":"secret-p","scenarios":null}`); w.Code != 200 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if machine, err = f.store.Machine(t.Context(), "m1"); err != nil || len(machine.Scenarios) != 2 {
		t.Errorf("an empty list replaced the scenarios: %v, %v", machine.Scenarios, err)
	}
	for _, test := range []struct{ name, agent, body, want string }{
		{"wrong password", "a/1", `{"machine_id":"m1","password":"x"}`, "incorrect Username or Password"},
		{"unknown machine", "a/1", `{"machine_id":"m9","password":"x"}`, "incorrect Username or Password"},
		{"no agent", "", good, "incorrect Username or Password"},
		{"agent without version", "crowdsec", good, "incorrect Username or Password"},
		{"agent of three parts", "a/b/c", good, "incorrect Username or Password"},
		{"no password", "a/1", `{"machine_id":"m1"}`, "validation failure list:\npassword in body is required"},
		{"cut", "a/1", `{`, "missing: unexpected EOF"},
		{"empty", "a/1", ``, "missing: EOF"},
		{"too large", "a/1", strings.Repeat(" ", 2<<20) + good, "http: request body too large"},
		{
			"too many scenarios", "a/1", `{"machine_id":"m1","password":"secret-p","scenarios":["` + strings.Repeat("s", 100_001) + `"]}`,
			"the list of scenarios is longer than 100000 characters",
		},
	} {
		w := f.call("POST", "/v1/watchers/login", test.body, "User-Agent", test.agent)
		want, _ := json.Marshal(map[string]any{"code": 401, "message": test.want})
		if w.Code != 401 || w.Body.String() != string(want) {
			t.Errorf("%s: got %d %s\nwant %s", test.name, w.Code, w.Body, want)
		}
	}
	if strings.Contains(f.log.String(), "secret-p") {
		t.Error("a password was logged")
	}
}

func TestGuessingIsBounded(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	login := func(peer string) int {
		return f.callFrom(peer, "POST", "/v1/watchers/login", `{"machine_id":"m1","password":"x"}`, "User-Agent", "not an agent").Code
	}
	for i := range 20 {
		if status := login(fmt.Sprintf("192.0.2.1:%d", i+1)); status != 401 {
			t.Fatalf("attempt %d: %d", i, status)
		}
	}
	w := f.callFrom("192.0.2.1:1", "POST", "/v1/watchers/login", `{"machine_id":"m1","password":"x"}`)
	f.expect(429, `{"message":"too many failed logins from this address"}`, w)
	if got := w.Header().Get("Retry-After"); got != "6" {
		t.Errorf("Retry-After %q", got)
	}
	if status := login("192.0.2.2:1"); status != 401 {
		t.Errorf("another address: %d", status)
	}
	f.wait(6 * time.Second)
	if first, second := login("192.0.2.1:1"), login("192.0.2.1:1"); first != 401 || second != 429 {
		t.Errorf("after waiting: %d, %d", first, second)
	}
}

func TestRefreshToken(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m := f.machine("m1")
	refresh := func() (int, string) {
		w := f.call("GET", "/v1/refresh_token", "", m...)
		return w.Code, w.Body.String()
	}
	f.wait(time.Hour)
	status, body := refresh()
	if status != 200 || !strings.HasPrefix(body, `{"code":200,"expire":"2026-11-21T21:00:00Z","token":"`) {
		t.Errorf("got %d %s", status, body)
	}
	f.wait(time.Second)
	if status, body = refresh(); status != 401 || body != `{"code":401,"message":"token is expired"}` {
		t.Errorf("got %d %s", status, body)
	}
	f.expect(401, `{"code":401,"message":"cookie token is empty"}`, f.call("GET", "/v1/refresh_token", ""))
}

func TestHeartbeatAndSelfDeletion(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m := f.machine("m1")
	f.wait(time.Minute)
	f.expect(200, ``, f.call("GET", "/v1/heartbeat", "", m...))
	f.flush()
	machine, err := f.store.Machine(t.Context(), "m1")
	if err != nil || !machine.LastHeartbeat.Equal(f.clock()) {
		t.Errorf("last heartbeat %v, %v", machine.LastHeartbeat, err)
	}
	f.expect(204, ``, f.call("DELETE", "/v1/watchers/self", "", m...))
	f.expect(401, `{"code":401,"message":"machine m1 does not exist any more"}`, f.call("DELETE", "/v1/watchers/self", "", m...))
	f.expect(401, `{"code":401,"message":"machine m1 does not exist any more"}`, f.call("GET", "/v1/refresh_token", "", m...))
}
