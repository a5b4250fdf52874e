package e2e

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// manager is a service manager that programs report to.
type manager struct {
	t        *testing.T
	listener *net.UnixConn
}

// newManager starts one, to which all programs of an instance report that are started from now on.
func (in *instance) newManager() manager {
	in.t.Helper()
	path := in.path("notify")
	listener, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: path})
	if err != nil {
		in.t.Fatal(err)
	}
	in.t.Cleanup(func() { _ = listener.Close() })
	in.env = append(in.env, "NOTIFY_SOCKET="+path)
	return manager{in.t, listener}
}

// expect waits for the next report, signs of life aside.
func (m manager) expect(pattern string) {
	m.t.Helper()
	if got := m.next(); !regexp.MustCompile(pattern).MatchString(got) {
		m.t.Errorf("the service manager was told %q, want %s", got, pattern)
	}
}

func (m manager) next() string {
	m.t.Helper()
	for {
		if got := m.read(); got != "WATCHDOG=1" {
			return got
		}
	}
}

func (m manager) read() string {
	m.t.Helper()
	if err := m.listener.SetReadDeadline(time.Now().Add(patience)); err != nil {
		m.t.Fatal(err)
	}
	buffer := make([]byte, 256)
	n, err := m.listener.Read(buffer)
	if err != nil {
		m.t.Fatalf("the service manager was not told: %v", err)
	}
	return string(buffer[:n])
}

// TestServiceManagerIsTold: that a service is ready, reloads, lives and ends.
func TestServiceManagerIsTold(t *testing.T) {
	t.Parallel()
	in := newInstance(t, "")
	in.installContent()
	in.register()
	m := in.newManager()
	in.env = append(in.env, "WATCHDOG_USEC=100000")
	engine := in.startEngine()
	m.expect(`^READY=1$`)
	eventually(t, "a sign of life", func() bool { return m.read() == "WATCHDOG=1" })
	engine.reload()
	m.expect(`^RELOADING=1\nMONOTONIC_USEC=[1-9][0-9]*$`)
	m.expect(`^READY=1$`)
	in.write("config.yaml", "nonsense")
	engine.reload()
	m.expect(`^RELOADING=1\n`)
	m.expect(`^READY=1$`) // with what was in force
	engine.stop()
	m.expect(`^STOPPING=1$`)

	in.write("firewall.yaml", "mode: dry-run\napi_url: http://"+in.address+"/\napi_key: x\nlog_mode: stdout\nretry_initial_connect: true\n")
	firewall := in.start("crowdsec-firewall-bouncer", "-c", in.path("firewall.yaml"))
	m.expect(`^READY=1$`)
	firewall.stop()
	m.expect(`^STOPPING=1$`)
}

// unitCapabilities returns the capabilities that a unit of ours leaves, as setpriv names them.
func unitCapabilities(t *testing.T, unit string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../packaging/systemd", unit))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^CapabilityBoundingSet=(.+)$`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("%s leaves all capabilities", unit)
	}
	return "-all," + strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(string(found[1]), "CAP_", "+"), " ", ","))
}

// TestUnitsLeaveEnough does the main job with no more capabilities than the units leave: a log of somebody else's is
// read, the Local API listens on a low port, and packets are dropped.
func TestUnitsLeaveEnough(t *testing.T) {
	net := newNetwork(t)
	in := newInstance(t, net.server.namespace)
	in.address = "127.0.0.1:80"
	in.writeConfig("")
	in.installContent()
	in.register()
	in.log("the log exists")
	if err := os.Chown(in.path("logs/auth.log"), 65534, 65534); err != nil { // of mode 0600
		t.Fatal(err)
	}
	key := in.cscli("bouncers", "add", "firewall", "-o", "raw")
	under := func(unit string) {
		in.wrapper = []string{"setpriv", "--no-new-privs", "--bounding-set", unitCapabilities(t, unit)}
	}
	under("crowdsec.service")
	in.startEngine().await("following log file")
	under("crowdsec-firewall-bouncer.service")
	in.startFirewall(key).await("Processing new and deleted decisions")
	flow := net.startFlow(t)
	eventually(t, "packets arrive before the attack", passing(flow))
	in.log(bruteForce(net.attacker.address)...)
	eventually(t, "packets are dropped after the attack", blocked(flow))
}
