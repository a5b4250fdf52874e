package iptables

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/remediation"
)

const (
	setsOnlyGroup = "ipset" // what everything is counted as when the rules are not ours
	unknownGroup  = "set:"  // and a number: a set of ours whose origin nobody knows
	dockerChain   = "DOCKER-USER"
)

// header is what a set is, without its elements.
type header struct {
	set

	count int // elements
}

// survey is what exists of one family, without elements.
type survey struct {
	side

	table  table
	sets   map[string]header // all, of other families and owners too
	groups map[string]string // origins of our usable sets, by name; "" for what passes
}

// look asks the programs what exists.
func (b *Backend) look(ctx context.Context, s side) (survey, error) {
	found := survey{side: s, table: table{}, groups: map[string]string{}}
	listed, err := b.run(ctx, nil, "ipset", "list", "-terse")
	if err != nil {
		return found, err
	}
	found.sets = parseList(listed, s.family())
	if !b.config.SetsOnly {
		if found.table, err = b.filterTable(ctx, s); err != nil {
			return found, err
		}
	}
	for name, set := range found.sets {
		group, ours := b.groupOf(&found, name)
		switch {
		case !ours:
		case set.networks && set.timeless == b.config.Timeless:
			found.groups[name] = group
		case b.config.SetsOnly || name == s.Allowlist:
			return found, fault.Errorf(fault.Invalid, "ipset: set '%s' has the wrong type, family or timeout", name)
		}
	}
	return found, nil
}

func (b *Backend) filterTable(ctx context.Context, s side) (table, error) {
	saved, err := b.run(ctx, nil, s.program("-save"), "-c", "-t", "filter")
	if err != nil {
		return table{}, err
	}
	t, err := parseTable(saved)
	if err != nil {
		return table{}, fmt.Errorf("reading what %s prints: %w", s.program("-save"), err)
	}
	return t, nil
}

// parseList reads what ipset list -terse prints.
func parseList(text []byte, family string) map[string]header {
	sets := map[string]header{}
	var name, kind string
	for line := range bytes.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(string(line)), ": ")
		current := sets[name]
		switch key {
		case "Name":
			name, current = value, header{}
			current.timeless = true
		case "Type":
			kind = value
		case "Header":
			current.head(append([]string{kind}, strings.Fields(value)...), family)
		case "Number of entries":
			current.count, _ = strconv.Atoi(value)
		}
		if name != "" {
			sets[name] = current
		}
	}
	return sets
}

// groupOf returns the origin that a set is about; ours is false for one of somebody else.
func (b *Backend) groupOf(found *survey, name string) (group string, ours bool) {
	if name == found.Allowlist {
		return "", true
	}
	if b.config.SetsOnly {
		return setsOnlyGroup, name == found.Blacklist
	}
	number, ours := found.number(name)
	if !ours {
		return "", false
	}
	for _, rule := range found.table.chains[ownChain] {
		if origin, ok := strings.CutPrefix(rule.comment, commentHead); ok && rule.set == name {
			return origin, true
		}
	}
	if group, ok := b.remembered(name); ok {
		return group, true
	}
	return unknownGroup + strconv.Itoa(number), true
}

// number returns the number of a set of bans.
func (s side) number(name string) (int, bool) {
	text, ok := strings.CutPrefix(name, s.Blacklist+"-")
	number, err := strconv.Atoi(text)
	return number, ok && err == nil && number >= 0 && strconv.Itoa(number) == text
}

// nameOf returns the set for a group, and whether it exists.
func (found *survey) nameOf(set remediation.Set) (string, bool) {
	if set.Allow {
		_, ok := found.groups[found.Allowlist]
		return found.Allowlist, ok
	}
	for _, name := range found.ours() {
		if found.groups[name] == set.Group && name != found.Allowlist {
			return name, true
		}
	}
	if set.Group == setsOnlyGroup {
		return found.Blacklist, false
	}
	for number := 0; ; number++ {
		name := found.Blacklist + "-" + strconv.Itoa(number)
		if _, taken := found.sets[name]; !taken {
			return name, false
		}
	}
}

// ours returns the names of our sets: what passes first, then bans in the order of their numbers.
func (found *survey) ours() []string {
	return slices.SortedFunc(maps.Keys(found.groups), func(a, b string) int {
		first, _ := found.number(a)
		second, _ := found.number(b)
		return cmp.Or(cmp.Compare(rank(b == found.Allowlist), rank(a == found.Allowlist)), cmp.Compare(first, second))
	})
}

func rank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// closed reports whether the gate is.
func (found *survey) closed() bool {
	return slices.ContainsFunc(found.table.chains[ownChain], func(r counted) bool { return r.gate })
}

// exists reports whether a chain does. Those of the kernel are not printed while they are empty.
func (found *survey) exists(chain string) bool {
	_, ok := found.table.chains[chain]
	return ok || slices.Contains([]string{"INPUT", "FORWARD", "OUTPUT"}, chain)
}

// missingJumps returns the chains that should jump to ours and do not.
func (found *survey) missingJumps() []string {
	var missing []string
	for _, chain := range found.Chains {
		if found.exists(chain) && !slices.ContainsFunc(found.table.chains[chain], isJump) {
			missing = append(missing, chain)
		}
	}
	return missing
}

// isJump reports whether a rule sends every packet to our chain.
func isJump(r counted) bool { return r.rule == rule{target: ownChain} }

// rules returns what our chains have to do.
func (c Config) rules(found *survey, closed bool) map[string][]rule {
	target := string(c.Target)
	chains := map[string][]rule{}
	if c.LogPrefix != "" {
		chains[logChain] = []rule{{target: string(Log), prefix: c.LogPrefix}, {target: target}}
		target = logChain
	}
	var rules, deny []rule
	for _, name := range found.ours() {
		switch {
		case name == found.Allowlist:
			rules = append(rules, rule{set: name, target: "RETURN"})
		case found.useless(name):
		case c.Comments:
			deny = append(deny, rule{set: name, comment: commentHead + found.groups[name], target: target})
		default:
			deny = append(deny, rule{set: name, target: target})
		}
	}
	if closed {
		rules = append(rules, rule{gate: true, target: string(Drop)})
	}
	chains[ownChain] = append(rules, deny...)
	return chains
}

// useless reports whether a set is a leftover that holds nothing.
func (found *survey) useless(name string) bool {
	return strings.HasPrefix(found.groups[name], unknownGroup) && found.sets[name].count == 0
}

// differs reports whether a chain does not do what it has to.
func (found *survey) differs(chain string, want []rule) bool {
	have, ok := found.table.chains[chain]
	return !ok || !slices.EqualFunc(have, want, func(r counted, wanted rule) bool { return r.rule == wanted })
}

// idle reports whether packets do not come to the rule about a set.
func (found *survey) idle(name string, want []rule) bool {
	if len(found.missingJumps()) > 0 {
		return true
	}
	for _, r := range found.table.chains[ownChain] {
		if !slices.Contains(want, r.rule) {
			return true
		}
		if r.set == name {
			return false
		}
	}
	return true
}
