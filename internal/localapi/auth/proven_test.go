package auth

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
	"pgregory.net/rapid"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store"
)

// anyMachines is store.Machines by a name that is none of its methods.
type anyMachines store.Machines

// roster is a store that can tell about a machine, and nothing else.
type roster struct {
	anyMachines

	mu   sync.Mutex // guards rows
	rows map[string]domain.Machine
}

func (r *roster) Machine(_ context.Context, id string) (domain.Machine, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	machine, ok := r.rows[id]
	if !ok {
		return domain.Machine{}, fault.Errorf(fault.NotFound, "no such machine")
	}
	return machine, nil
}

func (r *roster) UpdateMachine(context.Context, string, store.MachineChange) error { return nil }

// put gives a machine a password; "" removes the machine.
func (r *roster) put(t *testing.T, id, password string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if password == "" {
		delete(r.rows, id)
		return
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	r.rows[id] = domain.Machine{
		ID: id, PasswordHash: string(hash), Validated: true, AuthType: domain.AuthPassword,
	}
}

// gatehouse is where machines log in.
type gatehouse struct {
	t        *testing.T
	roster   *roster
	machines *Machines
	callers  *atomic.Uint32 // so far: each has an address of its own, and is not taken for somebody who guesses
}

func newGatehouse(t *testing.T) gatehouse {
	t.Helper()
	known := &roster{rows: map[string]domain.Machine{}}
	machines, err := NewMachines(known, MachineOptions{
		Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Unix(1_800_000_000, 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return gatehouse{t: t, roster: known, machines: machines, callers: new(atomic.Uint32)}
}

func (g gatehouse) login(ctx context.Context, id, password string) error {
	var address [4]byte
	binary.BigEndian.PutUint32(address[:], g.callers.Add(1))
	_, err := g.machines.Login(ctx, Credentials{ID: id, Password: password, UserAgent: "a/1", Address: netip.AddrFrom4(address)})
	return err
}

// answer is "yes" or "no", with "at once" when it needs no bcrypt.
func (g gatehouse) answer(id, password string) string {
	g.t.Helper()
	if err := g.withoutBcrypt(id, password); !fault.Is(err, fault.Unavailable) {
		return spoken(g.t, err) + " at once"
	}
	return spoken(g.t, g.login(g.t.Context(), id, password))
}

// withoutBcrypt logs in while every processor is taken and the caller does not wait.
func (g gatehouse) withoutBcrypt(id, password string) error {
	for range cap(g.machines.passwords.slots) {
		g.machines.passwords.slots <- struct{}{}
	}
	defer func() {
		for range cap(g.machines.passwords.slots) {
			<-g.machines.passwords.slots
		}
	}()
	gone, leave := context.WithCancel(g.t.Context())
	leave()
	return g.login(gone, id, password)
}

func spoken(t *testing.T, err error) string {
	t.Helper()
	if err != nil && !fault.Is(err, fault.Unauthorized) {
		t.Fatal(err)
	}
	if err != nil {
		return "no"
	}
	return "yes"
}

func TestWhoComesAgainPaysNoBcrypt(t *testing.T) {
	t.Parallel()
	g := newGatehouse(t)
	g.roster.put(t, "m", "first")
	g.roster.put(t, "n", "first")
	for i, step := range []struct {
		before       func()
		id, password string
		want         string
	}{
		{nil, "m", "wrong", "no"},
		{nil, "m", "wrong", "no"}, // a wrong one is never remembered
		{nil, "m", "first", "yes"},
		{nil, "m", "first", "yes at once"},
		{nil, "m", "wrong", "no"}, // and takes no right one away
		{nil, "m", "", "no"},
		{nil, "m", "first", "yes at once"},
		{nil, "n", "first", "yes"}, // each machine proves itself
		{nil, "x", "first", "no"},
		{nil, "x", "first", "no"}, // a machine that nobody knows costs the same each time
		{func() { g.roster.put(t, "m", "second") }, "m", "first", "no"},
		{nil, "m", "second", "yes"},
		{nil, "m", "second", "yes at once"},
		{func() { g.roster.put(t, "m", "second") }, "m", "second", "yes"}, // the same password, stored anew
		{func() { g.roster.put(t, "m", "") }, "m", "second", "no"},
		{func() { g.roster.put(t, "m", "third") }, "m", "second", "no"},
		{nil, "m", "third", "yes"},
		{func() { g.invalidate("m") }, "m", "third", "no at once"}, // the right password, of a machine that is not let in
		{nil, "n", "first", "yes at once"},
	} {
		if step.before != nil {
			step.before()
		}
		if got := g.answer(step.id, step.password); got != step.want {
			t.Errorf("step %d, %s with %q: %s, not %s", i, step.id, step.password, got, step.want)
		}
	}
}

func (g gatehouse) invalidate(id string) {
	g.roster.mu.Lock()
	defer g.roster.mu.Unlock()
	machine := g.roster.rows[id]
	machine.Validated = false
	g.roster.rows[id] = machine
}

// A password beyond what bcrypt looks at is not the same as one that begins like it.
func TestLongPasswordsAreRememberedWhole(t *testing.T) {
	t.Parallel()
	g := newGatehouse(t)
	long := strings.Repeat("p", 72)
	g.roster.put(t, "m", long)
	if got := g.answer("m", long); got != "yes" {
		t.Fatal(got)
	}
	if err := g.withoutBcrypt("m", long+"q"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v without asking bcrypt", err)
	}
}

func TestManyLogInAtOnceWhilePasswordsChange(t *testing.T) {
	t.Parallel()
	g := newGatehouse(t)
	g.roster.put(t, "m", "0")
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for i := range 10 {
				if err := g.login(t.Context(), "m", "never"); err == nil {
					t.Errorf("round %d: a wrong password was believed", i)
				}
				_ = g.login(t.Context(), "m", fmt.Sprint(i))
			}
		})
	}
	for i := range 10 {
		g.roster.put(t, "m", fmt.Sprint(i))
	}
	group.Wait()
	if got := g.answer("m", "8"); got != "no" {
		t.Errorf("the last but one password: %s", got)
	}
	if err := g.login(t.Context(), "m", "9"); err != nil {
		t.Errorf("the last password: %v", err)
	}
}

func TestProvenIsBounded(t *testing.T) {
	t.Parallel()
	p, err := newProven()
	if err != nil {
		t.Fatal(err)
	}
	for i := range provenMax + 100 {
		p.keep(fmt.Sprint(i), p.proofOf("hash", "password"))
	}
	if size := p.byMachine.Len(); size != provenMax {
		t.Errorf("%d machines are remembered", size)
	}
	if p.holds("0", p.proofOf("hash", "password")) || !p.holds(fmt.Sprint(provenMax), p.proofOf("hash", "password")) {
		t.Error("the oldest is not the one that went")
	}
}

// Two proofs are the same only for the same hash and password, in the same process.
func TestProofs(t *testing.T) {
	t.Parallel()
	here, err := newProven()
	if err != nil {
		t.Fatal(err)
	}
	there, err := newProven()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ab]{0,3}`)
		hash, password := text.Draw(t, "hash"), text.Draw(t, "password")
		otherHash, otherPassword := text.Draw(t, "other hash"), text.Draw(t, "other password")
		same := hash == otherHash && password == otherPassword
		if (here.proofOf(hash, password) == here.proofOf(otherHash, otherPassword)) != same {
			t.Errorf("%q %q and %q %q", hash, password, otherHash, otherPassword)
		}
		if here.proofOf(hash, password) == there.proofOf(hash, password) {
			t.Error("another process makes the same proof")
		}
	})
}
