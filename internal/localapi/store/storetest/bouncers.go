package storetest

import (
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store"
)

func fullBouncer(f *fixture) domain.Bouncer {
	return domain.Bouncer{
		Name: "fw@192.0.2.1", KeyHash: "00ff", IPAddress: "192.0.2.1", Type: "firewall", Version: "v0.1",
		AuthType: domain.AuthTLS, Revoked: true, AutoCreated: true, LastPull: f.clock.Now().Add(-time.Second), Cursor: 42,
	}
}

func addBouncer(f *fixture, b domain.Bouncer) domain.Bouncer {
	f.t.Helper()
	added, err := f.AddBouncer(f.t.Context(), b)
	succeed(f.t, "adding bouncer "+b.Name, err)
	if added.ID == 0 {
		f.t.Fatalf("bouncer %s has no ID", b.Name)
	}
	b.ID, b.CreatedAt, b.UpdatedAt = added.ID, f.clock.Now(), f.clock.Now()
	equal(f.t, "added bouncer", added, b)
	return b
}

func bouncersNow(f *fixture, filter store.BouncerFilter) []domain.Bouncer {
	f.t.Helper()
	found, err := f.Bouncers(f.t.Context(), filter)
	succeed(f.t, "reading bouncers", err)
	return found
}

func bouncerRoundTrip(f *fixture) {
	full := addBouncer(f, fullBouncer(f))
	bare := addBouncer(f, domain.Bouncer{Name: "bare", AuthType: domain.AuthAPIKey})
	equal(f.t, "bouncers", bouncersNow(f, store.BouncerFilter{}), []domain.Bouncer{full, bare})
}

func bouncerUpdate(f *fixture) {
	b := addBouncer(f, fullBouncer(f))
	now := f.clock.advance(time.Hour)
	standing := domain.Standing{
		Applied: 1 << 40, Verified: 7, VerifiedAt: now, Wanted: 1_000_000, Missing: 3, Foreign: 1,
		Selection: domain.Selection{Types: []string{"ban"}, IPv4: true, Origins: []string{"lists"}},
	}
	steps := map[string]struct {
		change store.BouncerChange
		apply  func()
	}{
		"nothing":  {store.BouncerChange{}, func() {}},
		"type":     {store.BouncerChange{Type: new("nginx")}, func() { b.Type = "nginx" }},
		"version":  {store.BouncerChange{Version: new("")}, func() { b.Version = "" }},
		"pull":     {store.BouncerChange{LastPull: &now}, func() { b.LastPull = now }},
		"standing": {store.BouncerChange{Standing: &standing}, func() { b.Standing = standing }},
		"cursor":   {store.BouncerChange{Cursor: new(int64(1 << 40))}, func() { b.Cursor = 1 << 40 }},
	}
	for name, step := range steps {
		succeed(f.t, "updating "+name, f.UpdateBouncer(f.t.Context(), b.ID, step.change))
		step.apply()
		b.UpdatedAt = now
		equal(f.t, "bouncer after updating "+name, bouncersNow(f, store.BouncerFilter{}), []domain.Bouncer{b})
	}
}

// bouncerClaim checks that the address of a bouncer is that of who claims it first.
func bouncerClaim(f *fixture) {
	b := addBouncer(f, domain.Bouncer{Name: "unused", AuthType: domain.AuthAPIKey})
	b.IPAddress, b.UpdatedAt = "2001:db8::1", f.clock.advance(time.Hour)
	succeed(f.t, "claiming", f.UpdateBouncer(f.t.Context(), b.ID, store.BouncerChange{IPAddress: new("2001:db8::1")}))
	equal(f.t, "claimed", bouncersNow(f, store.BouncerFilter{}), []domain.Bouncer{b})
	for _, address := range []string{"192.0.2.1", "2001:db8::1"} {
		err := f.UpdateBouncer(f.t.Context(), b.ID, store.BouncerChange{IPAddress: &address, Version: new("v9")})
		equal(f.t, "kind of error", fault.KindOf(err), fault.NotFound)
	}
	equal(f.t, "claimed again", bouncersNow(f, store.BouncerFilter{}), []domain.Bouncer{b})
}

func bouncerExists(f *fixture) {
	first := addBouncer(f, domain.Bouncer{Name: "twin", KeyHash: "a"})
	_, err := f.AddBouncer(f.t.Context(), domain.Bouncer{Name: "twin", KeyHash: "b"})
	equal(f.t, "kind of error", fault.KindOf(err), fault.Exists)
	equal(f.t, "text of error", err.Error(), "bouncer twin already exists")
	equal(f.t, "bouncers", bouncersNow(f, store.BouncerFilter{}), []domain.Bouncer{first})
}

func bouncerMissing(f *fixture) {
	b := addBouncer(f, domain.Bouncer{Name: "gone"})
	succeed(f.t, "deleting", f.DeleteBouncer(f.t.Context(), b.ID))
	equal(f.t, "bouncers", len(bouncersNow(f, store.BouncerFilter{})), 0)
	for what, err := range map[string]error{
		"update": f.UpdateBouncer(f.t.Context(), b.ID, store.BouncerChange{Version: new("v1")}),
		"delete": f.DeleteBouncer(f.t.Context(), b.ID),
	} {
		equal(f.t, "kind of error of "+what, fault.KindOf(err), fault.NotFound)
	}
}

func bouncerFilters(f *fixture) {
	a := addBouncer(f, domain.Bouncer{Name: "a", KeyHash: "shared"})
	b := addBouncer(f, domain.Bouncer{Name: "b", KeyHash: "shared"})
	c := addBouncer(f, domain.Bouncer{Name: "c", KeyHash: "own"})
	for name, row := range map[string]struct {
		filter store.BouncerFilter
		want   []domain.Bouncer
	}{
		"all":          {store.BouncerFilter{}, []domain.Bouncer{a, b, c}},
		"name":         {store.BouncerFilter{Name: "b"}, []domain.Bouncer{b}},
		"shared key":   {store.BouncerFilter{KeyHash: "shared"}, []domain.Bouncer{a, b}},
		"both":         {store.BouncerFilter{Name: "a", KeyHash: "shared"}, []domain.Bouncer{a}},
		"contradicted": {store.BouncerFilter{Name: "c", KeyHash: "shared"}, nil},
		"other case":   {store.BouncerFilter{Name: "C"}, nil},
	} {
		equal(f.t, name, bouncersNow(f, row.filter), row.want)
	}
}
