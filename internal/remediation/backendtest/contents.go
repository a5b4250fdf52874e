package backendtest

import (
	"encoding/binary"
	"fmt"
	"maps"
	"net/netip"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/remediation"
	"shieldwall/internal/wire"
)

const (
	hour = time.Hour
	many = 20_000
)

// Contents checks that a backend holds what it is told to hold, for as long as it is told. Every call of
// prepare returns an opener of an empty backend of its own.
func Contents(t *testing.T, prepare func(t *testing.T) Opener) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(*subject)
	}{
		{"add and delete", addAndDelete},
		{"extend and shorten", extendAndShorten},
		{"expire", expire},
		{"extend while expiring", extendWhileExpiring},
		{"two origins", twoOrigins},
		{"range with an address inside", rangeWithAddress},
		{"overlapping ranges", overlappingRanges},
		{"edges of the address space", edges},
		{"IPv6", ipv6},
		{"types and origins", typesAndOrigins},
		{"allowlist", allowlist},
		{"audits", audits},
		{"many", manyElements},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, prepare(t))
			s.must(s.backend.Check(t.Context()))
			test.run(s)
			s.must(s.backend.Remove(t.Context()))
		})
	}
}

func addAndDelete(s *subject) {
	s.snapshot(ban("192.0.2.1"), ban("192.0.2.2", lasting(2*hour)))
	s.expect("crowdsec", map[string]time.Duration{"192.0.2.1": hour, "192.0.2.2": 2 * hour})
	s.remove(ban("192.0.2.1", lasting(0)), ban("192.0.2.99"))
	s.expect("crowdsec", map[string]time.Duration{"192.0.2.2": 2 * hour})
	s.add(ban("192.0.2.1"))
	s.expect("crowdsec", map[string]time.Duration{"192.0.2.1": hour, "192.0.2.2": 2 * hour})
}

func extendAndShorten(s *subject) {
	s.snapshot(ban("192.0.2.1"), ban("198.51.100.0/24"))
	s.add(ban("192.0.2.1", lasting(4*hour)), ban("198.51.100.0/24", lasting(4*hour)))
	s.expect("crowdsec", map[string]time.Duration{"192.0.2.1": 4 * hour, "198.51.100.0/24": 4 * hour})
	s.add(ban("192.0.2.1", lasting(2*hour)))
	s.expect("crowdsec", map[string]time.Duration{"192.0.2.1": 4 * hour, "198.51.100.0/24": 4 * hour})
	s.must(s.enforcer.Changes(s.t.Context(), Told(s.enforcer.Delta(), wire.DecisionsStream{
		Deleted: []wire.Decision{ban("192.0.2.1")}, New: []wire.Decision{ban("192.0.2.1", lasting(hour))},
	})))
	s.expect("crowdsec", map[string]time.Duration{"192.0.2.1": hour, "198.51.100.0/24": 4 * hour})
}

func expire(s *subject) {
	s.snapshot(ban("192.0.2.1", lasting(time.Second)), ban("198.51.100.0/24", lasting(time.Second)),
		ban("198.51.100.128/25"))
	eventually(s.t, "short bans end by themselves", func() bool { s.elapse(); return len(s.held("crowdsec")) == 1 })
	s.expect("crowdsec", map[string]time.Duration{"198.51.100.128/25": hour})
	s.must(s.enforcer.Reconcile(s.t.Context()))
	s.expect("crowdsec", map[string]time.Duration{"198.51.100.128/25": hour})
}

// extendWhileExpiring extends bans of which some have just ended and others are just about to.
func extendWhileExpiring(s *subject) {
	const count = 1500
	short := make([]wire.Decision, count)
	long := make([]wire.Decision, count)
	for i := range count {
		value := numbered("10.0.0.0", i)
		if i%3 == 0 {
			value += "/32"
		}
		short[i] = ban(value, lasting(time.Second+time.Duration(i)*time.Millisecond))
		long[i] = ban(value)
	}
	s.snapshot(short...)
	eventually(s.t, "half of the bans ended", func() bool { s.elapse(); return len(s.held("crowdsec")) < count/2 })
	s.add(long...)
	s.lasts(s.held("crowdsec"), hour-time.Minute)
	if held := len(s.held("crowdsec")); held != count {
		s.t.Fatalf("%d held, want %d", held, count)
	}
}

func twoOrigins(s *subject) {
	s.snapshot(ban("192.0.2.1"), ban("192.0.2.1", by("cscli"), lasting(2*hour)),
		ban("198.51.100.0/24"), ban("198.51.100.0/24", by("lists")))
	s.remove(ban("192.0.2.1", by("cscli")))
	if s.group("cscli") != s.group("crowdsec") {
		s.expect("cscli", map[string]time.Duration{})
	}
	s.expect("crowdsec", map[string]time.Duration{"192.0.2.1": hour, "198.51.100.0/24": hour})
}

func rangeWithAddress(s *subject) {
	s.snapshot(ban("192.0.2.0/24"))
	s.add(ban("192.0.2.7", lasting(2*hour)))
	s.expect("crowdsec", map[string]time.Duration{"192.0.2.0/24": hour, "192.0.2.7": 2 * hour})
	s.remove(ban("192.0.2.0/24"))
	s.expect("crowdsec", map[string]time.Duration{"192.0.2.7": 2 * hour})
}

func overlappingRanges(s *subject) {
	s.snapshot(ban("10.0.0.0/8"), ban("10.128.0.0/9", lasting(2*hour)), ban("11.0.0.0/8"))
	s.expect("crowdsec", map[string]time.Duration{
		"10.0.0.0/9": hour, "10.128.0.0/9": 2 * hour, "11.0.0.0/8": hour,
	})
	s.add(ban("10.0.0.0/9", lasting(3*hour)))
	s.expect("crowdsec", map[string]time.Duration{
		"10.0.0.0/9": 3 * hour, "10.128.0.0/9": 2 * hour, "11.0.0.0/8": hour,
	})
	s.remove(ban("10.128.0.0/9"), ban("11.0.0.0/8"))
	s.expect("crowdsec", map[string]time.Duration{"10.0.0.0/9": 3 * hour, "10.128.0.0/9": hour})
	s.remove(ban("10.0.0.0/8"), ban("10.0.0.0/9"))
	s.expect("crowdsec", map[string]time.Duration{})
}

func edges(s *subject) {
	s.snapshot(ban("0.0.0.0"), ban("255.255.255.255"), ban("0.0.0.0/8"), ban("240.0.0.0/4", lasting(2*hour)),
		ban("::"), ban("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), ban("ff00::/8"))
	want := map[string]time.Duration{
		"0.0.0.0": hour, "255.255.255.255": hour, "0.0.0.0/8": hour, "240.0.0.0/4": 2 * hour,
		"::": hour, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff": hour, "ff00::/8": hour,
	}
	s.expect("crowdsec", want)
	s.remove(ban("240.0.0.0/4"), ban("ff00::/8"))
	delete(want, "240.0.0.0/4")
	delete(want, "ff00::/8")
	s.expect("crowdsec", want)
}

func ipv6(s *subject) {
	s.snapshot(ban("2001:db8::1"), ban("2001:db8:1::/64"), ban("::ffff:192.0.2.1"))
	s.expect("crowdsec", map[string]time.Duration{"2001:db8::1": hour, "2001:db8:1::/64": hour, "192.0.2.1": hour})
	s.add(ban("2001:db8:1::/48", lasting(2*hour)), ban("2001:db8::1", lasting(2*hour)))
	s.expect("crowdsec", map[string]time.Duration{
		"2001:db8::1": 2 * hour, "2001:db8:1::/48": 2 * hour, "192.0.2.1": hour,
	})
	s.remove(ban("2001:db8::1"), ban("2001:db8:1::/48"))
	s.expect("crowdsec", map[string]time.Duration{"2001:db8:1::/64": hour, "192.0.2.1": hour})
}

func typesAndOrigins(s *subject) {
	s.snapshot(ban("192.0.2.1"), ban("192.0.2.2", of("captcha")), ban("192.0.2.3", by("CAPI")),
		ban("192.0.2.4", of("Quarantine")), ban("192.0.2.5", of("simulation:ban")), ban("192.0.2.0/24", of("captcha")))
	s.expect("crowdsec", map[string]time.Duration{"192.0.2.1": hour, "192.0.2.4": hour})
	s.remove(ban("192.0.2.1", of("captcha")), ban("192.0.2.1", by("CAPI")))
	s.expect("crowdsec", map[string]time.Duration{"192.0.2.1": hour, "192.0.2.4": hour})
}

func allowlist(s *subject) {
	const ever = 0
	s.snapshot(ban("192.0.2.0/24"))
	s.allow(map[string]time.Duration{"192.0.2.7": ever, "198.51.100.0/24": hour, "198.51.100.9": hour / 2, "2001:db8::/32": ever})
	want := map[string]time.Duration{"192.0.2.7": ever, "198.51.100.0/24": hour, "2001:db8::/32": ever}
	s.same("allowlist", s.passing(), want)
	s.snapshot(ban("192.0.2.0/24"), ban("192.0.2.7"))
	s.must(s.enforcer.Reconcile(s.t.Context()))
	s.same("allowlist", s.passing(), want)
	s.expect("crowdsec", map[string]time.Duration{"192.0.2.0/24": hour, "192.0.2.7": hour})
	s.allow(map[string]time.Duration{"192.0.2.8": ever, "192.0.2.7": 2 * hour})
	s.same("allowlist", s.passing(), map[string]time.Duration{"192.0.2.8": ever, "192.0.2.7": 2 * hour})
	s.allow(nil)
	s.same("allowlist", s.passing(), map[string]time.Duration{})
}

// audits looks at what comparing says when somebody else has changed what is enforced.
func audits(s *subject) {
	s.snapshot(ban("192.0.2.1"), ban("192.0.2.2"), ban("192.0.2.3"), ban("198.51.100.0/24"))
	s.must(s.enforcer.Reconcile(s.t.Context()))
	if last := s.enforcer.Audits().Last; last.Coverage() != 100 || last.Wanted != 4 || last.Foreign+last.Stale != 0 || last.Damaged {
		s.t.Fatalf("without differences: %+v", last)
	}
	other := prepared(s.t, func(*testing.T) Subject { return traited{s.backend, s.traits} })
	_, err := other.enforcer.Snapshot(s.t.Context(), Told(other.enforcer.Whole(),
		wire.DecisionsStream{New: []wire.Decision{ban("192.0.2.1"), ban("192.0.2.9")}}))
	s.must(err)
	s.must(other.enforcer.Reconcile(s.t.Context()))
	s.must(s.enforcer.Reconcile(s.t.Context()))
	if last := s.enforcer.Audits().Last; last.Coverage() != 25 || last.Missing != 3 || last.Foreign != 1 || !last.Repaired {
		s.t.Errorf("with differences: %+v", last)
	}
	s.must(s.enforcer.Reconcile(s.t.Context()))
	if last := s.enforcer.Audits().Last; last.Coverage() != 100 || last.Foreign != 0 {
		s.t.Errorf("after repairs: %+v", last)
	}
}

// traited is a backend with its traits.
type traited struct {
	remediation.Backend

	traits remediation.Traits
}

// Traits say how the backend holds elements.
func (t traited) Traits() remediation.Traits { return t.traits }

// Large checks that a backend takes so many addresses, in sets of several blocklists, changes of a tenth of them, and a
// comparison, which finds exactly those that are desired, with their ends. The kernel takes long to list a large set,
// so that is done once.
func Large(t *testing.T, open Opener, count, lists int) {
	t.Helper()
	s := start(t, open)
	list := func(i int) func(*wire.Decision) {
		return func(d *wire.Decision) { d.Origin, d.Scenario = "lists", fmt.Sprint("list", i%lists) }
	}
	timed := func(what string, work func()) {
		begin := time.Now()
		work()
		t.Logf("%s: %s", what, time.Since(begin).Round(time.Millisecond))
	}
	decisions := make([]wire.Decision, count)
	for i := range decisions {
		decisions[i] = ban(numbered("10.0.0.0", i), lasting(hour), list(i))
	}
	begin := time.Now()
	timed("from empty", func() { s.snapshot(decisions...) })
	left := (hour - time.Since(begin)).Round(time.Second).String()
	for i := range decisions {
		decisions[i].Duration = left // what a Local API would say now of the same decision
	}
	for i := range count / 10 {
		decisions[i] = ban(numbered("11.0.0.0", i), lasting(2*hour), list(i))
	}
	timed("a tenth replaced", func() { s.snapshot(decisions...) })
	timed("verified", func() { s.must(s.enforcer.Reconcile(t.Context())) })
	found := s.enforcer.Audits().Last
	found.At, found.Took = time.Time{}, 0
	if want := (remediation.Audit{Wanted: count, Repaired: true}); found != want {
		t.Errorf("found %+v, want %+v", found, want)
	}
	s.must(s.backend.Remove(t.Context()))
}

func manyElements(s *subject) {
	decisions := make([]wire.Decision, 0, many+many/10)
	for i := range many {
		decisions = append(decisions, ban(numbered("10.0.0.0", i)))
	}
	for i := range many / 10 {
		decisions = append(decisions, ban(numbered("172.16.0.0", 2*i)+"/31", by("lists")))
	}
	s.snapshot(decisions...)
	if held := len(addressesOf(s.held("crowdsec"))); held != many {
		s.t.Fatalf("%d held, want %d", held, many)
	}
	s.remove(decisions[:many/2]...)
	for i := many / 2; i < many; i++ {
		decisions[i].Duration = "2h"
	}
	s.add(decisions[many/2 : many]...)
	held := addressesOf(s.held("crowdsec"))
	if len(held) != many/2 {
		s.t.Fatalf("%d held after deletions, want %d", len(held), many/2)
	}
	s.lasts(held, 2*hour-time.Minute)
}

// addressesOf leaves out ranges, which some backends keep together with those of other origins.
func addressesOf(held map[string]time.Duration) map[string]time.Duration {
	maps.DeleteFunc(held, func(value string, _ time.Duration) bool { return strings.ContainsAny(value, "/-") })
	return held
}

// numbered returns the IPv4 address that is i behind first.
func numbered(first string, i int) string {
	bytes := netip.MustParseAddr(first).As4()
	number := binary.BigEndian.Uint32(bytes[:]) + uint32(i) //nolint:gosec // small
	binary.BigEndian.PutUint32(bytes[:], number)
	return netip.AddrFrom4(bytes).String()
}
