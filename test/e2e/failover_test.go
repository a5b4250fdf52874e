package e2e

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/localapi/store/sql/dbtest"
)

// TestClientsSurviveTheirLocalAPI kills each of two Local APIs in turn, and the database, under a steady attack. A log
// processor and two firewall components know both: every attacker has one alert and is banned everywhere, once.
func TestClientsSurviveTheirLocalAPI(t *testing.T) {
	t.Parallel()
	const attackers, pause = 200, 100 * time.Millisecond
	c := newCluster(t, dbtest.MariaDB(t))
	agent := c.startAgent()
	firewalls := []*process{c.startDryRun("fw-1", c.nodes[0], c.nodes[1]), c.startDryRun("fw-2", c.nodes[1], c.nodes[0])}
	for _, firewall := range firewalls {
		firewall.await("Processing new and deleted decisions")
	}
	incidents := map[int]func(){
		attackers * 1 / 8: func() { c.nodes[0].engine.kill() },
		attackers * 2 / 8: func() { c.nodes[0].engine = c.nodes[0].startEngine("-no-cs") },
		attackers * 3 / 8: func() { c.nodes[1].engine.kill() },
		attackers * 4 / 8: func() { c.nodes[1].engine = c.nodes[1].startEngine("-no-cs") },
		attackers * 5 / 8: c.server.Kill,
		attackers * 6 / 8: func() { c.server.Restart(t) },
		attackers * 7 / 8: func() { c.nodes[0].engine.kill() },
	}
	pace := time.NewTicker(pause)
	defer pace.Stop()
	began := time.Now()
	for i := range attackers {
		if incident := incidents[i]; incident != nil {
			incident()
		}
		agent.log(bruteForce(attacker(i))...)
		<-pace.C
	}
	attacked := time.Since(began)
	eventually(t, "every attacker has an alert", func() bool { return len(agent.alerts()) >= attackers })
	for _, firewall := range firewalls {
		eventually(t, "every attacker is banned", func() bool { return len(firewall.bans(t)) >= attackers })
	}

	stored := map[string]int{}
	for _, alert := range agent.alerts() {
		stored[alert.Source.Value]++
	}
	expectOnce(t, "alerts", stored, attackers)
	for _, firewall := range firewalls {
		expectOnce(t, "bans of a firewall component", firewall.bans(t), attackers)
	}
	t.Logf("measured: failover: %d attackers within %v, each Local API and the database killed: %d alerts stored once, bans by %d firewall components: %d and %d, "+
		"none missing, none doubled; %d failovers logged", attackers, attacked.Round(time.Second), len(stored), len(firewalls),
		len(firewalls[0].bans(t)), len(firewalls[1].bans(t)), firewalls[0].count("using another one")+firewalls[1].count("using another one"))
}

// TestForgottenMachineRegistersAgain: a log processor with a registration token does not care whether its entry is there.
func TestForgottenMachineRegistersAgain(t *testing.T) {
	t.Parallel()
	const token = "a-token-that-has-at-least-32-characters"
	api := newInstance(t, "")
	api.write("config.yaml", fmt.Sprintf(`
config_paths: {config_dir: %[1]s, data_dir: %[1]s/data}
db_config: {type: sqlite, db_path: %[1]s/data/crowdsec.db}
api:
  client: {credentials_path: %[1]s/local_api_credentials.yaml}
  server:
    listen_uri: %[2]s
    profiles_path: %[1]s/profiles.yaml
    auto_registration: {enabled: true, token: %[3]s, allowed_ranges: [127.0.0.0/8]}
`, api.dir, api.address, token))
	api.register()
	api.startEngine("-no-cs")
	agent := newAgent(t, fmt.Sprintf("url: http://%s/\nlogin: agent\npassword: secret\nregistration_token: %s\n", api.address, token))
	for i, forget := range []func(){
		func() {}, // it never was there
		func() { api.cscli("machines", "delete", "agent") },
	} {
		forget()
		agent.log(bruteForce(attacker(i))...)
		eventually(t, "the alert is stored", func() bool { return len(api.alerts()) == i+1 })
	}
	if machines := api.cscli("machines", "list", "-o", "raw"); !regexp.MustCompile(`(?m)^agent,127\.0\.0\.1,[^,]*,true,`).MatchString(machines) {
		t.Errorf("machines:\n%s", machines)
	}
}

func attacker(i int) string { return fmt.Sprintf("203.0.113.%d", i+1) }

// expectOnce checks that each attacker was counted once, and nobody else.
func expectOnce(t *testing.T, what string, counts map[string]int, attackers int) {
	t.Helper()
	for i := range attackers {
		if counts[attacker(i)] != 1 {
			t.Errorf("%s of %s: %d", what, attacker(i), counts[attacker(i)])
		}
	}
	if len(counts) != attackers {
		t.Errorf("%s: %d, want %d: %v", what, len(counts), attackers, slices.Sorted(maps.Keys(counts)))
	}
}

// startAgent starts a log processor that knows all Local APIs.
func (c *cluster) startAgent() *instance {
	c.t.Helper()
	c.nodes[0].cscli("machines", "add", "agent", "--password", "secret", "--file", "/dev/null")
	return newAgent(c.t, fmt.Sprintf("url: [%s]\nlogin: agent\npassword: secret\n", urls(c.nodes)))
}

// newAgent starts a log processor with one scenario on a machine of its own.
func newAgent(t *testing.T, credentials string) *instance {
	t.Helper()
	in := newInstance(t, "")
	in.installContent()
	if err := os.RemoveAll(in.path("scenarios")); err != nil {
		t.Fatal(err)
	}
	in.write("scenarios/patient.yaml", patient+"labels: {remediation: true}\n")
	in.write("local_api_credentials.yaml", credentials)
	in.log("the log exists")
	in.startEngine("-no-api").await("following log file")
	return in
}

func urls(nodes []*node) string {
	var list []string
	for _, n := range nodes {
		list = append(list, "http://"+n.address+"/")
	}
	return strings.Join(list, ", ")
}

// startDryRun starts a firewall component that knows Local APIs in an order of preference, and is pushed by them: it
// polls too rarely for this test.
func (c *cluster) startDryRun(name string, nodes ...*node) *process {
	c.t.Helper()
	key := strings.TrimSpace(c.nodes[0].cscli("bouncers", "add", name, "-o", "raw"))
	in := newInstance(c.t, "")
	in.write("firewall.yaml", fmt.Sprintf("mode: dry-run\nupdate_frequency: 10s\nlog_mode: stdout\napi_url: [%s]\napi_key: %s\n", urls(nodes), key))
	return in.start("crowdsec-firewall-bouncer", "-c", in.path("firewall.yaml"))
}

// bans returns how often a dry-run component has banned each address.
func (p *process) bans(t *testing.T) map[string]int {
	t.Helper()
	printed, err := os.ReadFile(p.logs)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, found := range regexp.MustCompile(`backend\.Add\(\) called with ([0-9.]+)`).FindAllSubmatch(printed, -1) {
		counts[string(found[1])]++
	}
	return counts
}

// count returns how often a program has printed text.
func (p *process) count(text string) int {
	p.t.Helper()
	printed, err := os.ReadFile(p.logs)
	if err != nil {
		p.t.Fatal(err)
	}
	return bytes.Count(printed, []byte(text))
}
