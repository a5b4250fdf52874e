package pf

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/remediation"
	"shieldwall/internal/remediation/program"
)

// Config says which tables the backend fills.
type Config struct {
	IPv4, IPv6 Family
	Anchor     string // that the tables are in; empty: none
	Reject     bool   // for Rules: denied packets are answered
	Log        bool   // for Rules: denied packets are logged
	Run        program.Runner
}

// Family is what Config says of one address family.
type Family struct {
	Enabled   bool
	Blacklist string // name of the table of bans
	Allowlist string // name of the table of what passes
}

// side is one enabled address family.
type side struct {
	Family

	ipv6 bool
}

func (c Config) sides() []side { return remediation.Families(c.IPv4.Enabled, c.IPv6.Enabled, c.side) }

func (c Config) side(ipv6 bool) side {
	if ipv6 {
		return side{c.IPv6, true}
	}
	return side{c.IPv4, false}
}

// family returns what pf calls the family.
func (s side) family() string {
	if s.ipv6 {
		return "inet6"
	}
	return "inet"
}

const (
	group      = "pf" // what all bans are counted as
	maxTable   = 31   // bytes of the longest name of a table
	controller = "pfctl"
)

// Backend enforces through pf. It has no state, and is safe for concurrent use.
type Backend struct {
	config Config
	log    *slog.Logger
}

// New returns a Backend; no program is run. The error says what is wrong with config.
func New(config Config, log *slog.Logger) (*Backend, error) {
	log.Info("backend type: pf")
	for _, s := range config.sides() {
		for _, name := range []string{s.Blacklist, s.Allowlist} {
			if name == "" || len(name) > maxTable || strings.ContainsAny(name, " \t\n<>\"") {
				return nil, fault.Errorf(fault.Invalid, "pf: the name of a table is empty, too long or odd: '%s'", name)
			}
		}
	}
	return &Backend{config: config, log: log}, nil
}

// Traits say how this backend holds elements.
func (b *Backend) Traits() remediation.Traits {
	return remediation.Traits{
		Group: func(string, bool) string { return group }, Prefixes: true, Timeless: true,
	}
}

// pfctl runs the program on the anchor.
func (b *Backend) pfctl(ctx context.Context, input []byte, args ...string) ([]byte, error) {
	if b.config.Anchor != "" {
		args = append([]string{"-a", b.config.Anchor}, args...)
	}
	return b.config.Run(ctx, input, controller, args...)
}

// tables returns the names of the tables that exist.
func (b *Backend) tables(ctx context.Context) ([]string, error) {
	out, err := b.pfctl(ctx, nil, "-s", "Tables")
	return strings.Fields(string(out)), err
}

// Check reports whether pfctl answers and the tables are there.
func (b *Backend) Check(ctx context.Context) error {
	tables, err := b.tables(ctx)
	if err != nil {
		return err
	}
	for _, s := range b.config.sides() {
		for _, name := range []string{s.Blacklist, s.Allowlist} {
			if slices.Contains(tables, name) {
				continue
			}
			if name == s.Allowlist {
				b.log.WarnContext(ctx, "pf has no table of what passes, and stops it", "table", name)
				continue
			}
			return fault.Errorf(fault.NotFound, "table %s doesn't exist%s; pf.conf needs\n%s",
				name, inAnchor(b.config.Anchor), Rules(b.config))
		}
	}
	return nil
}

func inAnchor(anchor string) string {
	if anchor == "" {
		return ""
	}
	return " in anchor " + anchor
}

// Read returns what the tables hold.
func (b *Backend) Read(ctx context.Context) (remediation.Enforced, error) {
	enforced := remediation.Enforced{Sets: map[remediation.Set]remediation.Elements{}}
	tables, err := b.tables(ctx)
	if err != nil {
		return enforced, err
	}
	for _, s := range b.config.sides() {
		for name, set := range map[string]remediation.Set{
			s.Blacklist: {Group: group, IPv6: s.ipv6}, s.Allowlist: {IPv6: s.ipv6, Ranges: true, Allow: true},
		} {
			if !slices.Contains(tables, name) {
				continue // the first element makes it
			}
			text, err := b.pfctl(ctx, nil, "-t", name, "-T", "show")
			if err != nil {
				return enforced, err
			}
			if err := readTable(text, set, enforced.Sets); err != nil {
				return enforced, fmt.Errorf("reading table %s: %w", name, err)
			}
		}
	}
	return enforced, nil
}

// readTable sorts what a table holds into sets: addresses and ranges share it.
func readTable(text []byte, set remediation.Set, sets map[remediation.Set]remediation.Elements) error {
	ranges := set
	ranges.Ranges = true
	sets[set], sets[ranges] = remediation.Elements{}, remediation.Elements{}
	for _, word := range strings.Fields(string(text)) {
		value, err := domain.ParseIPRange(word)
		if err != nil {
			return err
		}
		if value.First == value.Last {
			sets[set][value] = time.Time{}
			continue
		}
		sets[ranges][value] = time.Time{}
	}
	return nil
}

// Apply adds and removes elements. What is refreshed is there already: tables know no time.
func (b *Backend) Apply(ctx context.Context, plan remediation.Plan) error {
	for _, change := range plan.Changes {
		if err := b.alter(ctx, change.Set, "add", change.Add); err != nil {
			return err
		}
	}
	for _, change := range plan.Changes {
		if err := b.alter(ctx, change.Set, "delete", change.Remove); err != nil {
			return err
		}
	}
	return b.endConnections(ctx, plan)
}

func (b *Backend) alter(ctx context.Context, set remediation.Set, verb string, elements []remediation.Element) error {
	if len(elements) == 0 {
		return nil
	}
	var list bytes.Buffer
	for _, element := range elements {
		list.WriteString(remediation.Text(element.IPRange) + "\n")
	}
	_, err := b.pfctl(ctx, list.Bytes(), "-q", "-t", b.table(set), "-T", verb, "-f", "-")
	return err
}

func (b *Backend) table(set remediation.Set) string {
	family := b.config.IPv4
	if set.IPv6 {
		family = b.config.IPv6
	}
	if set.Allow {
		return family.Allowlist
	}
	return family.Blacklist
}

// endConnections ends those of addresses that were banned: pf lets packets of a state pass without asking.
func (b *Backend) endConnections(ctx context.Context, plan remediation.Plan) error {
	if !slices.ContainsFunc(plan.Changes, func(c remediation.Change) bool { return len(c.Add) > 0 && !c.Set.Allow }) {
		return nil
	}
	text, err := b.config.Run(ctx, nil, controller, "-s", "states")
	if err != nil {
		return err
	}
	for _, address := range connected(text) {
		if !bans(plan, address) {
			continue
		}
		everywhere := "0.0.0.0/0"
		if address.Is6() {
			everywhere = "::/0"
		}
		for _, args := range [][]string{{"-k", address.String()}, {"-k", everywhere, "-k", address.String()}} {
			if _, err := b.config.Run(ctx, nil, controller, args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// bans reports whether plan begins to ban address.
func bans(plan remediation.Plan, address netip.Addr) bool {
	one := domain.IPRange{First: address, Last: address}
	return slices.ContainsFunc(plan.Changes, func(change remediation.Change) bool {
		return !change.Set.Allow && slices.ContainsFunc(change.Add, func(element remediation.Element) bool {
			return element.Contains(one)
		})
	})
}

// connected returns the addresses in a list of states: "all tcp 192.0.2.1:22 <- 198.51.100.7:4711 …", with
// ports of IPv6 in brackets.
func connected(states []byte) []netip.Addr {
	seen := map[netip.Addr]bool{}
	var addresses []netip.Addr
	for _, word := range strings.Fields(string(states)) {
		word = strings.Trim(word, "()")
		text, _, _ := strings.Cut(word, "[")
		if host, _, isPort := strings.Cut(word, ":"); isPort && !strings.Contains(word, "[") && strings.Contains(host, ".") {
			text = host
		}
		address, err := netip.ParseAddr(text)
		if err == nil && !seen[address] {
			seen[address] = true
			addresses = append(addresses, address)
		}
	}
	return addresses
}

// Counters returns what rules about our tables have counted.
func (b *Backend) Counters(ctx context.Context) ([]remediation.Counter, error) {
	text, err := b.pfctl(ctx, nil, "-v", "-s", "rules")
	if err != nil {
		return nil, err
	}
	var counters []remediation.Counter
	for _, s := range b.config.sides() {
		packets, bytes := countRules(text, "<"+s.Blacklist+">")
		counters = append(counters, remediation.Counter{
			Dropped: true, Group: group, IPv6: s.ipv6, Packets: packets, Bytes: bytes,
		})
	}
	return counters, nil
}

// countRules adds up the counters behind each rule that mentions a table: "[ Evaluations: 9  Packets: 2  Bytes: 80 …".
func countRules(text []byte, table string) (packets, octets uint64) {
	mentioned := false
	for line := range bytes.Lines(text) {
		words := strings.Fields(string(line))
		if len(words) == 0 || words[0] != "[" {
			mentioned = slices.Contains(words, table) && slices.Contains(words, "block")
			continue
		}
		for i := 0; mentioned && i+1 < len(words); i++ {
			count, _ := strconv.ParseUint(words[i+1], 10, 64)
			switch words[i] {
			case "Packets:":
				packets += count
			case "Bytes:":
				octets += count
			}
		}
	}
	return packets, octets
}

// Remove empties the tables.
func (b *Backend) Remove(ctx context.Context) error {
	tables, err := b.tables(ctx)
	if err != nil {
		return err
	}
	for _, s := range b.config.sides() {
		for _, name := range []string{s.Blacklist, s.Allowlist} {
			if !slices.Contains(tables, name) {
				continue
			}
			if _, err := b.pfctl(ctx, nil, "-q", "-t", name, "-T", "flush"); err != nil {
				return err
			}
		}
	}
	return nil
}
