package pf_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"shieldwall/internal/domain"
	"shieldwall/internal/remediation"
	"shieldwall/internal/remediation/backendtest"
	"shieldwall/internal/remediation/pf"
)

// filter stands in for pfctl: it keeps tables, and says what it was asked.
type filter struct {
	mu     sync.Mutex // guards all below
	tables map[string]map[string]bool
	states string
	rules  string
	calls  []string
}

func newFilter(tables ...string) *filter {
	f := &filter{tables: map[string]map[string]bool{}}
	for _, name := range tables {
		f.tables[name] = map[string]bool{}
	}
	return f
}

func (f *filter) run(_ context.Context, input []byte, name string, args ...string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	call := name + " " + strings.Join(args, " ")
	f.calls = append(f.calls, call)
	call = strings.ReplaceAll(strings.ReplaceAll(call, " -q", ""), " -a crowdsec", "")
	var table, verb string
	if _, err := fmt.Sscanf(call, "pfctl -t %s -T %s", &table, &verb); err == nil {
		return f.table(table, verb, strings.Fields(string(input)))
	}
	switch {
	case call == "pfctl -s Tables":
		return []byte(strings.Join(slices.Sorted(maps.Keys(f.tables)), "\n") + "\n"), nil
	case call == "pfctl -s states":
		return []byte(f.states), nil
	case call == "pfctl -v -s rules":
		return []byte(f.rules), nil
	case strings.HasPrefix(call, "pfctl -k "):
		return nil, nil
	}
	return nil, fmt.Errorf("unknown call %q", call)
}

func (f *filter) table(name, verb string, values []string) ([]byte, error) {
	held := f.tables[name]
	if held == nil && verb != "add" {
		return nil, fmt.Errorf("table %s does not exist", name)
	}
	switch verb {
	case "show":
		return []byte("   " + strings.Join(slices.Sorted(maps.Keys(held)), "\n   ") + "\n"), nil
	case "flush":
		clear(held)
	case "delete":
		for _, value := range values {
			delete(held, value)
		}
	case "add":
		if held == nil {
			held = map[string]bool{}
			f.tables[name] = held
		}
		for _, value := range values {
			if prefix, err := netip.ParsePrefix(value); err == nil && prefix.Masked() != prefix {
				return nil, fmt.Errorf("not a prefix: %s", value)
			}
			held[value] = true
		}
	default:
		return nil, fmt.Errorf("unknown verb %s", verb)
	}
	return nil, nil
}

func config(f *filter) pf.Config {
	return pf.Config{
		IPv4: pf.Family{Enabled: true, Blacklist: "crowdsec-blacklists", Allowlist: "crowdsec-allowlists"},
		IPv6: pf.Family{Enabled: true, Blacklist: "crowdsec6-blacklists", Allowlist: "crowdsec6-allowlists"},
		Run:  f.run,
	}
}

func open(t *testing.T, config pf.Config) *pf.Backend {
	t.Helper()
	backend, err := pf.New(config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return backend
}

func TestContents(t *testing.T) {
	t.Parallel()
	for _, anchor := range []string{"", "crowdsec"} {
		t.Run("anchor "+anchor, func(t *testing.T) {
			t.Parallel()
			backendtest.Contents(t, func(t *testing.T) backendtest.Opener {
				t.Helper()
				cfg := config(newFilter("crowdsec-blacklists", "crowdsec6-blacklists", "crowdsec-allowlists", "crowdsec6-allowlists"))
				cfg.Anchor = anchor
				return func(t *testing.T) backendtest.Subject {
					t.Helper()
					return open(t, cfg)
				}
			})
		})
	}
}

func TestMissingTable(t *testing.T) {
	t.Parallel()
	cfg := config(newFilter("crowdsec-blacklists"))
	cfg.Anchor = "crowdsec"
	err := open(t, cfg).Check(t.Context())
	if err == nil || !strings.HasPrefix(err.Error(), "table crowdsec6-blacklists doesn't exist in anchor crowdsec; pf.conf needs\ntable ") {
		t.Errorf("got %v", err)
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	cfg := config(nil)
	want := `table <crowdsec-allowlists> persist
table <crowdsec-blacklists> persist
table <crowdsec6-allowlists> persist
table <crowdsec6-blacklists> persist
anchor in inet from !<crowdsec-allowlists> {
	block drop in quick inet from <crowdsec-blacklists>
}
anchor in inet6 from !<crowdsec6-allowlists> {
	block drop in quick inet6 from <crowdsec6-blacklists>
}
`
	if got := pf.Rules(cfg); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	cfg.IPv6.Enabled, cfg.Reject, cfg.Log = false, true, true
	want = `table <crowdsec-allowlists> persist
table <crowdsec-blacklists> persist
anchor in inet from !<crowdsec-allowlists> {
	block return in log quick inet from <crowdsec-blacklists>
}
`
	if got := pf.Rules(cfg); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestConnectionsOfBannedAddressesEnd(t *testing.T) {
	t.Parallel()
	f := newFilter("crowdsec-blacklists", "crowdsec6-blacklists")
	f.states = `all tcp 192.0.2.1:22 <- 198.51.100.7:40000       ESTABLISHED:ESTABLISHED
all udp 192.0.2.1:53 (10.0.0.1:53) <- 203.0.113.9:5353       SINGLE:MULTIPLE
all tcp 2001:db8::1[443] <- 2001:db8:1::7[50000]       ESTABLISHED:ESTABLISHED
all icmp 192.0.2.1:8 <- 203.0.113.10:8       0:0
`
	backend := open(t, config(f))
	var plan remediation.Plan
	for _, value := range []string{"198.51.100.7", "203.0.113.8/31", "2001:db8:1::/64"} {
		addresses, err := domain.ParseIPRange(value)
		if err != nil {
			t.Fatal(err)
		}
		plan.Changes = append(plan.Changes, remediation.Change{
			Set: remediation.Set{Group: "pf", IPv6: !addresses.Is4()}, Add: []remediation.Element{{IPRange: addresses}},
		})
	}
	if err := backend.Apply(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	var ended []string
	for _, call := range f.calls {
		if strings.HasPrefix(call, "pfctl -k") {
			ended = append(ended, strings.TrimPrefix(call, "pfctl "))
		}
	}
	want := []string{
		"-k 198.51.100.7", "-k 0.0.0.0/0 -k 198.51.100.7", "-k 203.0.113.9", "-k 0.0.0.0/0 -k 203.0.113.9",
		"-k 2001:db8:1::7", "-k ::/0 -k 2001:db8:1::7",
	}
	if !slices.Equal(ended, want) {
		t.Errorf("ended %q, want %q", ended, want)
	}
}

func TestCounters(t *testing.T) {
	t.Parallel()
	f := newFilter()
	f.rules = `block drop in quick inet from <crowdsec-blacklists> to any
  [ Evaluations: 100       Packets: 7         Bytes: 420         States: 0     ]
  [ Inserted: uid 0 pid 1 State Creations: 0     ]
pass in quick from any to any
  [ Evaluations: 93        Packets: 93        Bytes: 9300        States: 1     ]
block drop in quick inet6 from <crowdsec6-blacklists> to any
  [ Evaluations: 5         Packets: 2         Bytes: 160         States: 0     ]
`
	counters, err := open(t, config(f)).Counters(t.Context())
	want := []remediation.Counter{
		{Dropped: true, Group: "pf", Packets: 7, Bytes: 420}, {Dropped: true, Group: "pf", IPv6: true, Packets: 2, Bytes: 160},
	}
	if err != nil || !slices.Equal(counters, want) {
		t.Errorf("got %+v, %v", counters, err)
	}
}
