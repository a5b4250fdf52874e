package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/localapi/store/sql/dbtest"
)

// recovery is how long everything may take to be as it should after the last outage.
const recovery = 2 * time.Minute

// site is hosts with addresses of their own on one switch. Local APIs run on the first two, with one database; log
// processors on the others; firewall components on all.
type site struct {
	*cluster

	wires     string // the namespace of the switch
	agents    []*instance
	firewalls []*instance
}

func newSite(t *testing.T) *site {
	t.Helper()
	needsRoot(t)
	server := dbtest.MariaDB(t)
	s := &site{cluster: &cluster{t: t, server: server, db: server.Database(t)}, wires: fmt.Sprint("sw-switch-", os.Getpid())}
	ip(t, "netns", "add", s.wires)
	t.Cleanup(func() { ip(t, "netns", "delete", s.wires) })
	ip(t, "-n", s.wires, "link", "add", "switch", "type", "bridge")
	ip(t, "-n", s.wires, "link", "set", "switch", "up")
	for range 2 {
		s.addNode()
	}
	s.nodes[0].register()
	for _, n := range s.nodes {
		n.engine = n.startEngine("-no-cs")
	}
	for i := range 2 {
		s.addAgent(fmt.Sprint("agent-", i+1))
	}
	for i, host := range slices.Concat([]*instance{s.nodes[0].instance, s.nodes[1].instance}, s.agents) {
		s.addFirewall(fmt.Sprint("firewall-", i+1), host)
	}
	return s
}

// newHost connects one more host.
func (s *site) newHost(number int) *instance {
	s.t.Helper()
	namespace := fmt.Sprintf("sw-host%d-%d", number, os.Getpid())
	ip(s.t, "netns", "add", namespace)
	s.t.Cleanup(func() { ip(s.t, "netns", "delete", namespace) })
	ip(s.t, "-n", s.wires, "link", "add", port(namespace), "type", "veth", "peer", "name", "eth0", "netns", namespace)
	ip(s.t, "-n", s.wires, "link", "set", port(namespace), "master", "switch", "up")
	ip(s.t, "-n", namespace, "address", "add", fmt.Sprintf("10.0.0.%d/24", number), "dev", "eth0")
	ip(s.t, "-n", namespace, "link", "set", "eth0", "up")
	ip(s.t, "-n", namespace, "link", "set", "lo", "up")
	in := newInstance(s.t, namespace)
	in.address = fmt.Sprintf("10.0.0.%d:8080", number)
	return in
}

// port is the end of a host's cable at the switch.
func port(namespace string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(namespace, "sw-"), "-")
	return name
}

func (s *site) cable(host *instance, state string) {
	s.t.Helper()
	ip(s.t, "-n", s.wires, "link", "set", port(host.namespace), state)
}

func (s *site) addNode() {
	s.t.Helper()
	in := s.newHost(len(s.nodes) + 1)
	in.write("config.yaml", fmt.Sprintf(`
config_paths: {config_dir: %[1]s, data_dir: %[1]s/data}
db_config: {type: %[2]s, db_path: %[3]s, user: %[4]s, db_name: %[5]s, flush: {max_items: 1000000}}
api:
  client: {credentials_path: %[1]s/local_api_credentials.yaml}
  server: {listen_uri: %[6]s, profiles_path: %[1]s/profiles.yaml}
`, in.dir, s.db.Type, s.db.Socket, s.db.User, s.db.Name, in.address))
	s.nodes = append(s.nodes, &node{instance: in})
}

// preference returns the Local APIs in another order for every other host.
func (s *site) preference(number int) []*node {
	nodes := slices.Clone(s.nodes)
	if number%2 == 1 {
		slices.Reverse(nodes)
	}
	return nodes
}

func (s *site) addAgent(name string) {
	s.t.Helper()
	s.nodes[0].cscli("machines", "add", name, "--password", "secret", "--file", "/dev/null")
	in := s.newHost(len(s.nodes) + len(s.agents) + 1)
	in.installContent()
	if err := os.RemoveAll(in.path("scenarios")); err != nil {
		s.t.Fatal(err)
	}
	in.write("scenarios/patient.yaml", patient+"labels: {remediation: true}\n")
	in.write("local_api_credentials.yaml",
		fmt.Sprintf("url: [%s]\nlogin: %s\npassword: secret\n", urls(s.preference(len(s.agents))), name))
	in.log("the log exists")
	in.startEngine("-no-api").await("following log file")
	s.agents = append(s.agents, in)
}

func (s *site) addFirewall(name string, host *instance) {
	s.t.Helper()
	key := strings.TrimSpace(s.nodes[0].cscli("bouncers", "add", name, "-o", "raw"))
	host.write("firewall.yaml", fmt.Sprintf(
		"mode: nftables\nupdate_frequency: 10s\nlog_mode: stdout\napi_url: [%s]\napi_key: %s\nnftables_hooks: [input, forward]\nstate_dir: %s\n",
		urls(s.preference(len(s.firewalls))), key, host.path("firewall-state")))
	host.start("crowdsec-firewall-bouncer", "-c", host.path("firewall.yaml")).await("Processing new and deleted decisions")
	s.firewalls = append(s.firewalls, host)
}

// banned returns how often the kernel of a host has each address in the sets of its firewall.
func (in *instance) banned() map[string]int {
	in.t.Helper()
	list := exec.CommandContext(in.t.Context(), "ip", "netns", "exec", in.namespace, "nft", "-j", "list", "table", "ip", "crowdsec")
	out, err := list.Output()
	if err != nil {
		in.t.Fatalf("listing the sets of %s: %v", in.namespace, err)
	}
	var table struct {
		Objects []struct {
			Set struct {
				Elements []json.RawMessage `json:"elem"`
			} `json:"set"`
		} `json:"nftables"`
	}
	if err := json.Unmarshal(out, &table); err != nil {
		in.t.Fatal(err)
	}
	counts := map[string]int{}
	for _, object := range table.Objects {
		for _, element := range object.Set.Elements {
			counts[elementOf(element)]++
		}
	}
	return counts
}

// elementOf returns the value of an element: itself, or what it wraps with a time.
func elementOf(encoded json.RawMessage) string {
	var wrapped struct {
		Element struct {
			Value json.RawMessage `json:"val"`
		} `json:"elem"`
	}
	if json.Unmarshal(encoded, &wrapped) == nil && wrapped.Element.Value != nil {
		encoded = wrapped.Element.Value
	}
	return string(bytes.Trim(encoded, `"`))
}

// attackerOf is one of hundreds.
func attackerOf(i int) string { return fmt.Sprintf("198.51.%d.%d", 100+i/250, i%250+1) }

// TestSiteSurvivesEverything is a steady attack on two hosts, during which each Local API is killed and started again,
// the database is killed and started again, and the cable of a host is cut and plugged in. At the end every attacker has
// one alert, and is banned once in the kernel of every host. SHIELDWALL_LONG=1 cuts the cable for a minute.
func TestSiteSurvivesEverything(t *testing.T) {
	t.Parallel()
	const attackers = 500
	cut := 20 * time.Second
	if os.Getenv("SHIELDWALL_LONG") != "" {
		cut = time.Minute
	}
	s := newSite(t)
	victim := s.agents[0]
	var unplugged time.Time
	incidents := map[int]func(){
		attackers * 1 / 20:  func() { s.nodes[0].engine.kill() },
		attackers * 3 / 20:  func() { s.nodes[0].engine = s.nodes[0].startEngine("-no-cs") },
		attackers * 4 / 20:  func() { s.nodes[1].engine.kill() },
		attackers * 6 / 20:  func() { s.nodes[1].engine = s.nodes[1].startEngine("-no-cs") },
		attackers * 7 / 20:  s.server.Kill,
		attackers * 9 / 20:  func() { s.server.Restart(t) },
		attackers * 10 / 20: func() { s.cable(victim, "down"); unplugged = time.Now() },
	}
	pace := time.NewTicker(cut * 2 / attackers)
	defer pace.Stop()
	for i := range attackers {
		if incident := incidents[i]; incident != nil {
			incident()
		}
		s.agents[i%len(s.agents)].log(bruteForce(attackerOf(i))...)
		<-pace.C
	}
	time.Sleep(cut - time.Since(unplugged)) // the outage itself is what is tested
	missedBy := attackers - len(victim.banned())
	s.cable(victim, "up")
	plugged := time.Now()
	within(t, recovery, "every attacker has an alert", func() bool { return len(s.stored()) >= attackers })
	alerted := time.Since(plugged)
	for _, host := range s.firewalls {
		within(t, recovery, "every attacker is banned on "+host.namespace, func() bool { return len(host.banned()) >= attackers })
	}
	recovered := time.Since(plugged)

	expectAttackers(t, "alerts", s.stored(), attackers)
	expectAttackers(t, "decisions", s.count("SELECT value, COUNT(*) FROM decisions GROUP BY value"), attackers)
	var held []string
	for _, host := range s.firewalls {
		banned := host.banned()
		expectAttackers(t, "elements of "+host.namespace, banned, attackers)
		held = append(held, fmt.Sprint(len(banned)))
	}
	t.Logf("measured: outage: %d attackers seen by %d log processors within %v; both Local APIs and the database killed, a cable cut for %v, "+
		"when its host missed %d bans: %d alerts stored once, the last %v after the cable was plugged in; bans in the kernels of %d hosts: %s, "+
		"the last after %v; none missing, none doubled", attackers, len(s.agents), 2*cut, plugged.Sub(unplugged).Round(time.Second), missedBy,
		len(s.stored()), alerted.Round(100*time.Millisecond), len(held), strings.Join(held, ", "), recovered.Round(100*time.Millisecond))
}

// stored returns how many alerts each attacker has.
func (s *site) stored() map[string]int {
	s.t.Helper()
	return s.count("SELECT source_value, COUNT(*) FROM alerts GROUP BY source_value")
}

func expectAttackers(t *testing.T, what string, counts map[string]int, attackers int) {
	t.Helper()
	for i := range attackers {
		if counts[attackerOf(i)] != 1 {
			t.Errorf("%s of %s: %d", what, attackerOf(i), counts[attackerOf(i)])
		}
	}
	if len(counts) != attackers {
		t.Errorf("%s: %d, want %d: %v", what, len(counts), attackers, slices.Sorted(maps.Keys(counts)))
	}
}

// within is eventually, for what may take its time.
func within(t *testing.T, limit time.Duration, what string, happened func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for !happened() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v in vain: %s", limit, what)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
