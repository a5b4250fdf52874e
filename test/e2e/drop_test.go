package e2e

import (
	"fmt"
	"testing"
	"time"
)

// firewall starts the firewall component of an instance, which polls five times a second.
func (in *instance) startFirewall(key string) *process {
	in.t.Helper()
	in.write("firewall.yaml", fmt.Sprintf(
		"mode: nftables\nupdate_frequency: 200ms\nlog_mode: stdout\napi_url: http://%s/\napi_key: %s\nnftables_hooks: [input, forward]\nstate_dir: %s\n",
		in.address, key, in.path("firewall-state")))
	return in.start("crowdsec-firewall-bouncer", "-c", in.path("firewall.yaml"))
}

// TestLineBecomesDrop is the main job, from a line in a log to a packet that does not arrive and back.
func TestLineBecomesDrop(t *testing.T) {
	net := newNetwork(t)
	in := newInstance(t, net.server.namespace)
	in.installContent()
	in.register()
	key := in.cscli("bouncers", "add", "firewall", "-o", "raw")
	in.startEngine()
	firewall := in.startFirewall(key)
	flow := net.startFlow(t)
	eventually(t, "packets arrive before the attack", passing(flow))

	logged := in.log(bruteForce(net.attacker.address)...)
	eventually(t, "packets are dropped after the attack", blocked(flow))
	dropped, err := flow.Dropped()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("measured: %v from the last log line to the first dropped packet (polling every 200ms)",
		dropped.Sub(logged).Round(time.Millisecond))

	t.Run("a killed firewall component leaves its bans and adopts them", func(t *testing.T) {
		mark := flow.Sent()
		firewall.kill()
		eventually(t, "more packets are sent while it is dead", func() bool { return flow.Sent() > mark+500 })
		restarted := in.startFirewall(key)
		restarted.await("Processing new and deleted decisions")
		eventually(t, "more packets are sent after its restart", func() bool { return flow.Sent() > mark+2000 })
		if arrived := flow.ArrivedSince(mark); arrived > 0 {
			t.Errorf("%d packets of a banned address arrived", arrived)
		}
	})

	in.cscli("decisions", "delete", "--ip", net.attacker.address)
	eventually(t, "packets arrive after the decision was deleted", passing(flow))
}

// TestOutageLosesNoAlert keeps the Local API dead for half a minute while an attack is logged.
func TestOutageLosesNoAlert(t *testing.T) {
	t.Parallel()
	const outage = 30 * time.Second
	in := newInstance(t, "")
	in.installContent()
	in.register()
	api := in.startEngine("-no-cs")
	in.startEngine("-no-api")
	in.log(bruteForce("198.51.100.1")...)
	eventually(t, "the first alert is stored", func() bool { return len(in.alerts()) > 0 })
	before := len(in.alerts())

	api.kill()
	died := time.Now()
	const attackers = 20
	for i := range attackers {
		in.log(bruteForce(fmt.Sprintf("203.0.113.%d", i+1))...)
	}
	time.Sleep(outage - time.Since(died)) // the outage itself is what is tested
	in.startEngine("-no-cs")
	restarted := time.Now()
	eventually(t, "all alerts of the outage are stored", func() bool { return len(in.alerts()) >= before*(attackers+1) })
	t.Logf("measured: %d alerts of %d attackers, logged during an outage of %v, were stored %v after it",
		len(in.alerts())-before, attackers, outage, time.Since(restarted).Round(time.Millisecond))
	perAttacker := map[string]int{}
	for _, alert := range in.alerts() {
		perAttacker[alert.Source.Value]++
	}
	for address, count := range perAttacker {
		if count != before {
			t.Errorf("%s has %d alerts, expected %d", address, count, before)
		}
	}
	if len(perAttacker) != attackers+1 {
		t.Errorf("%d attackers have alerts, expected %d", len(perAttacker), attackers+1)
	}
}
