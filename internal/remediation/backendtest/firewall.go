package backendtest

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"shieldwall/internal/remediation"
	"shieldwall/internal/wire"
)

const (
	attacker   = "198.51.100.7"
	neighbour  = "198.51.100.8"
	attacker6  = "2001:db8:1::7"
	neighbour6 = "2001:db8:1:1::8"
)

// Vandal is something that others do to the objects of a backend.
type Vandal struct {
	Name   string
	Damage func(t *testing.T, in *Namespace)
}

// Site is where a backend has to work, and how.
type Site struct {
	In     *Namespace
	Reject bool // denied packets are answered
}

// Firewall checks that a backend stops packets. Open returns a backend at a site; opening a second time is
// what a new process does that finds what the first has left.
func Firewall(t *testing.T, open func(t *testing.T, at Site) Subject, vandals []Vandal) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(*field)
	}{
		{"nothing is stopped without bans", harmless},
		{"address", stopsAddress},
		{"range with an address inside", stopsRange},
		{"two origins", stopsForBothOrigins},
		{"IPv6", stopsIPv6},
		{"checking beside a running one", checking},
		{"counters", counting},
		{"an end that comes by itself", endingByItself},
		{"types and origins", stopsWhatIsOurs},
		{"allowlist", lettingPass},
		{"closed until something is known", closed},
		{"normal end", ending},
		{"adoption", adopting},
		{"no packet passes during restarts", restarting},
		{"killed between plan and apply", unapplied},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(newField(t, open))
		})
	}
	t.Run("reject", func(t *testing.T) {
		t.Parallel()
		rejecting(newField(t, func(t *testing.T, at Site) Subject {
			t.Helper()
			at.Reject = true
			return open(t, at)
		}))
	})
	for _, vandal := range vandals {
		t.Run("restores after "+vandal.Name, func(t *testing.T) {
			t.Parallel()
			restoring(newField(t, open), vandal)
		})
	}
}

// field is a backend under test inside a Lab.
type field struct {
	*subject

	lab  *Lab
	open Opener
}

func newField(t *testing.T, open func(*testing.T, Site) Subject) *field {
	t.Helper()
	lab := NewLab(t)
	f := &field{lab: lab, open: func(t *testing.T) Subject {
		t.Helper()
		return open(t, Site{In: lab.Firewall})
	}}
	f.subject = start(t, f.open)
	return f
}

// restart leaves everything as after a crash and starts anew.
func (f *field) restart() { f.subject = start(f.t, f.open) }

func (f *field) passes(addresses ...string) {
	f.t.Helper()
	for _, address := range addresses {
		eventually(f.t, address+" gets an echo", func() bool { return f.lab.Ask(f.t, address) == Echo })
	}
}

func (f *field) stops(addresses ...string) {
	f.t.Helper()
	for _, address := range addresses {
		if answer := f.lab.Ask(f.t, address); answer == Echo {
			f.t.Fatalf("%s gets an echo", address)
		}
	}
}

func harmless(f *field) { f.passes(attacker, attacker6) }

func stopsAddress(f *field) {
	f.snapshot(ban(attacker))
	f.stops(attacker)
	f.passes(neighbour)
	f.remove(ban(attacker))
	f.passes(attacker)
	f.add(ban(attacker, lasting(3*time.Second)))
	f.stops(attacker)
	f.add(ban(attacker))
	eventually(f.t, "the first ban would have ended", func() bool { return f.held("crowdsec")[attacker] < hour-4*time.Second })
	f.stops(attacker)
}

func stopsRange(f *field) {
	f.snapshot(ban("198.51.100.0/24"))
	f.stops(attacker, neighbour, "198.51.100.0", "198.51.100.255")
	f.snapshot(ban("198.51.100.0/29"), ban(attacker))
	f.stops(attacker, "198.51.100.0", "198.51.100.3")
	f.passes(neighbour)
	f.remove(ban(attacker))
	f.stops(attacker)
	f.add(ban("198.51.0.0/16", lasting(2*hour)))
	f.stops(attacker, neighbour)
	f.remove(ban("198.51.0.0/16"))
	f.stops(attacker)
	f.passes(neighbour)
	f.remove(ban("198.51.100.0/29"))
	f.passes(attacker)
}

func endingByItself(f *field) {
	f.snapshot(ban(attacker, lasting(time.Second)), ban("2001:db8:1::/64", lasting(time.Second)), ban("198.51.100.128/25"))
	f.stops(attacker, attacker6)
	f.passes(attacker, attacker6)
	f.stops("198.51.100.200")
	f.add(ban(attacker), ban("2001:db8:1::/64"))
	f.stops(attacker, attacker6)
}

func stopsWhatIsOurs(f *field) {
	f.snapshot(ban(attacker, of("quarantine")), ban(neighbour, of("captcha")), ban(attacker6, by("CAPI")))
	f.stops(attacker)
	f.passes(neighbour, attacker6)
}

func lettingPass(f *field) {
	f.snapshot(ban("198.51.100.0/24"), ban(neighbour), ban("2001:db8:1::/48"))
	f.stops(attacker, neighbour, attacker6, neighbour6)
	f.allow(map[string]time.Duration{neighbour: 0, "2001:db8:1::/64": hour, "198.51.100.128/25": 0})
	f.passes(neighbour, attacker6, "198.51.100.200")
	f.stops(attacker, neighbour6)
	f.restart()
	f.passes(neighbour, attacker6)
	f.add(ban(neighbour, by("lists")))
	f.passes(neighbour)
	f.allow(map[string]time.Duration{attacker: time.Second})
	f.passes(attacker)
	f.stops(neighbour, attacker6)
	eventually(f.t, "it is not allowed any more", func() bool { return f.lab.Ask(f.t, attacker) != Echo })
}

// closed starts with a gate that is closed until somebody says who is banned.
func closed(f *field) {
	f.must(f.backend.Remove(f.t.Context()))
	f.passes(neighbour, neighbour6)
	f.subject = prepared(f.t, f.open)
	f.enforcer.BeginWith(remediation.ClosedStart)
	f.must(f.enforcer.Start(f.t.Context()))
	f.stops(attacker, neighbour, attacker6, neighbour6)
	f.must(f.enforcer.Reconcile(f.t.Context()))
	f.stops(neighbour)
	f.allow(map[string]time.Duration{neighbour: 0})
	f.passes(neighbour)
	f.snapshot(ban(attacker))
	f.stops(attacker)
	f.passes(neighbour, neighbour6, "198.51.100.9")
	f.must(f.enforcer.Reconcile(f.t.Context()))
	if last := f.enforcer.Audits().Last; last.Damaged {
		f.t.Errorf("the open gate is taken for damage: %+v", last)
	}
}

func rejecting(f *field) {
	f.snapshot(ban(attacker), ban("2001:db8:1::/64"))
	for _, address := range []string{attacker, attacker6} {
		if answer := f.lab.Ask(f.t, address); answer != Refusal {
			f.t.Errorf("%s gets %s", address, answer)
		}
	}
	f.passes(neighbour, neighbour6)
}

func stopsForBothOrigins(f *field) {
	f.snapshot(ban(attacker), ban(attacker, by("cscli")))
	f.remove(ban(attacker))
	f.stops(attacker)
	f.remove(ban(attacker, by("cscli")))
	f.passes(attacker)
}

func stopsIPv6(f *field) {
	f.snapshot(ban(attacker6))
	f.stops(attacker6)
	f.passes(neighbour6, attacker)
	f.add(ban("2001:db8:1::/48"))
	f.stops(attacker6, neighbour6)
	f.remove(ban("2001:db8:1::/48"), ban(attacker6))
	f.passes(attacker6, neighbour6)
}

func checking(f *field) {
	f.snapshot(ban(attacker))
	f.must(f.open(f.t).Check(f.t.Context()))
	f.stops(attacker)
	f.expect("crowdsec", map[string]time.Duration{attacker: hour})
}

func counting(f *field) {
	f.snapshot(ban(attacker), ban("198.51.100.128/25", by("cscli")))
	f.stops(attacker, "198.51.100.200")
	f.passes(neighbour)
	counters, err := f.backend.Counters(f.t.Context())
	f.must(err)
	packets := map[string]uint64{}
	for _, counter := range counters {
		if !counter.IPv6 {
			packets[counter.Group] = counter.Packets
		}
	}
	if packets["crowdsec"] == 0 || packets["cscli"] == 0 || packets[""] <= packets["crowdsec"]+packets["cscli"] {
		f.t.Errorf("counted %v", packets)
	}
	for _, active := range f.enforcer.Active() {
		if active.Count != 1 {
			f.t.Errorf("active: %+v", active)
		}
	}
}

func ending(f *field) {
	f.snapshot(ban(attacker), ban("2001:db8:1::/48"))
	f.stops(attacker, attacker6)
	f.must(f.backend.Remove(f.t.Context()))
	f.passes(attacker, attacker6)
	f.must(f.backend.Remove(f.t.Context()))
}

func adopting(f *field) {
	f.snapshot(ban(attacker), ban("2001:db8:1::/48"), ban(neighbour, lasting(2*hour)))
	f.restart()
	f.stops(attacker, attacker6, neighbour)
	f.expect("crowdsec", map[string]time.Duration{attacker: hour, "2001:db8:1::/48": hour, neighbour: 2 * hour})
	believed, err := f.enforcer.Snapshot(f.t.Context(), f.enforcer.Whole())
	if believed || err != nil {
		f.t.Fatalf("an empty snapshot was believed: %t, %v", believed, err)
	}
	f.stops(attacker, attacker6, neighbour)
	f.snapshot(ban(neighbour, lasting(2*hour)), ban(attacker, lasting(4*hour)))
	f.expect("crowdsec", map[string]time.Duration{attacker: 4 * hour, neighbour: 2 * hour})
	f.passes(attacker6)
}

func restarting(f *field) {
	const restarts = 20
	banned := []netip.Addr{netip.MustParseAddr(attacker), netip.MustParseAddr("198.51.100.130"), netip.MustParseAddr(attacker6)}
	control := netip.MustParseAddr(neighbour)
	decisions := []wire.Decision{ban(attacker), ban("198.51.100.128/25"), ban("2001:db8:1::/64")}
	f.snapshot(decisions...)
	before := make([]int, len(banned))
	for i, address := range banned {
		before[i] = f.lab.Arrived(address)
	}
	stop := f.lab.Flood(f.t, append(banned, control)...)
	defer stop()
	for i := range restarts {
		seen := f.lab.Arrived(control)
		f.restart()
		decisions[0].Duration = (hour + time.Duration(i)*time.Minute).String()
		f.snapshot(decisions...)
		eventually(f.t, "others get through", func() bool { return f.lab.Arrived(control) > seen })
	}
	stop()
	for i, address := range banned {
		if got := f.lab.Arrived(address); got != before[i] {
			f.t.Errorf("%d packets from %s passed", got-before[i], address)
		}
	}
}

// dying is a backend whose process is killed when it is to apply something.
type dying struct{ remediation.Backend }

var errKilled = errors.New("killed")

// Apply does nothing.
func (dying) Apply(context.Context, remediation.Plan) error { return errKilled }

// unapplied: what was planned and not applied is done by the next process, and until then nothing has changed.
func unapplied(f *field) {
	f.snapshot(ban(attacker), ban("2001:db8:1::/64"))
	killed := enforcerOf(dying{f.backend}, f.traits)
	f.must(killed.Start(f.t.Context()))
	for _, batch := range []*remediation.Batch{
		Told(killed.Delta(), wire.DecisionsStream{New: []wire.Decision{ban(neighbour), ban("198.51.100.128/25")}}),
		Told(killed.Delta(), wire.DecisionsStream{Deleted: []wire.Decision{ban("2001:db8:1::/64")}}),
	} {
		if err := killed.Changes(f.t.Context(), batch); !errors.Is(err, errKilled) {
			f.t.Fatalf("not killed: %v", err)
		}
		f.stops(attacker, attacker6)
		f.passes(neighbour)
	}
	f.restart()
	f.stops(attacker, attacker6)
	f.snapshot(ban(attacker), ban(neighbour), ban("198.51.100.128/25"))
	f.stops(attacker, neighbour, "198.51.100.200")
	f.passes(attacker6)
}

func restoring(f *field, vandal Vandal) {
	f.snapshot(ban(attacker), ban("2001:db8:1::/48"), ban("198.51.100.128/25", by("cscli")))
	vandal.Damage(f.t, f.lab.Firewall)
	f.must(f.enforcer.Reconcile(f.t.Context()))
	if last := f.enforcer.Audits().Last; last.Coverage() == 100 && !last.Damaged || !last.Repaired {
		f.t.Errorf("the damage was not noticed: %+v", last)
	}
	f.must(f.enforcer.Reconcile(f.t.Context()))
	if last := f.enforcer.Audits().Last; last.Coverage() != 100 || last.Damaged {
		f.t.Errorf("the repair was not complete: %+v", last)
	}
	f.stops(attacker, attacker6, "198.51.100.200")
	f.passes(neighbour)
	f.expect("crowdsec", map[string]time.Duration{attacker: hour, "2001:db8:1::/48": hour})
	vandal.Damage(f.t, f.lab.Firewall)
	f.add(ban(neighbour, by("lists")), ban("198.51.100.0/30"))
	f.must(f.enforcer.Reconcile(f.t.Context()))
	f.stops(attacker, attacker6, "198.51.100.200", neighbour, "198.51.100.2")
}
