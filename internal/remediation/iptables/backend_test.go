package iptables_test

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/remediation"
	"shieldwall/internal/remediation/backendtest"
	"shieldwall/internal/remediation/iptables"
	"shieldwall/internal/wire"
)

func ban(value, origin string) wire.Decision {
	return wire.Decision{Value: value, Origin: origin, Scenario: "tor-exit", Scope: "Ip", Type: "ban", Duration: "4h"}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func enforcer(backend backendtest.Subject) *remediation.Enforcer {
	return remediation.NewEnforcer(backend, remediation.Filter{
		Traits: backend.Traits(), Types: []string{"ban"}, IPv4: true, IPv6: true,
	}, time.Now, slog.New(slog.DiscardHandler))
}

// enforce does what a new process does: it adopts and applies a snapshot.
func enforce(t *testing.T, config iptables.Config, decisions ...wire.Decision) *iptables.Backend {
	t.Helper()
	backend := open(t, config)
	e := enforcer(backend)
	must(t, e.Start(t.Context()))
	_, err := e.Snapshot(t.Context(), backendtest.Told(e.Whole(), wire.DecisionsStream{New: decisions}))
	must(t, err)
	return backend
}

// listing is what iptables-save prints, without what differs from run to run.
func listing(t *testing.T, in *backendtest.Namespace, program string) string {
	t.Helper()
	text := regexp.MustCompile(`(?m)^(#.*|COMMIT|\*filter|:(INPUT|OUTPUT|FORWARD).*)\n`).ReplaceAllString(in.Run(t, program, "-t", "filter"), "")
	return regexp.MustCompile(` \[\d+:\d+\]`).ReplaceAllString(text, "")
}

// Administrators and scripts read these.
func TestListings(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		configure func(*iptables.Config)
		want      string
	}{
		"shipped": {func(*iptables.Config) {}, `:CROWDSEC_CHAIN -
-A INPUT -j CROWDSEC_CHAIN
-A CROWDSEC_CHAIN -m set --match-set crowdsec-blacklists-0 src -m comment --comment "CrowdSec: CAPI" -j DROP
-A CROWDSEC_CHAIN -m set --match-set crowdsec-blacklists-1 src -m comment --comment "CrowdSec: lists:tor-exit" -j DROP
`},
		"logged and rejected": {func(config *iptables.Config) {
			config.Target, config.LogPrefix, config.Comments = iptables.Reject, "crowdsec drop: ", false
		}, `:CROWDSEC_CHAIN -
:CROWDSEC_LOG -
-A INPUT -j CROWDSEC_CHAIN
-A CROWDSEC_CHAIN -m set --match-set crowdsec-blacklists-0 src -j CROWDSEC_LOG
-A CROWDSEC_CHAIN -m set --match-set crowdsec-blacklists-1 src -j CROWDSEC_LOG
-A CROWDSEC_LOG -j LOG --log-prefix "crowdsec drop: "
-A CROWDSEC_LOG -j REJECT --reject-with icmp-port-unreachable
`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := newNamespace(t)
			config := shipped(in)
			test.configure(&config)
			backend := open(t, config)
			e := enforcer(backend)
			must(t, e.Start(t.Context()))
			for _, decision := range []wire.Decision{ban("192.0.2.1", "CAPI"), ban("198.51.100.0/24", "lists")} {
				must(t, e.Changes(t.Context(), backendtest.Told(e.Delta(), wire.DecisionsStream{New: []wire.Decision{decision}})))
			}
			if got := listing(t, in, "iptables-save"); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
			must(t, backend.Remove(t.Context()))
			if got := listing(t, in, "iptables-save") + listing(t, in, "ip6tables-save") + in.Run(t, "ipset", "list", "-n"); got != "" {
				t.Errorf("a normal end leaves\n%s", got)
			}
		})
	}
}

// A process that is killed between two programs leaves something unfinished, which the next one finishes.
func TestInterruptedAfterAnyProgram(t *testing.T) {
	t.Parallel()
	decisions := []wire.Decision{ban("192.0.2.1", "CAPI"), ban("198.51.100.0/24", "cscli"), ban("2001:db8::1", "CAPI")}
	killed := errors.New("killed")
	for most := range 24 {
		in := newNamespace(t)
		config := shipped(in)
		run, left := config.Run, most
		config.Run = func(ctx context.Context, input []byte, name string, args ...string) ([]byte, error) {
			if left--; left < 0 {
				return nil, killed
			}
			return run(ctx, input, name, args...)
		}
		e := enforcer(open(t, config))
		err := e.Start(t.Context())
		if err == nil {
			_, err = e.Snapshot(t.Context(), backendtest.Told(e.Whole(), wire.DecisionsStream{New: decisions}))
		}
		if err != nil && !errors.Is(err, killed) {
			t.Fatal(err)
		}
		backend := enforce(t, shipped(in), decisions...)
		second := enforcer(backend)
		must(t, second.Start(t.Context()))
		must(t, second.Reconcile(t.Context()))
		if last := second.Audits().Last; last.Wanted != len(decisions) || last.Coverage() != 100 || last.Damaged {
			t.Fatalf("after %d programs: %+v", most, last)
		}
		if err == nil {
			return
		}
	}
	t.Error("it never got through")
}

// The sets and the rules that look at them were made by somebody else.
func TestModeIPSet(t *testing.T) {
	t.Parallel()
	lab := backendtest.NewLab(t)
	needIPSet(t, lab.Firewall)
	in := lab.Firewall
	in.Run(t, "ipset", "create", "crowdsec-blacklists", "hash:net", "timeout", "300")
	in.Run(t, "iptables", "-A", "INPUT", "-m", "set", "--match-set", "crowdsec-blacklists", "src", "-j", "DROP")
	config := shipped(in)
	config.SetsOnly, config.IPv6.Enabled = true, false
	backend := enforce(t, config, ban("198.51.100.7", "CAPI"), ban("198.51.100.128/25", "cscli"))
	for _, address := range []string{"198.51.100.7", "198.51.100.200"} {
		if answer := lab.Ask(t, address); answer != backendtest.Silence {
			t.Errorf("%s gets %s", address, answer)
		}
	}
	if answer := lab.Ask(t, "198.51.100.8"); answer != backendtest.Echo {
		t.Errorf("a neighbour gets %s", answer)
	}
	counters, err := backend.Counters(t.Context())
	must(t, err)
	if len(counters) != 2 || counters[0].Dropped || !counters[1].Dropped || counters[1].Group != "ipset" || counters[1].Packets < 6 {
		t.Errorf("counted %+v", counters)
	}
	must(t, backend.Remove(t.Context()))
	if answer := lab.Ask(t, "198.51.100.7"); answer != backendtest.Echo {
		t.Errorf("after a normal end it gets %s", answer)
	}
	if names := strings.Fields(in.Run(t, "ipset", "list", "-n")); !slices.Contains(names, "crowdsec-blacklists") {
		t.Errorf("the set of somebody else is gone: %v", names)
	}
}
