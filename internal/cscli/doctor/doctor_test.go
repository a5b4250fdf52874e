package doctor

import (
	"net/netip"
	"testing"
	"time"

	"shieldwall/internal/wire"
)

func TestOnlySyntheticAddressesAttack(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"": true, "203.0.113.7": true, "2001:db8::1": true, "203.0.114.7": false, "192.0.2.1": false, "2001:db9::1": false, "x": false,
	} {
		if err := (options{address: address, timeout: time.Second}).check(); (err == nil) != want {
			t.Errorf("%q: %v", address, err)
		}
	}
	if err := (options{}).check(); err == nil {
		t.Error("no time at all is accepted")
	}
}

func TestWhoIsTold(t *testing.T) {
	t.Parallel()
	reporting := func(state wire.EnforcementState) wire.ComponentEnforcement {
		return wire.ComponentEnforcement{State: state, Reports: true}
	}
	plain := func(state wire.EnforcementState) wire.ComponentEnforcement {
		return wire.ComponentEnforcement{State: state}
	}
	for name, c := range map[string]struct {
		components []wire.ComponentEnforcement
		want       bool
	}{
		"nobody":                   {nil, false},
		"one has applied it":       {[]wire.ComponentEnforcement{reporting(wire.EnforcementApplied)}, true},
		"one has read it back":     {[]wire.ComponentEnforcement{reporting(wire.EnforcementVerified)}, true},
		"one was only told":        {[]wire.ComponentEnforcement{reporting(wire.EnforcementPulled)}, false},
		"another one was not told": {[]wire.ComponentEnforcement{reporting(wire.EnforcementApplied), reporting(wire.EnforcementPending)}, false},
		"a plain one is slow":      {[]wire.ComponentEnforcement{reporting(wire.EnforcementApplied), plain(wire.EnforcementPending)}, true},
		"only a plain one":         {[]wire.ComponentEnforcement{plain(wire.EnforcementPulled)}, true},
		"a plain one, not told":    {[]wire.ComponentEnforcement{plain(wire.EnforcementPending)}, false},
		"all are gone":             {[]wire.ComponentEnforcement{reporting(wire.EnforcementSilent), plain(wire.EnforcementSilent)}, false},
		"for others":               {[]wire.ComponentEnforcement{reporting(wire.EnforcementExcluded)}, false},
	} {
		if got := isTold(wire.Enforcement{Components: c.components}); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestReportNamesTheFirstFailure(t *testing.T) {
	t.Parallel()
	var r report
	at := time.Now()
	r.add("one", at, at.Add(1500*time.Microsecond), seen("well"))
	r.add("two", at, at, broken("do this", "%d", 2))
	r.add("three", at, at, broken("", "later"))
	if r.Failed != "two" || r.Hops[0].Millis != 1.5 || r.Hops[1].Advice != "do this" {
		t.Errorf("%+v", r)
	}
}

// TestProbe needs the right to use addresses of others; without it there is no probe.
func TestProbe(t *testing.T) {
	t.Parallel()
	p := openProbe(t.Context(), netip.MustParseAddr("203.0.113.9"))
	if p == nil {
		return
	}
	defer p.close()
	if passed, err := p.passes(t.Context()); err != nil || !passed {
		t.Errorf("%v, %v", passed, err)
	}
}
