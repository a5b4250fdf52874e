package iptables_test

import (
	"context"
	"log/slog"
	"os/exec"
	"testing"
	"time"

	"shieldwall/internal/remediation/backendtest"
	"shieldwall/internal/remediation/iptables"
	"shieldwall/internal/remediation/program"
)

// inside runs programs in a namespace.
func inside(namespace *backendtest.Namespace) program.Runner {
	return func(ctx context.Context, input []byte, name string, args ...string) ([]byte, error) {
		return namespace.Output(exec.CommandContext(ctx, name, args...), func(command *exec.Cmd) ([]byte, error) {
			return program.Output(command, input)
		})
	}
}

// newNamespace is a namespace with the programs, in a kernel that has ipset. Where there is none, the reason is
// printed and the test left out.
func newNamespace(t *testing.T) *backendtest.Namespace {
	t.Helper()
	namespace := backendtest.NewNamespace(t)
	needIPSet(t, namespace)
	return namespace
}

func needIPSet(t *testing.T, namespace *backendtest.Namespace) {
	t.Helper()
	if _, err := inside(namespace)(t.Context(), nil, "ipset", "list", "-terse"); err != nil {
		t.Skipf("needs the program ipset and a kernel with ipset: %v", err)
	}
}

// shipped is the configuration that packages ship.
func shipped(namespace *backendtest.Namespace) iptables.Config {
	return iptables.Config{
		IPv4: iptables.Family{
			Enabled: true, Chains: []string{"INPUT"}, Blacklist: "crowdsec-blacklists", Allowlist: "crowdsec-allowlists",
		},
		IPv6: iptables.Family{
			Enabled: true, Chains: []string{"INPUT"}, Blacklist: "crowdsec6-blacklists", Allowlist: "crowdsec6-allowlists",
		},
		SetType: "nethash", MaxElements: 131072, Comments: true, Target: iptables.Drop, Run: inside(namespace),
	}
}

func open(t *testing.T, config iptables.Config) *iptables.Backend {
	t.Helper()
	backend, err := iptables.New(config, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return backend
}

func TestContents(t *testing.T) {
	t.Parallel()
	for name, configure := range map[string]func(*iptables.Config){
		"shipped":  func(*iptables.Config) {},
		"timeless": func(config *iptables.Config) { config.Timeless = true },
		"small":    func(config *iptables.Config) { config.MaxElements = 3 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backendtest.Contents(t, func(t *testing.T) backendtest.Opener {
				t.Helper()
				config := shipped(newNamespace(t))
				configure(&config)
				return func(t *testing.T) backendtest.Subject {
					t.Helper()
					return open(t, config)
				}
			})
		})
	}
}

func TestFirewall(t *testing.T) {
	t.Parallel()
	newNamespace(t)
	vandal := func(name string, commands ...[]string) backendtest.Vandal {
		return backendtest.Vandal{Name: name, Damage: func(t *testing.T, in *backendtest.Namespace) {
			t.Helper()
			for _, command := range commands {
				in.Run(t, command[0], command[1:]...)
			}
		}}
	}
	backendtest.Firewall(t, func(t *testing.T, at backendtest.Site) backendtest.Subject {
		t.Helper()
		config := shipped(at.In)
		if at.Reject {
			config.Target = iptables.Reject
		}
		return open(t, config)
	}, []backendtest.Vandal{
		vandal("a flush of all rules", []string{"iptables", "-F"}, []string{"ip6tables", "-F"}),
		vandal("a flush of all rules and chains", []string{"iptables", "-F"}, []string{"iptables", "-X"}),
		vandal("a deleted jump", []string{"iptables", "-D", "INPUT", "-j", "CROWDSEC_CHAIN"}),
		vandal("a deleted rule", []string{"iptables", "-D", "CROWDSEC_CHAIN", "1"}),
		vandal("a foreign rule", []string{"iptables", "-I", "CROWDSEC_CHAIN", "-p", "udp", "-j", "ACCEPT"}),
		vandal("flushed sets", []string{"ipset", "flush"}),
		vandal("deleted elements", []string{"ipset", "del", "crowdsec-blacklists-0", "198.51.100.7", "-exist"}, []string{"ipset", "flush", "crowdsec6-blacklists-0"}),
		vandal("destroyed sets", []string{"iptables", "-F"}, []string{"ipset", "flush"}, []string{"sh", "-c", "sleep 0.2; ipset destroy crowdsec-blacklists-0"}),
	})
}

// A start with a long list must not be refused for its size.
func TestHalfAMillion(t *testing.T) {
	t.Parallel()
	backendtest.Large(t, func(t *testing.T) backendtest.Subject {
		t.Helper()
		return open(t, shipped(newNamespace(t)))
	}, 500_000, 1)
}
