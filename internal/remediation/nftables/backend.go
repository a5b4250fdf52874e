package nftables

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"shieldwall/internal/remediation"
)

const (
	// kernelTimeout bounds one exchange with the kernel. Reading a million elements takes it a minute.
	kernelTimeout = 3 * time.Minute
	// receiveBuffer and sendBuffer are sizes of netlink sockets in bytes. A transaction must fit into the
	// second, which is a limit and not an allocation.
	receiveBuffer = 8 << 20
	sendBuffer    = 256 << 20
	// maxPoints is the number of elements in one transaction, about 4 MiB of messages.
	maxPoints = 100_000
)

// Backend enforces through nftables. Apart from the descriptions of its objects it has no state; it is safe
// for concurrent use as far as the kernel orders transactions.
type Backend struct {
	config Config
	now    func() time.Time
	log    *slog.Logger
}

// New returns a Backend; nothing is sent to the kernel. The error says what is wrong with config.
func New(config Config, now func() time.Time, log *slog.Logger) (*Backend, error) {
	log.Info("backend type: nftables")
	if err := config.validate(); err != nil {
		return nil, err
	}
	return &Backend{config: config, now: now, log: log}, nil
}

// Traits say how this backend holds elements.
func (b *Backend) Traits() remediation.Traits { return remediation.Traits{Group: b.group} }

// group names the group of an origin.
func (b *Backend) group(origin string, ipv6 bool) string {
	if ipv6 && b.config.IPv6.SetOnly || !ipv6 && b.config.IPv4.SetOnly {
		return ""
	}
	return groupOf(origin)
}

// Check reports whether the kernel answers and, in set-only mode, whether the table is there.
func (b *Backend) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, kernelTimeout)
	defer cancel()
	r, err := b.reader(ctx)
	if err != nil {
		return err
	}
	for _, side := range b.config.sides() {
		if _, _, err := r.ruleset(side); err != nil {
			return fmt.Errorf("nftables: %w", err)
		}
	}
	return nil
}

// Read returns what the kernel holds in the sets of both families.
func (b *Backend) Read(ctx context.Context) (remediation.Enforced, error) {
	ctx, cancel := context.WithTimeout(ctx, kernelTimeout)
	defer cancel()
	enforced := remediation.Enforced{
		Sets: map[remediation.Set]remediation.Elements{}, Idle: map[remediation.Set]bool{},
	}
	r, err := b.reader(ctx)
	if err != nil {
		return enforced, err
	}
	open := false
	for _, side := range b.config.sides() {
		closed, err := b.readSide(ctx, r, side, &enforced)
		if err != nil {
			return enforced, fmt.Errorf("nftables: %w", err)
		}
		open = open || !closed && !side.SetOnly
		enforced.Closed = enforced.Closed || closed
	}
	enforced.Incomplete = enforced.Incomplete || enforced.Closed && open
	return enforced, nil
}

// readSide adds to enforced what is there of one family, and reports whether its gate is closed.
func (b *Backend) readSide(
	ctx context.Context, r reader, s side, enforced *remediation.Enforced,
) (closed bool, err error) {
	t, have, err := r.ruleset(s)
	if err != nil {
		return false, err
	}
	sets := s.ourSets(have)
	want := b.config.want(s.Family, contents{sets, have.closed()})
	if differs(s.Family, have, want) {
		enforced.Incomplete = true
	}
	for _, set := range sets {
		name := s.setName(set)
		if have.sets[name] != (shape{ipv6: set.IPv6, ranges: set.Ranges}) {
			continue // repair replaces it
		}
		if enforced.Sets[set], err = b.dump(ctx, t, set, name); err != nil {
			return false, fmt.Errorf("listing elements of set %s: %w", name, err)
		}
		if have.idle(name, want) {
			enforced.Idle[set] = true
		}
	}
	return have.closed(), nil
}

// Apply performs plan in as few transactions as possible.
func (b *Backend) Apply(ctx context.Context, plan remediation.Plan) error {
	ctx, cancel := context.WithTimeout(ctx, kernelTimeout)
	defer cancel()
	tx := transaction{send: func(commands []netlink.Message) error { return b.send(ctx, commands) }}
	for _, side := range b.config.sides() {
		if err := b.planSide(ctx, &tx, side, side.share(plan)); err != nil {
			return fmt.Errorf("nftables: %w", err)
		}
	}
	if err := tx.commit(); err != nil {
		return fmt.Errorf("nftables: %w", err)
	}
	return nil
}

// share returns the part of plan that is about one family.
func (s side) share(plan remediation.Plan) remediation.Plan {
	plan.Changes = slices.DeleteFunc(slices.Clone(plan.Changes), func(change remediation.Change) bool {
		return change.Set.IPv6 != s.ipv6
	})
	return plan
}

// planSide adds to tx what has to be done in one family.
func (b *Backend) planSide(ctx context.Context, tx *transaction, s side, plan remediation.Plan) error {
	if plan.IsEmpty() {
		return nil
	}
	r, err := b.reader(ctx)
	if err != nil {
		return err
	}
	t := s.ownTable()
	if s.SetOnly {
		if t, _, err = r.find(s); err != nil {
			return err
		}
	}
	creates := func(change remediation.Change) bool { return change.Create }
	if plan.Repair || slices.ContainsFunc(plan.Changes, creates) {
		if err := b.complete(tx, r, s, plan); err != nil {
			return err
		}
	}
	for _, change := range plan.Changes {
		if err := tx.change(t, s.setName(change.Set), change, b.now); err != nil {
			return err
		}
	}
	return nil
}

// complete adds to tx what is missing around the sets that exist and those that plan needs. Only a plan that
// repairs opens or closes the gate.
func (b *Backend) complete(tx *transaction, r reader, s side, plan remediation.Plan) error {
	t, have, err := r.ruleset(s)
	if err != nil {
		return err
	}
	sets := s.ourSets(have)
	for _, change := range plan.Changes {
		if !slices.Contains(sets, change.Set) {
			sets = append(sets, change.Set)
			b.log.Info("new set", "table", t.name, "set", s.setName(change.Set), "origin", change.Set.Group)
		}
	}
	closed := plan.Closed
	if !plan.Repair {
		closed = have.closed()
	}
	commands, err := repair(t, s.Family, have, b.config.want(s.Family, contents{sets, closed}))
	tx.commands = append(tx.commands, commands...)
	return err
}

// Counters returns the named counters of both families.
func (b *Backend) Counters(ctx context.Context) ([]remediation.Counter, error) {
	ctx, cancel := context.WithTimeout(ctx, kernelTimeout)
	defer cancel()
	r, err := b.reader(ctx)
	if err != nil {
		return nil, err
	}
	var counters []remediation.Counter
	for _, side := range b.config.sides() {
		if side.SetOnly {
			continue
		}
		found, err := r.counters(side.ownTable())
		if err != nil && !isMissing(err) {
			return nil, fmt.Errorf("nftables: %w", err)
		}
		for name, counter := range found {
			group, dropped := strings.CutPrefix(name, side.Blacklist+"-")
			if !dropped && name != processedCounter {
				continue
			}
			if !dropped {
				group = ""
			}
			counters = append(counters, remediation.Counter{
				Dropped: dropped, Group: groupOfText(group), IPv6: side.ipv6,
				Packets: counter.Packets, Bytes: counter.Bytes,
			})
		}
	}
	slices.SortFunc(counters, compareCounters)
	return counters, nil
}

func compareCounters(a, b remediation.Counter) int {
	if a.IPv6 != b.IPv6 {
		if a.IPv6 {
			return 1
		}
		return -1
	}
	return strings.Compare(a.Group, b.Group)
}

// Remove deletes the tables, or in set-only mode the elements.
func (b *Backend) Remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, kernelTimeout)
	defer cancel()
	r, err := b.reader(ctx)
	if err != nil {
		return err
	}
	var commands []netlink.Message
	for _, side := range b.config.sides() {
		t, have, err := r.ruleset(side)
		switch {
		case err != nil:
			return fmt.Errorf("nftables: %w", err)
		case !have.exists:
			continue
		case !side.SetOnly:
			b.log.Info("removing table", "table", t.name)
			commands = append(commands, deleteTable(t))
			continue
		}
		for _, set := range side.ourSets(have) {
			b.log.Info("flushing set", "table", t.name, "set", side.setName(set))
			commands = append(commands, flushSet(t, side.setName(set)))
		}
	}
	if len(commands) == 0 {
		return nil
	}
	return b.send(ctx, commands)
}

// send performs commands in one transaction: all of them or, after an error, none.
func (b *Backend) send(ctx context.Context, commands []netlink.Message) error {
	conn, err := b.dial(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	// Errors are always answered; the confirmation of the last command means that all took effect.
	commands[len(commands)-1].Header.Flags |= netlink.Acknowledge
	batch := slices.Concat(
		[]netlink.Message{boundary(unix.NFNL_MSG_BATCH_BEGIN)}, commands,
		[]netlink.Message{boundary(unix.NFNL_MSG_BATCH_END)},
	)
	if _, err := conn.SendMessages(batch); err != nil {
		return fmt.Errorf("sending a transaction of %d commands: %w", len(commands), err)
	}
	if _, err := conn.Receive(); err != nil {
		return fmt.Errorf("performing a transaction of %d commands: %w", len(commands), err)
	}
	return nil
}

// dial opens a socket for one exchange with the kernel.
func (b *Backend) dial(ctx context.Context) (*netlink.Conn, error) {
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{NetNS: b.config.Namespace})
	if err != nil {
		return nil, fmt.Errorf("opening netlink: %w", err)
	}
	if err := prepare(ctx, conn); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("preparing netlink: %w", err)
	}
	return conn, nil
}

func prepare(ctx context.Context, conn *netlink.Conn) error {
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	if err := conn.SetWriteBuffer(sendBuffer); err != nil {
		return err
	}
	_ = conn.SetOption(netlink.ExtendedAcknowledge, true) // errors in words, of newer kernels only
	return nil
}
