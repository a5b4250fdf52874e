package nftables

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/remediation"
)

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

func (s side) ownTable() table {
	family := nftables.TableFamilyIPv4
	if s.ipv6 {
		family = nftables.TableFamilyIPv6
	}
	return table{name: s.Table, family: byte(family), ipv6: s.ipv6}
}

// reader asks the kernel. Every question has its own socket, so that no late answer is taken for another.
type reader struct {
	conn *nftables.Conn
}

func (b *Backend) reader(ctx context.Context) (reader, error) {
	deadline, _ := ctx.Deadline()
	conn, err := nftables.New(
		nftables.WithNetNSFd(b.config.Namespace),
		nftables.WithSockOptions(func(conn *netlink.Conn) error {
			return errors.Join(conn.SetReadBuffer(receiveBuffer), conn.SetDeadline(deadline))
		}),
	)
	return reader{conn}, err
}

// find returns the table of a side; found is false when it does not exist. In set-only mode the table may
// be of any family that sees such addresses.
func (r reader) find(s side) (t table, found bool, err error) {
	tables, err := r.conn.ListTables()
	if err != nil {
		return table{}, false, fmt.Errorf("listing tables: %w", err)
	}
	own := s.ownTable()
	families := []byte{own.family}
	if s.SetOnly {
		families = append(families, byte(nftables.TableFamilyINet))
	}
	for _, family := range families {
		for _, candidate := range tables {
			if candidate.Name == s.Table && byte(candidate.Family) == family {
				return table{name: s.Table, family: family, ipv6: s.ipv6}, true, nil
			}
		}
	}
	if s.SetOnly {
		return table{}, false, fault.Errorf(fault.NotFound, "nftables: could not find table '%s'", s.Table)
	}
	return own, false, nil
}

func kernelTable(t table) *nftables.Table {
	return &nftables.Table{Name: t.name, Family: nftables.TableFamily(t.family)}
}

// ruleset reads a table without elements.
func (r reader) ruleset(s side) (table, ruleset, error) {
	t, found, err := r.find(s)
	have := ruleset{
		exists: found, chains: map[string]chain{}, counters: map[string]bool{}, sets: map[string]shape{},
	}
	if err != nil || !found {
		return t, have, err
	}
	sets, err := r.conn.GetSets(kernelTable(t))
	if err != nil {
		return t, have, fmt.Errorf("listing sets of table %s: %w", t.name, err)
	}
	for _, set := range sets {
		have.sets[set.Name] = shapeOf(set, t)
	}
	if s.SetOnly {
		return t, have, have.checkShapes(s)
	}
	if have.chains, err = r.chains(t); err != nil {
		return t, have, err
	}
	counters, err := r.counters(t)
	for name := range counters {
		have.counters[name] = true
	}
	return t, have, err
}

// checkShapes refuses a set that somebody else made in a way that cannot be filled.
func (r ruleset) checkShapes(s side) error {
	for _, set := range []remediation.Set{
		{IPv6: s.ipv6}, {IPv6: s.ipv6, Ranges: true}, {IPv6: s.ipv6, Ranges: true, Allow: true},
	} {
		found, ok := r.sets[s.setName(set)]
		if ok && found != (shape{ipv6: set.IPv6, ranges: set.Ranges}) {
			return fault.Errorf(fault.Invalid, "nftables: set '%s' in table '%s' has the wrong type or flags",
				s.setName(set), s.Table)
		}
	}
	return nil
}

// unusable is the shape of a set that is not like any of ours: no set of ours has other addresses than its
// table.
func unusable(t table) shape { return shape{ipv6: !t.ipv6} }

func shapeOf(set *nftables.Set, t table) shape {
	if set.KeyType.Name != t.keyType().Name || !set.HasTimeout || set.IsMap || set.Constant || set.Concatenation {
		return unusable(t)
	}
	return shape{ipv6: t.ipv6, ranges: set.Interval}
}

func (r reader) chains(t table) (map[string]chain, error) {
	listed, err := r.conn.ListChainsOfTableFamily(nftables.TableFamily(t.family))
	if err != nil {
		return nil, fmt.Errorf("listing chains: %w", err)
	}
	chains := map[string]chain{}
	for _, found := range listed {
		if found.Table.Name != t.name || found.Hooknum == nil || found.Priority == nil {
			continue
		}
		rules, err := r.conn.GetRules(kernelTable(t), found)
		if err != nil {
			return nil, fmt.Errorf("listing rules of chain %s: %w", found.Name, err)
		}
		c := chain{hook: uint32(*found.Hooknum), priority: int32(*found.Priority)}
		for _, rule := range rules {
			c.rules = append(c.rules, ruleOf(rule.Exprs, t.ipv6))
		}
		chains[found.Name] = c
	}
	return chains, nil
}

// counters reads the named counters of a table.
func (r reader) counters(t table) (map[string]expr.Counter, error) {
	objects, err := r.conn.GetNamedObjects(kernelTable(t))
	if err != nil {
		return nil, fmt.Errorf("listing counters of table %s: %w", t.name, err)
	}
	counters := map[string]expr.Counter{}
	for _, object := range objects {
		named, ok := object.(*nftables.NamedObj)
		if !ok {
			continue
		}
		if counter, ok := named.Obj.(*expr.Counter); ok {
			counters[named.Name] = *counter
		}
	}
	return counters, nil
}

// until returns when an element that was read at now expires; the zero time when it does not.
func (d dumped) until(now time.Time) time.Time {
	if !d.mortal {
		return time.Time{}
	}
	return now.Add(d.expires)
}

// rangesOf joins the beginnings and ends that an interval set consists of. An end without a beginning, as
// nft puts at the lowest address, means nothing.
func rangesOf(found []dumped) remediation.Elements {
	slices.SortFunc(found, func(a, b dumped) int { return cmp.Or(a.key.Compare(b.key), compareEnds(a, b)) })
	elements := make(remediation.Elements, len(found)/2)
	for i, begin := range found {
		if begin.end {
			continue
		}
		last := highest(begin.key)
		if i+1 < len(found) {
			last = found[i+1].key.Prev()
		}
		elements[domain.IPRange{First: begin.key, Last: last}] = begin.until(begin.at)
	}
	return elements
}

// compareEnds puts the end of a range before the beginning of the next at the same address.
func compareEnds(a, b dumped) int {
	switch {
	case a.end == b.end:
		return 0
	case a.end:
		return -1
	}
	return 1
}

// highest returns the last address of the family of a.
func highest(a netip.Addr) netip.Addr {
	last, _ := netip.AddrFromSlice(bytes.Repeat([]byte{0xff}, len(a.AsSlice())))
	return last
}

// ourSets returns the sets of a table that this backend fills.
func (s side) ourSets(have ruleset) []remediation.Set {
	var sets []remediation.Set
	for name := range have.sets {
		if set, ok := s.setOf(name, s.ipv6); ok {
			sets = append(sets, set)
		}
	}
	slices.SortFunc(sets, func(a, b remediation.Set) int { return strings.Compare(s.setName(a), s.setName(b)) })
	return sets
}

// isMissing reports whether err says that an object does not exist.
func isMissing(err error) bool { return errors.Is(err, unix.ENOENT) }
