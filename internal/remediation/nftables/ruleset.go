package nftables

import (
	"encoding/binary"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"shieldwall/internal/remediation"
)

// table names a table of the kernel.
type table struct {
	name   string
	family byte // of the table: that of the addresses, or inet
	ipv6   bool // the addresses are IPv6
}

func (t table) keyType() *nftables.SetDatatype {
	kind := nftables.TypeIPAddr
	if t.ipv6 {
		kind = nftables.TypeIP6Addr
	}
	return &kind
}

// chain is a base chain with its rules in order.
type chain struct {
	hook     uint32
	priority int32
	rules    []rule
}

func (c chain) equal(other chain) bool {
	return c.hook == other.hook && c.priority == other.priority && slices.Equal(c.rules, other.rules)
}

// rule is what one of our rules does with a packet. The zero value stands for a rule that is not ours.
type rule struct {
	gate      bool   // drops what belongs to no connection; nothing else is set then
	set       string // the packet's source is in it; empty: any packet
	counter   string // empty: none
	logPrefix string
	verdict   Verdict // empty: go on
}

// shape is what a set can hold. The zero value stands for a set that is of no use for us.
type shape struct {
	ipv6   bool
	ranges bool
}

// ruleset is a table without the elements of its sets.
type ruleset struct {
	exists   bool
	chains   map[string]chain
	counters map[string]bool
	sets     map[string]shape
}

// contents are what a ruleset is built around.
type contents struct {
	sets   []remediation.Set
	closed bool // the gate is, see remediation.Plan.Closed
}

// want returns the ruleset for a family with those contents.
func (c Config) want(family Family, in contents) ruleset {
	want := ruleset{
		exists: true, chains: map[string]chain{}, counters: map[string]bool{}, sets: map[string]shape{},
	}
	for _, set := range in.sets {
		want.sets[family.setName(set)] = shape{ipv6: set.IPv6, ranges: set.Ranges}
	}
	if family.SetOnly {
		return want
	}
	want.counters[processedCounter] = true
	for _, set := range in.sets {
		if !set.Allow {
			want.counters[family.counterName(set.Group)] = true
		}
	}
	for _, hook := range c.Hooks {
		want.chains[family.Chain+"-"+hook.name] = chain{
			hook: hook.number, priority: family.Priority, rules: c.rules(family, hook, in),
		}
	}
	return want
}

// rules returns what a chain does, in order: it counts, lets pass what is allowed, and denies.
func (c Config) rules(family Family, hook Hook, in contents) []rule {
	var allow, deny []rule
	for _, set := range in.sets {
		if set.Allow {
			allow = append(allow, rule{set: family.setName(set), verdict: accept})
			continue
		}
		deny = append(deny, rule{
			set: family.setName(set), counter: family.counterName(set.Group), logPrefix: c.LogPrefix, verdict: c.Verdict,
		})
	}
	if in.closed && hook.seesArrivals() {
		allow = append(allow, rule{gate: true})
	}
	slices.SortFunc(deny, func(a, b rule) int { return strings.Compare(a.set, b.set) })
	return slices.Concat([]rule{{counter: processedCounter}}, allow, deny)
}

// idle reports whether some chain does not do what want says with a set: its rule is absent, or behind one
// that nobody knows.
func (r ruleset) idle(set string, want ruleset) bool {
	for name, wanted := range want.chains {
		found := r.chains[name]
		if found.hook != wanted.hook || found.priority != wanted.priority || !found.reaches(set, wanted.rules) {
			return true
		}
	}
	return false
}

// reaches reports whether packets come to the rule about set past nothing but rules that are wanted.
func (c chain) reaches(set string, wanted []rule) bool {
	for _, rule := range c.rules {
		if !slices.Contains(wanted, rule) {
			return false
		}
		if rule.set == set {
			return true
		}
	}
	return false
}

// closed reports whether some chain has the gate.
func (r ruleset) closed() bool {
	for _, chain := range r.chains {
		if slices.Contains(chain.rules, rule{gate: true}) {
			return true
		}
	}
	return false
}

// repair returns the commands that turn have into want inside one transaction, in an order that the kernel
// accepts. Chains of ours that are not wanted any more go; sets and counters that are not wanted are left.
func repair(t table, family Family, have, want ruleset) ([]netlink.Message, error) {
	r := repairing{table: t, family: family, have: have, want: want}
	if !have.exists {
		r.add(addTable(t))
	}
	rulesOf := r.chains()
	r.counters()
	r.sets()
	for _, name := range rulesOf {
		for _, rule := range want.chains[name].rules {
			command, err := addRule(t, name, rule.expressions(t.ipv6))
			if err != nil {
				return nil, err
			}
			r.add(command)
		}
	}
	return r.commands, nil
}

// repairing collects the commands of one repair.
type repairing struct {
	table      table
	family     Family
	have, want ruleset
	commands   []netlink.Message
}

func (r *repairing) add(commands ...netlink.Message) { r.commands = append(r.commands, commands...) }

// chains leaves all chains in place and either right or empty, and returns the names of the empty ones.
func (r *repairing) chains() []string {
	var empty []string
	for _, name := range slices.Sorted(maps.Keys(r.have.chains)) {
		found := r.have.chains[name]
		wanted, ok := r.want.chains[name]
		switch {
		case !ok && r.family.ownsChain(name):
			r.add(deleteChain(r.table, name))
		case !ok:
		case found.hook != wanted.hook || found.priority != wanted.priority:
			r.add(deleteChain(r.table, name), addChain(r.table, name, wanted))
			empty = append(empty, name)
		case r.replacesSets() || !slices.Equal(found.rules, wanted.rules):
			r.add(flushChain(r.table, name))
			empty = append(empty, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.want.chains)) {
		if _, ok := r.have.chains[name]; !ok {
			r.add(addChain(r.table, name, r.want.chains[name]))
			empty = append(empty, name)
		}
	}
	return empty
}

func (r *repairing) counters() {
	for _, name := range slices.Sorted(maps.Keys(r.want.counters)) {
		if !r.have.counters[name] {
			r.add(addCounter(r.table, name))
		}
	}
}

func (r *repairing) sets() {
	for number, name := range slices.Sorted(maps.Keys(r.want.sets)) {
		found, ok := r.have.sets[name]
		wanted := r.want.sets[name]
		if ok && found == wanted {
			continue
		}
		if ok {
			r.add(deleteSet(r.table, name))
		}
		r.add(addSet(r.table, name, wanted.ranges, uint32(number)+1))
	}
}

// replacesSets reports whether a set has to be deleted, which needs that no rule refers to it.
func (r *repairing) replacesSets() bool {
	for name, wanted := range r.want.sets {
		if found, ok := r.have.sets[name]; ok && found != wanted {
			return true
		}
	}
	return false
}

// ownsChain reports whether a chain of that name in the table of the family is ours.
func (f Family) ownsChain(name string) bool {
	return !f.SetOnly && strings.HasPrefix(name, f.Chain+"-")
}

// differs reports whether repair would do anything.
func differs(family Family, have, want ruleset) bool {
	if !have.exists {
		return true
	}
	for name, shape := range want.sets {
		if have.sets[name] != shape {
			return true
		}
	}
	for name := range want.counters {
		if !have.counters[name] {
			return true
		}
	}
	for name := range have.chains {
		if _, ok := want.chains[name]; !ok && family.ownsChain(name) {
			return true
		}
	}
	for name, wanted := range want.chains {
		found, ok := have.chains[name]
		if !ok || !found.equal(wanted) {
			return true
		}
	}
	return false
}

const (
	sourceIPv4 = 12 // offset of the source address in the header
	sourceIPv6 = 8
	lengthIPv4 = 4
	lengthIPv6 = 16

	register = unix.NFT_REG_1

	adminProhibitedIPv4 = 13 // ICMP code
	adminProhibitedIPv6 = 1  // ICMPv6 code
)

// source returns where the source address of a packet is.
func source(ipv6 bool) (offset, length uint32) {
	if ipv6 {
		return sourceIPv6, lengthIPv6
	}
	return sourceIPv4, lengthIPv4
}

func adminProhibited(ipv6 bool) uint8 {
	if ipv6 {
		return adminProhibitedIPv6
	}
	return adminProhibitedIPv4
}

// expressions returns r in the kernel's terms.
func (r rule) expressions(ipv6 bool) []expr.Any {
	if r.gate {
		return gate()
	}
	var expressions []expr.Any
	if r.set != "" {
		offset, length := source(ipv6)
		expressions = append(expressions,
			&expr.Payload{
				DestRegister: register, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: length,
			},
			&expr.Lookup{SourceRegister: register, SetName: r.set},
		)
	}
	if r.counter != "" {
		expressions = append(expressions, &expr.Objref{Type: unix.NFT_OBJECT_COUNTER, Name: r.counter})
	}
	if r.logPrefix != "" {
		expressions = append(expressions, &expr.Log{Key: 1 << unix.NFTA_LOG_PREFIX, Data: []byte(r.logPrefix)})
	}
	switch r.verdict {
	case accept:
		expressions = append(expressions, &expr.Verdict{Kind: expr.VerdictAccept})
	case Drop:
		expressions = append(expressions, &expr.Verdict{Kind: expr.VerdictDrop})
	case Reject:
		expressions = append(expressions,
			&expr.Reject{Type: unix.NFT_REJECT_ICMP_UNREACH, Code: adminProhibited(ipv6)})
	}
	return expressions
}

const (
	loopback   = 1     // index of the loopback device, in every network namespace
	stateLoose = 1 | 8 // bits of connection tracking for invalid and new; neighbour discovery is in neither
	stateBytes = 4
)

// gate drops what comes from outside and belongs to no connection.
func gate() []expr.Any {
	native := func(value uint32) []byte { return binary.NativeEndian.AppendUint32(nil, value) }
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyIIF, Register: register},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: register, Data: native(loopback)},
		&expr.Ct{Key: expr.CtKeySTATE, Register: register},
		&expr.Bitwise{
			SourceRegister: register, DestRegister: register, Len: stateBytes, Mask: native(stateLoose), Xor: native(0),
		},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: register, Data: native(0)},
		&expr.Verdict{Kind: expr.VerdictDrop},
	}
}

// ruleOf is the inverse of expressions; the zero value for a rule that is not one of ours.
func ruleOf(expressions []expr.Any, ipv6 bool) rule {
	if reflect.DeepEqual(expressions, gate()) {
		return rule{gate: true}
	}
	var r rule
	for _, expression := range expressions {
		switch e := expression.(type) {
		case *expr.Payload:
			if offset, length := source(ipv6); e.Base != expr.PayloadBaseNetworkHeader ||
				e.OperationType != expr.PayloadLoad || e.Offset != offset || e.Len != length {
				return rule{}
			}
		case *expr.Lookup:
			if e.Invert || r.set != "" {
				return rule{}
			}
			r.set = e.SetName
		case *expr.Objref:
			r.counter = e.Name
		case *expr.Log:
			r.logPrefix = string(e.Data)
		case *expr.Verdict:
			switch e.Kind {
			case expr.VerdictDrop:
				r.verdict = Drop
			case expr.VerdictAccept:
				r.verdict = accept
			default:
				return rule{}
			}
		case *expr.Reject:
			if e.Type != unix.NFT_REJECT_ICMP_UNREACH || e.Code != adminProhibited(ipv6) {
				return rule{}
			}
			r.verdict = Reject
		default:
			return rule{}
		}
	}
	return r
}
