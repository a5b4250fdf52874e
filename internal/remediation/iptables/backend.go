package iptables

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/remediation"
	"shieldwall/internal/remediation/program"
)

const (
	// lockWait is how many seconds others may hold the lock of iptables.
	lockWait = "10"
	// growth is by how much a set is larger, when it has become too small.
	growth = 2
	// coarse is how far apart ends may be that the kernel keeps in whole seconds, and are told as of a time between two.
	coarse = 3 * time.Second
	// destroyTries and destroyPause bound the wait until the kernel has let go of a set.
	destroyTries = 20
	destroyPause = 50 * time.Millisecond
)

// Backend enforces through iptables and ipset. It is safe for concurrent use.
type Backend struct {
	config Config
	run    program.Runner
	now    func() time.Time
	log    *slog.Logger

	mu     sync.Mutex        // guards all below
	groups map[string]string // origins of sets that this process has made: rules may have no comments
	said   map[string]bool   // warnings
}

// New returns a Backend; no program is run. The error says what is wrong with config.
func New(config Config, now func() time.Time, log *slog.Logger) (*Backend, error) {
	if config.SetsOnly {
		log.Info("backend type: ipset")
	} else {
		log.Info("backend type: iptables")
		log.Info(fmt.Sprintf("using '%s' as deny_action", config.Target)) //nolint:sloglint // published text
	}
	if err := config.validate(); err != nil {
		return nil, err
	}
	return &Backend{
		config: config, run: config.Run, now: now, log: log, groups: map[string]string{}, said: map[string]bool{},
	}, nil
}

// Traits say how this backend holds elements.
func (b *Backend) Traits() remediation.Traits {
	return remediation.Traits{
		Group: b.group, Prefixes: true, Timeless: b.config.Timeless, Longest: longest * time.Second, Tolerance: coarse,
	}
}

const maxComment = 200 // bytes of an origin in a comment

// group names the group of an origin: as a comment can hold it.
func (b *Backend) group(origin string, _ bool) string {
	if b.config.SetsOnly {
		return setsOnlyGroup
	}
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune("\"\\'", r) {
			return '_'
		}
		return r
	}, origin)
	return plain[:min(len(plain), maxComment)]
}

func (b *Backend) remembered(name string) (string, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	group, ok := b.groups[name]
	return group, ok
}

func (b *Backend) remember(name, group string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.groups[name] = group
}

// warn says something once.
func (b *Backend) warn(ctx context.Context, message, key, value string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.said[message+value] {
		b.log.WarnContext(ctx, message, key, value) //nolint:sloglint // of a handful
	}
	b.said[message+value] = true
}

// Check reports whether the programs are there and answer.
func (b *Backend) Check(ctx context.Context) error {
	for _, s := range b.config.sides() {
		found, err := b.look(ctx, s)
		if err != nil {
			return err
		}
		if b.config.SetsOnly {
			continue
		}
		if _, err := b.run(ctx, nil, s.program("-restore"), "--version"); err != nil {
			return err
		}
		b.warnOfChains(ctx, &found)
	}
	return nil
}

// warnOfChains says which chains cannot be hooked, or should be.
func (b *Backend) warnOfChains(ctx context.Context, found *survey) {
	for _, chain := range found.Chains {
		if !found.exists(chain) {
			b.warn(ctx, found.program("")+": there is no such chain, nothing is stopped there", "chain", chain)
		}
	}
	if found.exists(dockerChain) && !slices.Contains(found.Chains, dockerChain) {
		b.warn(ctx, found.program("")+": containers are not protected, because a chain is not in iptables_chains",
			"chain", dockerChain)
	}
}

// Read returns what our sets hold, and whether the chains look at them.
func (b *Backend) Read(ctx context.Context) (remediation.Enforced, error) {
	enforced := remediation.Enforced{
		Sets: map[remediation.Set]remediation.Elements{}, Idle: map[remediation.Set]bool{},
	}
	open := false
	for _, s := range b.config.sides() {
		found, err := b.look(ctx, s)
		if err != nil {
			return enforced, err
		}
		if err := b.readSets(ctx, &found, &enforced); err != nil {
			return enforced, err
		}
		b.compareRules(ctx, &found, &enforced)
		open = open || !found.closed()
		enforced.Closed = enforced.Closed || found.closed()
	}
	enforced.Incomplete = enforced.Incomplete || enforced.Closed && open
	return enforced, nil
}

func (b *Backend) readSets(ctx context.Context, found *survey, enforced *remediation.Enforced) error {
	for _, name := range found.ours() {
		began := b.now()
		text, err := b.run(ctx, nil, "ipset", "save", name)
		if err != nil {
			return err
		}
		s, err := parseSet(text, found.family(), began, b.now())
		if err != nil {
			return fmt.Errorf("reading set %s: %w", name, err)
		}
		for _, set := range found.setsIn(name) {
			enforced.Sets[set] = remediation.Elements{}
		}
		for value, until := range s.elements {
			enforced.Sets[found.setOf(name, value)][value] = until
		}
	}
	return nil
}

// setsIn returns the sets whose elements a set of ours holds.
func (found *survey) setsIn(name string) []remediation.Set {
	if name == found.Allowlist {
		return []remediation.Set{{IPv6: found.ipv6, Ranges: true, Allow: true}}
	}
	group := found.groups[name]
	return []remediation.Set{{Group: group, IPv6: found.ipv6}, {Group: group, IPv6: found.ipv6, Ranges: true}}
}

func (found *survey) setOf(name string, value domain.IPRange) remediation.Set {
	sets := found.setsIn(name)
	if len(sets) == 1 || value.First == value.Last {
		return sets[0]
	}
	return sets[1]
}

// compareRules notes in enforced what is wrong around the sets.
func (b *Backend) compareRules(ctx context.Context, found *survey, enforced *remediation.Enforced) {
	if b.config.SetsOnly {
		if _, ok := found.groups[found.Blacklist]; !ok {
			enforced.Incomplete = true
		}
		return
	}
	b.warnOfChains(ctx, found)
	want := b.config.rules(found, found.closed())
	for chain, rules := range want {
		if found.differs(chain, rules) || len(found.missingJumps()) > 0 {
			enforced.Incomplete = true
		}
	}
	for _, name := range found.ours() {
		if !found.idle(name, want[ownChain]) {
			continue
		}
		for _, set := range found.setsIn(name) {
			enforced.Idle[set] = true
		}
	}
}

// Apply fills sets, then lets rules look at them, then empties what has to go.
func (b *Backend) Apply(ctx context.Context, plan remediation.Plan) error {
	for _, s := range b.config.sides() {
		share := plan
		share.Changes = slices.DeleteFunc(slices.Clone(plan.Changes), func(change remediation.Change) bool {
			return change.Set.IPv6 != s.ipv6
		})
		if share.IsEmpty() {
			continue
		}
		if err := b.applySide(ctx, s, share); err != nil {
			return err
		}
	}
	return nil
}

func (b *Backend) applySide(ctx context.Context, s side, plan remediation.Plan) error {
	found, err := b.look(ctx, s)
	if err != nil {
		return err
	}
	var fill, empty script
	made := b.makeSets(ctx, &fill, &found, plan)
	for _, change := range plan.Changes {
		name, _ := found.nameOf(change.Set)
		more := slices.Concat(change.Add, change.Refresh)
		if set := found.sets[name]; !made[name] && !b.config.SetsOnly && set.count+len(change.Add) > set.most {
			if err := b.grow(ctx, &fill, &found, name, len(change.Add)); err != nil {
				return err
			}
		}
		if err := b.fill(ctx, &fill, name, more); err != nil {
			return err
		}
		empty.remove(name, change.Remove)
	}
	if err := b.restore(ctx, &fill); err != nil {
		return err
	}
	if !b.config.SetsOnly && (plan.Repair || len(made) > 0) {
		if err := b.restoreChains(ctx, &found, plan); err != nil {
			return err
		}
	}
	return b.restore(ctx, &empty)
}

// makeSets adds to fill what creates the sets that are absent, and to found that they are there.
func (b *Backend) makeSets(ctx context.Context, fill *script, found *survey, plan remediation.Plan) map[string]bool {
	needed := map[remediation.Set]int{}
	for _, change := range plan.Changes {
		set := change.Set
		set.Ranges = set.Allow
		needed[set] += len(change.Add)
	}
	if b.config.SetsOnly {
		needed[remediation.Set{Group: setsOnlyGroup, IPv6: found.ipv6}] += 0
	}
	made := map[string]bool{}
	for set, elements := range needed {
		name, exists := found.nameOf(set)
		if exists {
			continue
		}
		most := b.config.MaxElements
		if elements > most {
			most = growth * elements
			b.log.WarnContext(ctx, "ipset_size is too small, the set is made larger", "set", name, "size", most)
		}
		fill.create(name, b.config, found.family(), most)
		if !set.Allow {
			b.remember(name, set.Group)
			//nolint:sloglint // published text
			b.log.InfoContext(ctx, fmt.Sprintf("Using %s as set for origin %s", name, set.Group))
		}
		found.groups[name] = set.Group
		found.sets[name] = header{set: setOfSize(most)}
		made[name] = true
	}
	return made
}

func setOfSize(most int) set { return set{networks: true, most: most} }

// grow adds to fill what exchanges a set for a larger one with the same elements.
func (b *Backend) grow(ctx context.Context, fill *script, found *survey, name string, more int) error {
	const suffix = "-x"
	began := b.now()
	text, err := b.run(ctx, nil, "ipset", "save", name)
	if err != nil {
		return err
	}
	old, err := parseSet(text, found.family(), began, b.now())
	if err != nil {
		return fmt.Errorf("reading set %s: %w", name, err)
	}
	if _, leftover := found.sets[name+suffix]; leftover {
		fill.command("destroy", name+suffix)
	}
	most := growth * (len(old.elements) + more)
	b.log.WarnContext(ctx, "ipset_size is too small, the set is made larger", "set", name, "size", most)
	fill.create(name+suffix, b.config, found.family(), most)
	elements := make([]remediation.Element, 0, len(old.elements))
	for value, until := range old.elements {
		elements = append(elements, remediation.Element{IPRange: value, Until: until})
	}
	if err := b.fill(ctx, fill, name+suffix, elements); err != nil {
		return err
	}
	fill.command("swap", name+suffix, name)
	fill.command("destroy", name+suffix)
	found.sets[name] = header{set: setOfSize(most), count: len(elements)}
	return nil
}

// fill adds elements to a script. Of a large one it runs the part that is complete: what is left of an element is
// counted from when the kernel is told.
func (b *Backend) fill(ctx context.Context, s *script, name string, elements []remediation.Element) error {
	for chunk := range slices.Chunk(elements, elementsPerRun) {
		if s.Len() > maxScript {
			if err := b.restore(ctx, s); err != nil {
				return err
			}
		}
		s.add(name, chunk, b.config.Timeless, b.now())
	}
	return nil
}

const (
	elementsPerRun = 25_000
	maxScript      = 1 << 20 // bytes: some 20,000 elements
)

// restore has the kernel perform a script, which is empty afterwards.
func (b *Backend) restore(ctx context.Context, s *script) error {
	if s.Len() == 0 {
		return nil
	}
	_, err := b.run(ctx, s.Bytes(), "ipset", "restore")
	s.Reset()
	return err
}

// restoreChains makes our chains what they have to be, in one step, with what their rules have counted, and
// destroys sets that no rule looks at any more. Only a plan that repairs opens or closes the gate.
func (b *Backend) restoreChains(ctx context.Context, found *survey, plan remediation.Plan) error {
	closed := plan.Closed
	if !plan.Repair {
		closed = found.closed()
	}
	want := b.config.rules(found, closed)
	var s script
	s.command("*filter")
	names := slices.Sorted(maps.Keys(want))
	for _, chain := range names {
		s.command(":"+chain, "-", "[0:0]")
	}
	for _, chain := range names {
		for _, rule := range want[chain] {
			s.command(found.trafficOf(chain, rule).String(), "-A", chain, rule.command())
		}
	}
	for _, chain := range found.missingJumps() {
		s.command("-I", chain, "-j", ownChain)
	}
	s.command("COMMIT")
	if _, err := b.run(ctx, s.Bytes(), found.program("-restore"), "-w", lockWait, "--noflush", "--counters"); err != nil {
		return err
	}
	for name := range found.sets {
		_, usable := found.groups[name]
		if _, ours := found.number(name); ours && (!usable || found.useless(name)) {
			b.destroy(ctx, name)
		}
	}
	return nil
}

// trafficOf returns what the rule about the same set has counted so far.
func (found *survey) trafficOf(chain string, r rule) traffic {
	for _, have := range found.table.chains[chain] {
		if have.set == r.set && have.gate == r.gate && have.prefix == r.prefix && !have.foreign {
			return have.traffic
		}
	}
	return traffic{}
}

// String returns t as iptables-restore reads it.
func (t traffic) String() string {
	return "[" + strconv.FormatUint(t.packets, 10) + ":" + strconv.FormatUint(t.bytes, 10) + "]"
}

// destroy ends a set. The kernel may look at it a moment longer than its rule exists.
func (b *Backend) destroy(ctx context.Context, name string) {
	var err error
	for range destroyTries {
		if _, err = b.run(ctx, nil, "ipset", "destroy", name); err == nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(destroyPause):
		}
	}
	b.log.WarnContext(ctx, "a set stays", "set", name, "error", err)
}

// Counters returns what rules have counted.
func (b *Backend) Counters(ctx context.Context) ([]remediation.Counter, error) {
	var counters []remediation.Counter
	for _, s := range b.config.sides() {
		found := survey{side: s, groups: map[string]string{}}
		var err error
		found.table, err = b.filterTable(ctx, s)
		if b.config.SetsOnly && errors.Is(err, exec.ErrNotFound) {
			continue // only that of one family has to be there
		}
		if err != nil {
			return nil, err
		}
		counters = append(counters, b.count(&found)...)
	}
	return counters, nil
}

func (b *Backend) count(found *survey) []remediation.Counter {
	var processed traffic
	dropped := map[string]traffic{}
	for _, chain := range slices.Sorted(maps.Keys(found.table.chains)) {
		looked := false
		for _, rule := range found.table.chains[chain] {
			group, ours := b.groupOf(found, rule.set)
			switch {
			case isJump(rule):
				processed = processed.plus(rule.traffic)
			case rule.set != "" && ours && rule.set != found.Allowlist && (b.config.SetsOnly || chain == ownChain):
				dropped[group] = dropped[group].plus(rule.traffic)
				looked = true
			}
		}
		if looked && b.config.SetsOnly {
			processed = processed.plus(found.table.policies[chain])
		}
	}
	counters := []remediation.Counter{{IPv6: found.ipv6, Packets: processed.packets, Bytes: processed.bytes}}
	for _, group := range slices.Sorted(maps.Keys(dropped)) {
		counters = append(counters, remediation.Counter{
			Dropped: true, Group: group, IPv6: found.ipv6, Packets: dropped[group].packets, Bytes: dropped[group].bytes,
		})
	}
	return counters
}

// Remove takes away jumps, chains and sets; with SetsOnly, the elements.
func (b *Backend) Remove(ctx context.Context) error {
	for _, s := range b.config.sides() {
		found, err := b.look(ctx, s)
		if err != nil {
			return err
		}
		if b.config.SetsOnly {
			err = b.flush(ctx, &found)
		} else {
			err = b.removeAll(ctx, &found)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *Backend) flush(ctx context.Context, found *survey) error {
	var s script
	for _, name := range found.ours() {
		s.command("flush", name)
	}
	return b.restore(ctx, &s)
}

func (b *Backend) removeAll(ctx context.Context, found *survey) error {
	var s script
	s.command("*filter")
	for _, chain := range slices.Sorted(maps.Keys(found.table.chains)) {
		for _, rule := range found.table.chains[chain] {
			if isJump(rule) {
				s.command("-D", chain, "-j", ownChain)
			}
		}
	}
	for _, chain := range []string{ownChain, logChain} {
		if _, ok := found.table.chains[chain]; ok {
			s.command("-F", chain)
			s.command("-X", chain)
		}
	}
	s.command("COMMIT")
	if _, err := b.run(ctx, s.Bytes(), found.program("-restore"), "-w", lockWait, "--noflush"); err != nil {
		return err
	}
	for _, name := range found.ours() {
		b.destroy(ctx, name)
	}
	return nil
}
