package stream

import (
	"net/netip"
	"strings"
	"time"
	"unique"

	"github.com/google/uuid"

	"shieldwall/internal/domain"
)

// Record is a decision as the index keeps it: as small as a million of them have to be, and good for as long as
// somebody holds it. It does not know the alert of the decision, nor when it was created, and its end to the
// microsecond.
type Record struct {
	id      int64
	until   int64 // µs since 1970
	kind    unique.Handle[kind]
	spelled *spelling // nil: address and uuid say it all
	address [16]byte  // of IPv4 as IPv4-mapped IPv6
	uuid    uuid.UUID // zero: the decision has none
}

// kind is what many decisions have in common: a blocklist repeats it a million times.
type kind struct {
	origin, remediation, scenario string
	scope                         domain.Scope
	simulated                     bool
}

// spelling is the texts of a decision that is about something else than an address in its usual spelling, or
// whose UUID is written in another way than usual.
type spelling struct {
	value, uuid string
	isAddress   bool // in its usual spelling: it is the UUID that is odd
}

func recordOf(d *domain.Decision) Record {
	r := Record{
		id: d.ID, until: d.Until.UnixMicro(),
		kind: unique.Make(kind{origin: d.Origin, remediation: d.Type, scenario: d.Scenario, scope: d.Scope, simulated: d.Simulated}),
	}
	var plainAddress, plainUUID bool
	r.address, plainAddress = addressOf(d.Value)
	r.uuid, plainUUID = uuidOf(d.UUID)
	if !plainAddress || !plainUUID {
		r.spelled = &spelling{value: strings.Clone(d.Value), uuid: strings.Clone(d.UUID), isAddress: plainAddress}
	}
	return r
}

// addressOf reads a text that is one address in the spelling in which addresses are written.
func addressOf(text string) (address [16]byte, ok bool) {
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" || addr.Is4In6() {
		return address, false
	}
	var usual [len("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")]byte
	return addr.As16(), string(addr.AppendTo(usual[:0])) == text
}

// uuidOf reads a text that is a UUID in its usual spelling, or nothing at all.
func uuidOf(text string) (id uuid.UUID, ok bool) {
	if text == "" {
		return id, true
	}
	const length = 36
	unusual := func(r rune) bool { return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'f') }
	if len(text) != length || strings.ContainsFunc(text, unusual) {
		return id, false
	}
	id, err := uuid.Parse(text)
	return id, err == nil && id != uuid.Nil
}

// ID returns the ID of the decision.
func (r *Record) ID() int64 { return r.id }

// Decision returns the decision, which is the caller's.
func (r *Record) Decision() domain.Decision {
	kind := r.kind.Value()
	d := domain.Decision{
		ID: r.id, Origin: kind.origin, Type: kind.remediation, Scenario: kind.scenario, Scope: kind.scope,
		Simulated: kind.simulated, Until: r.end(), Value: r.value(),
	}
	switch {
	case r.spelled != nil:
		d.UUID = r.spelled.uuid
	case r.uuid != uuid.Nil:
		d.UUID = r.uuid.String()
	}
	return d
}

func (r *Record) value() string {
	if r.spelled != nil {
		return r.spelled.value
	}
	return r.addr().String()
}

// isAddress reports whether the decision is about one address in its usual spelling.
func (r *Record) isAddress() bool { return r.spelled == nil || r.spelled.isAddress }

// addr returns the address that such a decision is about.
func (r *Record) addr() netip.Addr { return netip.AddrFrom16(r.address).Unmap() }

func (r *Record) end() time.Time { return time.UnixMicro(r.until).UTC() }

func (r *Record) isActive(now int64) bool { return r.until > now }

// subject is what a bouncer acts on: it deletes by it, and keeps one end for it.
type subject struct {
	value       string
	remediation string
	scope       domain.Scope
}

func (r *Record) subject() subject {
	kind := r.kind.Value()
	return subject{value: r.value(), remediation: kind.remediation, scope: kind.scope}
}

// concerns reports whether r, whose value is that of s, is about s.
func (r *Record) concerns(s subject) bool {
	kind := r.kind.Value()
	return kind.remediation == s.remediation && kind.scope == s.scope
}

// partition divides the active decisions by what filters select most.
type partition struct {
	scope  domain.Scope
	origin string
}

func (r *Record) partition() partition {
	kind := r.kind.Value()
	return partition{scope: kind.scope, origin: kind.origin}
}

// covers returns the addresses that the decision is about; invalid when it is about none.
func (r *Record) covers() domain.IPRange {
	if r.isAddress() {
		return domain.IPRange{First: r.addr(), Last: r.addr()}
	}
	covered, err := domain.ParseIPRange(r.spelled.value)
	if err != nil {
		return domain.IPRange{}
	}
	return covered
}

func byID(a, b Record) int {
	switch {
	case a.id < b.id:
		return -1
	case a.id > b.id:
		return 1
	}
	return 0
}
