package nftables_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"shieldwall/internal/domain"
	"shieldwall/internal/remediation"
	"shieldwall/internal/remediation/backendtest"
	"shieldwall/internal/remediation/nftables"
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

// enforce does what a new process does: it adopts and applies a snapshot.
func enforce(t *testing.T, config nftables.Config, decisions ...wire.Decision) *nftables.Backend {
	t.Helper()
	backend := open(t, config)
	e := remediation.NewEnforcer(backend, remediation.Filter{
		Types: []string{"ban"}, IPv4: config.IPv4.Enabled, IPv6: config.IPv6.Enabled, Traits: backend.Traits(),
	}, time.Now, slog.New(slog.DiscardHandler))
	must(t, e.Start(t.Context()))
	_, err := e.Snapshot(t.Context(), backendtest.Told(e.Whole(), wire.DecisionsStream{New: decisions}))
	must(t, err)
	return backend
}

// listing is what nft shows, without what differs from run to run.
func listing(t *testing.T, in *backendtest.Namespace) string {
	t.Helper()
	text := in.Run(t, "nft", "list", "ruleset")
	text = regexp.MustCompile(`expires \w+`).ReplaceAllString(text, "expires …")
	text = regexp.MustCompile(`timeout 3h59m\d+s\w*`).ReplaceAllString(text, "timeout 4h")
	text = regexp.MustCompile(`packets \d+ bytes \d+`).ReplaceAllString(text, "packets … bytes …")
	return sortedTables(text)
}

// sortedTables puts the objects of each table in the order of their text: otherwise they come in the order
// in which they were made.
func sortedTables(text string) string {
	tables := strings.SplitAfter(text, "\n}\n")
	for i, table := range tables {
		head, body, found := strings.Cut(strings.TrimSuffix(table, "}\n"), "{\n")
		if found {
			objects := strings.Split(strings.TrimSuffix(body, "\n"), "\n\n")
			slices.Sort(objects)
			tables[i] = head + "{\n" + strings.Join(objects, "\n\n") + "\n}\n"
		}
	}
	return strings.Join(tables, "")
}

func expectListing(t *testing.T, in *backendtest.Namespace, file string) {
	t.Helper()
	want, err := os.ReadFile(filepath.Join("testdata", file))
	must(t, err)
	if got := listing(t, in); got != string(want) {
		t.Errorf("nft lists\n%s\nwant\n%s", got, want)
	}
}

// Administrators and scripts read these.
func TestListings(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		file      string
		configure func(*nftables.Config)
		decisions []wire.Decision
	}{
		{"empty.nft", func(*nftables.Config) {}, nil},
		{"shipped.nft", func(*nftables.Config) {}, []wire.Decision{
			ban("192.0.2.1", "CAPI"), ban("192.0.2.1", "lists"), ban("2001:db8::1", "cscli"),
			ban("198.51.100.0/24", "CAPI"), ban("198.51.100.128/25", "CAPI"), ban("2001:db8:1::/64", "cscli"),
		}},
		{"reject.nft", func(config *nftables.Config) {
			config.IPv4.Priority, config.IPv6.Priority = 0, 0
			config.Hooks = config.Hooks[:1]
			config.Verdict, config.LogPrefix = nftables.Reject, "crowdsec drop: "
		}, []wire.Decision{ban("192.0.2.1", "crowdsec"), ban("2001:db8::1", "crowdsec")}},
		{"ipv4only.nft", func(config *nftables.Config) {
			config.IPv6.Enabled = false
		}, []wire.Decision{ban("192.0.2.1", "crowdsec"), ban("2001:db8::1", "crowdsec")}},
	} {
		t.Run(test.file, func(t *testing.T) {
			t.Parallel()
			in := backendtest.NewNamespace(t)
			config := shipped(t, in)
			test.configure(&config)
			enforce(t, config, test.decisions...)
			expectListing(t, in, test.file)
		})
	}
}

// A new process may have another configuration than the one whose objects it finds, or find those of
// somebody else who uses the same names.
func TestLeftoversBecomeWhatIsConfigured(t *testing.T) {
	t.Parallel()
	decisions := []wire.Decision{ban("192.0.2.1", "crowdsec"), ban("198.51.100.0/24", "crowdsec")}
	for name, leave := range map[string]func(*testing.T, *backendtest.Namespace){
		"other hooks": func(t *testing.T, in *backendtest.Namespace) {
			t.Helper()
			config := shipped(t, in)
			config.Hooks = []nftables.Hook{hook(t, "prerouting"), hook(t, "input")}
			enforce(t, config, decisions...)
		},
		"another priority": func(t *testing.T, in *backendtest.Namespace) {
			t.Helper()
			config := shipped(t, in)
			config.IPv4.Priority = 5
			enforce(t, config, decisions...)
		},
		"another verdict": func(t *testing.T, in *backendtest.Namespace) {
			t.Helper()
			config := shipped(t, in)
			config.Verdict = nftables.Reject
			enforce(t, config, decisions...)
		},
		"a repeated rule": func(t *testing.T, in *backendtest.Namespace) {
			t.Helper()
			enforce(t, shipped(t, in), decisions...)
			in.Run(t, "nft", "add", "rule", "ip", "crowdsec", "crowdsec-chain-input", "counter", "name", "processed")
		},
		"a set that cannot be filled": func(t *testing.T, in *backendtest.Namespace) {
			t.Helper()
			in.Run(t, "nft", "add table ip crowdsec;"+
				"add set ip crowdsec crowdsec-blacklists-crowdsec { type ether_addr; };"+
				"add chain ip crowdsec crowdsec-chain-input { type filter hook input priority 0; };"+
				"add rule ip crowdsec crowdsec-chain-input ether saddr @crowdsec-blacklists-crowdsec drop")
		},
		"elements that never end": func(t *testing.T, in *backendtest.Namespace) {
			t.Helper()
			in.Run(t, "nft", "add table ip crowdsec;"+
				"add set ip crowdsec crowdsec-blacklists-crowdsec { type ipv4_addr; flags timeout; };"+
				"add element ip crowdsec crowdsec-blacklists-crowdsec { 192.0.2.1, 192.0.2.2 }")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := backendtest.NewNamespace(t)
			leave(t, in)
			enforce(t, shipped(t, in), decisions...)
			expectListing(t, in, "leftovers.nft")
		})
	}
}

func TestSetOnly(t *testing.T) {
	t.Parallel()
	in := backendtest.NewNamespace(t)
	config := shipped(t, in)
	config.IPv4.SetOnly, config.IPv6.SetOnly = true, true
	config.IPv4.Table, config.IPv6.Table = "filter", "filter"
	err := open(t, config).Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), "nftables: could not find table 'filter'") {
		t.Errorf("without the table: %v", err)
	}
	in.Run(t, "nft", "add table inet filter; add counter inet filter mine; add chain inet filter theirs;"+
		"add set inet filter others { type ipv4_addr; elements = { 192.0.2.99 } }")
	backend := enforce(t, config,
		ban("192.0.2.1", "crowdsec"), ban("192.0.2.1", "cscli"), ban("2001:db8::1", "cscli"), ban("198.51.100.0/24", "CAPI"))
	expectListing(t, in, "setonly.nft")
	must(t, backend.Remove(t.Context()))
	expectListing(t, in, "setonly-removed.nft")
}

func TestSetOnlyRefusesASetOfAnotherType(t *testing.T) {
	t.Parallel()
	in := backendtest.NewNamespace(t)
	config := shipped(t, in)
	config.IPv4.SetOnly, config.IPv4.Table, config.IPv6.Enabled = true, "filter", false
	in.Run(t, "nft", "add table ip filter; add set ip filter crowdsec-blacklists { type ipv4_addr; }")
	if err := open(t, config).Check(t.Context()); err == nil || !strings.Contains(err.Error(), "crowdsec-blacklists") {
		t.Errorf("got %v", err)
	}
}

func TestCheckChangesNothing(t *testing.T) {
	t.Parallel()
	in := backendtest.NewNamespace(t)
	must(t, open(t, shipped(t, in)).Check(t.Context()))
	if got := listing(t, in); got != "" {
		t.Errorf("an empty ruleset became\n%s", got)
	}
}

func TestRejectIsAnswered(t *testing.T) {
	t.Parallel()
	lab := backendtest.NewLab(t)
	config := shipped(t, lab.Firewall)
	config.Verdict = nftables.Reject
	enforce(t, config, ban("198.51.100.7", "crowdsec"), ban("2001:db8:1::7", "crowdsec"))
	for _, address := range []string{"198.51.100.7", "2001:db8:1::7"} {
		if answer := lab.Ask(t, address); answer != backendtest.Refusal {
			t.Errorf("%s gets %s", address, answer)
		}
	}
}

// The kernel's reason is what an administrator has to go by.
func TestErrorsSayWhy(t *testing.T) {
	t.Parallel()
	backend := open(t, shipped(t, backendtest.NewNamespace(t)))
	address := netip.MustParseAddr("192.0.2.1")
	err := backend.Apply(t.Context(), remediation.Plan{Changes: []remediation.Change{{
		Set: remediation.Set{Group: "crowdsec"},
		Add: []remediation.Element{{
			IPRange: domain.IPRange{First: address, Last: address}, Until: time.Now().Add(time.Hour),
		}},
	}}})
	if !errors.Is(err, unix.ENOENT) {
		t.Errorf("without a table: %v", err)
	}
}

// A start with a long list must not be refused for its size, and a change of most of it neither.
func TestTwoHundredThousand(t *testing.T) {
	t.Parallel()
	const count = 200_000
	in := backendtest.NewNamespace(t)
	decisions := make([]wire.Decision, count)
	for i := range decisions {
		decisions[i] = ban(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), "CAPI")
	}
	begin := time.Now()
	enforce(t, shipped(t, in), decisions...)
	t.Logf("enforced %d from nothing in %s", count, time.Since(begin))
	for i := range decisions {
		decisions[i].Duration = "6h"
	}
	begin = time.Now()
	backend := enforce(t, shipped(t, in), decisions[count/4:]...)
	t.Logf("extended %d and removed %d in %s", count*3/4, count/4, time.Since(begin))
	begin = time.Now()
	enforced, err := backend.Read(t.Context())
	must(t, err)
	t.Logf("read in %s", time.Since(begin))
	held := enforced.Sets[remediation.Set{Group: "CAPI"}]
	if len(held) != count*3/4 {
		t.Errorf("%d held", len(held))
	}
	for value, until := range held {
		if time.Until(until) < 5*time.Hour {
			t.Fatalf("%v was not extended", value)
		}
	}
}
