package nftables_test

import (
	"log/slog"
	"testing"
	"time"

	"shieldwall/internal/remediation/backendtest"
	"shieldwall/internal/remediation/nftables"
)

// shipped is the configuration that packages ship.
func shipped(t *testing.T, namespace *backendtest.Namespace) nftables.Config {
	t.Helper()
	return nftables.Config{
		IPv4: nftables.Family{
			Enabled: true, Table: "crowdsec", Chain: "crowdsec-chain", Blacklist: "crowdsec-blacklists", Allowlist: "crowdsec-allowlists", Priority: -10,
		},
		IPv6: nftables.Family{
			Enabled: true, Table: "crowdsec6", Chain: "crowdsec6-chain", Blacklist: "crowdsec6-blacklists", Allowlist: "crowdsec6-allowlists", Priority: -10,
		},
		Hooks:     []nftables.Hook{hook(t, "input"), hook(t, "forward")},
		Verdict:   nftables.Drop,
		Namespace: namespace.FD(),
	}
}

func hook(t *testing.T, name string) nftables.Hook {
	t.Helper()
	hook, known := nftables.ParseHook(name)
	if !known {
		t.Fatalf("unknown hook %s", name)
	}
	return hook
}

func open(t *testing.T, config nftables.Config) *nftables.Backend {
	t.Helper()
	backend, err := nftables.New(config, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return backend
}

func TestContents(t *testing.T) {
	t.Parallel()
	backendtest.Contents(t, func(t *testing.T) backendtest.Opener {
		t.Helper()
		namespace := backendtest.NewNamespace(t)
		return func(t *testing.T) backendtest.Subject {
			t.Helper()
			return open(t, shipped(t, namespace))
		}
	})
}

func TestFirewall(t *testing.T) {
	t.Parallel()
	nft := func(name string, commands ...[]string) backendtest.Vandal {
		return backendtest.Vandal{Name: name, Damage: func(t *testing.T, in *backendtest.Namespace) {
			t.Helper()
			for _, command := range commands {
				in.Run(t, "nft", command...)
			}
		}}
	}
	backendtest.Firewall(t, func(t *testing.T, at backendtest.Site) backendtest.Subject {
		t.Helper()
		config := shipped(t, at.In)
		if at.Reject {
			config.Verdict = nftables.Reject
		}
		return open(t, config)
	}, []backendtest.Vandal{
		nft("a flush of all rules", []string{"flush", "ruleset"}),
		nft("a deleted table", []string{"delete", "table", "ip", "crowdsec"}),
		nft("a deleted chain", []string{"delete", "chain", "ip", "crowdsec", "crowdsec-chain-input"}),
		nft("a flushed chain", []string{"flush", "chain", "ip6", "crowdsec6", "crowdsec6-chain-input"}),
		nft("flushed sets", []string{"flush", "set", "ip", "crowdsec", "crowdsec-blacklists-crowdsec"},
			[]string{"flush", "set", "ip6", "crowdsec6", "crowdsec6-blacklists-crowdsec-ranges"}),
		nft("deleted elements", []string{"delete", "element", "ip", "crowdsec", "crowdsec-blacklists-crowdsec", "{ 198.51.100.7 }"}),
		nft("a foreign rule", []string{"insert", "rule", "ip", "crowdsec", "crowdsec-chain-input", "accept"}),
		nft("a deleted set", []string{"flush", "table", "ip", "crowdsec"},
			[]string{"delete", "set", "ip", "crowdsec", "crowdsec-blacklists-crowdsec"}),
	})
}

// A start with a long list must not be refused for its size.
func TestHalfAMillion(t *testing.T) {
	t.Parallel()
	backendtest.Large(t, func(t *testing.T) backendtest.Subject {
		t.Helper()
		return open(t, shipped(t, backendtest.NewNamespace(t)))
	}, 500_000, 5)
}
