package localapi_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/auth"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/wire"
)

// component is a bouncer that says what it enforces.
type component struct {
	f       *fixture
	headers []string
}

func (f *fixture) component(name string) component {
	f.t.Helper()
	_, err := f.store.AddBouncer(f.t.Context(), domain.Bouncer{Name: name, KeyHash: auth.HashKey(name), AuthType: domain.AuthAPIKey})
	if err != nil {
		f.t.Fatal(err)
	}
	return component{f, []string{"X-Api-Key", name}}
}

// pulls asks for changes and says something, unless it is empty, of what it enforces.
func (c component) pulls(query, standing string) {
	c.f.t.Helper()
	headers := c.headers
	if standing != "" {
		headers = append(headers[:2:2], wire.StandingHeader, standing)
	}
	if w := c.f.call("GET", "/v1/decisions/stream"+query, "", headers...); w.Code != 200 {
		c.f.t.Fatalf("%d %s", w.Code, w.Body)
	}
}

// states returns how far decision 1 got, by component.
func (f *fixture) states(machine []string) string {
	f.t.Helper()
	w := f.call("GET", "/v1/decisions/1/enforcement", "", machine...)
	var e wire.Enforcement
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || w.Code != 200 {
		f.t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	text := fmt.Sprintf("%d %d %d:", e.Enforced, e.Applied, e.Pulled)
	for _, c := range e.Components {
		text += fmt.Sprintf(" %s %s", c.Name, c.State)
	}
	return text
}

func TestEnforcementOfADecision(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m := f.machine("m1")
	firewall, plain, other := f.component("firewall"), f.component("plain"), f.component("other")
	f.component("never seen")
	says := func(applied, verified int, more string) string {
		return fmt.Sprintf(`{"applied":%d,"verified":%d,"types":["ban"],"ipv4":true%s}`, applied, verified, more)
	}
	f.call("POST", "/v1/alerts", "["+banJSON("192.0.2.250", "1h")+"]", m...) // decision 1, change 1
	for _, step := range []struct {
		do   func()
		want string
	}{
		{func() {}, "0 0 0:"},
		{func() { plain.pulls("?startup=true", "") }, "0 0 1: plain pulled"},
		{func() { firewall.pulls("?startup=true", says(0, 0, "")) }, "0 0 2: firewall pulled plain pulled"},
		{func() { firewall.pulls("?revision=1", says(1, 0, "")) }, "0 1 1: firewall applied plain pulled"},
		{func() { firewall.pulls("?revision=1", says(1, 1, `,"wanted":10`)) }, "1 0 1: firewall enforced plain pulled"},
		{func() { firewall.pulls("?revision=1", says(1, 0, `,"wanted":10,"missing":3`)) }, "0 1 1: firewall applied plain pulled"},
		{func() { other.pulls("?revision=1&origins=CAPI", says(1, 1, "")) }, "0 1 1: firewall applied plain pulled other excluded"},
		{func() { other.pulls("?revision=1&scopes=range", says(1, 1, "")) }, "0 1 1: firewall applied plain pulled other excluded"},
		{func() { other.pulls("?revision=1&scenarios_not_containing=man", says(1, 1, "")) }, "0 1 1: firewall applied plain pulled other excluded"},
		{func() { other.pulls("?revision=1&scenarios_containing=man&origins=cscli", says(1, 1, "")) }, "1 1 1: firewall applied plain pulled other enforced"},
		{func() { other.pulls("?revision=1", `{"applied":1,"verified":1,"types":["captcha"],"ipv4":true}`) }, "0 1 1: firewall applied plain pulled other excluded"},
		{func() { other.pulls("?revision=1", `{"applied":1,"verified":1,"types":["ban"],"ipv6":true}`) }, "0 1 1: firewall applied plain pulled other excluded"},
		{func() { f.wait(3 * time.Minute); firewall.pulls("?revision=1", says(1, 1, "")) }, "1 0 1: firewall enforced plain pulled other excluded"},
		{func() { f.wait(3 * time.Minute) }, "0 0 1: firewall silent plain pulled other excluded"},
	} {
		step.do()
		if got := f.states(m); got != step.want {
			t.Errorf("got  %s\nwant %s", got, step.want)
		}
	}
	f.flush()
	stored, err := f.store.Bouncers(t.Context(), store.BouncerFilter{Name: "firewall"})
	if err != nil || len(stored) != 1 || stored[0].Standing.Verified != 1 || !stored[0].Standing.Selection.IPv4 {
		t.Errorf("stored %+v, %v", stored, err)
	}
}

func TestEnforcementOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m, b := f.machine("m1"), f.bouncer()
	f.expect(404, `{"message":"no active decision with id '7'"}`, f.call("GET", "/v1/decisions/7/enforcement", "", m...))
	f.expect(400, `{"message":"decision_id 'x' is not an integer"}`, f.call("GET", "/v1/decisions/x/enforcement", "", m...))
	if w := f.call("GET", "/v1/decisions/7/enforcement", "", b...); w.Code != 401 {
		t.Errorf("a bouncer is told: %d %s", w.Code, w.Body)
	}
	w := f.call("GET", "/v1/decisions/stream", "", b[0], b[1], wire.StandingHeader, `{"types":[]}`)
	if w.Code != 400 || !strings.Contains(w.Body.String(), "X-Shieldwall-Standing") {
		t.Errorf("nonsense: %d %s", w.Code, w.Body)
	}
}
