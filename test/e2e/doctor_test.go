package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// checkup is what "cscli doctor -o json" says.
type checkup struct {
	Address string `json:"address"`
	Proven  bool   `json:"proven"`
	Failed  string `json:"failed_hop"`
	Hops    []struct {
		Hop    string `json:"hop"`
		State  string `json:"state"`
		Detail string `json:"detail"`
		Advice string `json:"advice"`
	} `json:"hops"`
}

func (c checkup) states() string {
	var words []string
	for _, h := range c.Hops {
		words = append(words, h.Hop+" "+h.State)
	}
	return strings.Join(words, ", ")
}

// doctor examines, and returns what it says and whether it is content.
func (in *instance) doctor(args ...string) (said checkup, content bool) {
	in.t.Helper()
	cmd := in.command("cscli", append([]string{"-c", in.path("config.yaml"), "doctor", "-o", "json"}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if jsonErr := json.Unmarshal(stdout.Bytes(), &said); jsonErr != nil {
		in.t.Fatalf("%v, %v: %s%s", err, jsonErr, stdout.String(), stderr.String())
	}
	return said, err == nil
}

// sick examines until the doctor names a hop. On a busy machine one before it may be too slow, so it is asked again.
func (in *instance) sick(hop, detail string) {
	in.t.Helper()
	var said checkup
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		var content bool
		if said, content = in.doctor("--timeout", "3s"); content {
			in.t.Fatalf("content although %s is broken: %+v", hop, said)
		}
		if said.Failed != hop {
			continue
		}
		for _, h := range said.Hops {
			if h.Hop == hop && strings.Contains(h.Detail, detail) && h.Advice != "" {
				return
			}
		}
		break
	}
	in.t.Errorf("%s is broken (%s), the doctor says %+v", hop, detail, said)
}

// newPatient is an instance that the doctor was installed on.
func newPatient(t *testing.T, namespace string) *instance {
	t.Helper()
	in := newInstance(t, namespace)
	in.write("config.yaml", fmt.Sprintf(`
config_paths: {config_dir: %[1]s, data_dir: %[1]s/data}
crowdsec_service: {acquisition_path: %[1]s/acquis.yaml, acquisition_dir: %[1]s/acquis.d}
db_config: {type: sqlite, db_path: %[1]s/data/crowdsec.db}
prometheus: {enabled: true, level: full, listen_addr: 127.0.0.1, listen_port: 6060}
api:
  client: {credentials_path: %[1]s/local_api_credentials.yaml}
  server: {listen_uri: %[2]s, profiles_path: %[1]s/profiles.yaml, trusted_ips: [127.0.0.1]}
`, in.dir, in.address))
	in.installContent()
	in.register()
	in.cscli("doctor", "install")
	return in
}

// TestDoctor examines a healthy instance, and then one hop after the other is broken.
func TestDoctor(t *testing.T) {
	t.Parallel()
	needsRoot(t)
	namespace := fmt.Sprint("sw-doctor-", os.Getpid())
	ip(t, "netns", "add", namespace)
	t.Cleanup(func() { ip(t, "netns", "delete", namespace) })
	ip(t, "-n", namespace, "link", "set", "lo", "up")
	in := newPatient(t, namespace)
	engine := in.startEngine()

	if said, content := in.doctor(); content || said.states() !=
		"local api ok, log line ok, scenario ok, decision ok, stream absent, kernel absent, packet absent, clean-up ok" {
		t.Errorf("without a firewall component: %+v", said)
	}
	if said, content := in.doctor("--without-firewall"); !content || !said.Proven {
		t.Errorf("without a firewall component, as expected: %+v", said)
	}

	in.write("bouncers/crowdsec-firewall-bouncer.yaml", fmt.Sprintf(
		"mode: nftables\nupdate_frequency: 200ms\nlog_mode: stdout\napi_url: http://%s/\napi_key: %s\nstate_dir: %s\nreconcile_interval: 1h\n",
		in.address, in.cscli("bouncers", "add", "firewall", "-o", "raw"), in.path("firewall-state")))
	firewall := in.start("crowdsec-firewall-bouncer", "-c", in.path("bouncers/crowdsec-firewall-bouncer.yaml"))
	firewall.await("Processing new and deleted decisions")
	const healthy = "local api ok, log line ok, scenario ok, decision ok, stream ok, kernel ok, packet ok, clean-up ok"
	for _, args := range [][]string{nil, {"--ip", "2001:db8::7"}, {"--ip", "203.0.113.7"}} {
		said, content := in.doctor(append(args, "--timeout", "60s")...)
		if !content || !said.Proven || said.states() != healthy {
			t.Errorf("healthy %v: %+v", args, said)
		}
		rules, err := exec.Command("ip", "netns", "exec", namespace, "nft", "list", "ruleset").CombinedOutput()
		if err != nil || said.Address == "" || strings.Contains(string(rules), said.Address) {
			t.Errorf("%s is left in the kernel (%v): %s", said.Address, err, rules)
		}
		if alerts := in.alerts(); len(alerts) > 0 {
			t.Errorf("alerts are left: %+v", alerts)
		}
	}

	in.nft("flush", "chain", "ip", "crowdsec", "crowdsec-chain-input")
	in.sick("kernel", "no rule leads packets there")
	firewall.stop()
	in.sick("stream", "firewall pending")

	scenario, acquisition := in.path("scenarios/shieldwall-doctor.yaml"), in.path("acquis.d/shieldwall-doctor.yaml")
	if err := os.Rename(scenario, scenario+".off"); err != nil {
		t.Fatal(err)
	}
	reloads := 0
	reload := func() {
		reloads++
		engine.reload()
		engine.awaitTimes(reloads, "reloaded")
	}
	reload()
	in.sick("scenario", "not installed: scenario shieldwall/doctor")
	if err := os.Rename(scenario+".off", scenario); err != nil {
		t.Fatal(err)
	}
	profiles, err := os.ReadFile(in.path("profiles.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	in.write("profiles.yaml", "name: nothing\nfilters: ['false']\ndecisions: [{type: ban, duration: 1h}]\non_success: break\n")
	reload()
	in.sick("decision", "no profile decided anything")
	in.write("profiles.yaml", string(profiles))
	reload()
	if err := os.Remove(acquisition); err != nil {
		t.Fatal(err)
	}
	in.sick("log line", "no acquisition watches")
	engine.stop()
	in.sick("local api", "it does not answer")
}

// nft changes the rules in the namespace of the instance.
func (in *instance) nft(args ...string) {
	in.t.Helper()
	if out, err := exec.Command("ip", append([]string{"netns", "exec", in.namespace, "nft"}, args...)...).CombinedOutput(); err != nil {
		in.t.Fatalf("nft %v: %v: %s", args, err, out)
	}
}

// TestEnforcementIsTold by the component to the Local API, and by that to cscli.
func TestEnforcementIsTold(t *testing.T) {
	t.Parallel()
	needsRoot(t)
	namespace := fmt.Sprint("sw-enforced-", os.Getpid())
	ip(t, "netns", "add", namespace)
	t.Cleanup(func() { ip(t, "netns", "delete", namespace) })
	ip(t, "-n", namespace, "link", "set", "lo", "up")
	in := newInstance(t, namespace)
	in.register()
	in.startEngine("-no-cs")
	key := in.cscli("bouncers", "add", "firewall", "-o", "raw")
	in.write("firewall.yaml.local", "reconcile_interval: 3s\n")
	in.startFirewall(key)
	in.cscli("decisions", "add", "--ip", "192.0.2.66", "--duration", "1h")
	inspected := func() (e struct {
		Enforced   int `json:"enforced"`
		Components []struct {
			Name  string `json:"name"`
			State string `json:"state"`
		} `json:"components"`
	},
	) {
		if err := json.Unmarshal([]byte(in.cscli("decisions", "inspect", "1", "-o", "json")), &e); err != nil {
			t.Fatal(err)
		}
		return e
	}
	eventually(t, "the decision is enforced on one component", func() bool { return inspected().Enforced == 1 })

	// What somebody removes is missing at the next look, and enforced again at a later one.
	eventually(t, "it is not taken for enforced", func() bool {
		in.nft("flush", "set", "ip", "crowdsec", "crowdsec-blacklists-cscli")
		return inspected().Enforced == 0
	})
	eventually(t, "it is enforced again", func() bool { return inspected().Enforced == 1 })
	eventually(t, "the list of bouncers shows the coverage", func() bool {
		return strings.Contains(in.cscli("bouncers", "list"), "Coverage") && strings.Contains(in.cscli("bouncers", "list"), "100%")
	})
	in.cscli("decisions", "add", "--range", "198.51.100.0/24", "--type", "captcha")
	excluded := in.cscli("decisions", "inspect", "2", "-o", "json")
	if !strings.Contains(excluded, `"state": "excluded"`) || !strings.Contains(excluded, `"enforced": 0`) {
		t.Errorf("a captcha: %s", excluded)
	}
}
