package enrich

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"sync/atomic"
	"time"

	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/platform/geoip"
)

const (
	// sets bounds how many addresses a locator remembers, two a set and some two megabytes in all: who comes once
	// comes again.
	sets = 1 << 14
	// fresh is for how long, by the time of lines, an address need not be looked up again: databases change.
	fresh = 10 * time.Second
)

// locator holds the methods that look an address up. Workers share what it remembers, and write to it only when they
// meet an address that it does not know.
type locator struct {
	databases *geoip.Databases
	latest    [sets][2]atomic.Pointer[located] // by the hash of the address, the newer one first
	places    shared[geoip.City]
	owners    shared[owner]
	networks  shared[netip.Prefix]
}

// located is what is known about an address. It is one line of a processor's cache: there are many, and each is rarely
// needed.
type located struct {
	addr                  netip.Addr
	since                 int64 // nanoseconds, the time of the line that it was looked up for
	place, owner, network *facts
}

// owner is whom a network belongs to.
type owner struct {
	number       uint
	organization string
}

func newLocator(databases *geoip.Databases) *locator {
	return &locator{
		databases: databases,
		places:    shared[geoip.City]{tell: factsOfPlace},
		owners:    shared[owner]{tell: factsOfOwner},
		networks:  shared[netip.Prefix]{tell: factsOfNetwork},
	}
}

// city is the method GeoIpCity. An address that the database does not know gets empty facts, as published.
func (l *locator) city(text string, evt *event.Event) error {
	found, err := l.locate(text, evt.Line.Time)
	if err != nil {
		return err
	}
	return found.place.tell(evt)
}

// asn is the method GeoIpASN.
func (l *locator) asn(text string, evt *event.Event) error {
	found, err := l.locate(text, evt.Line.Time)
	if err != nil {
		return err
	}
	return found.owner.tell(evt)
}

// sourceRange is the method IpToRange.
func (l *locator) sourceRange(text string, evt *event.Event) error {
	found, err := l.locate(text, evt.Line.Time)
	if err != nil {
		return err
	}
	return found.network.tell(evt)
}

// locate looks an address up unless that was done lately. What belongs to no line, and so has no time, is not remembered.
func (l *locator) locate(text string, now time.Time) (*located, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return nil, err
	}
	if now.IsZero() {
		return l.lookUp(addr, 0), nil
	}
	since, set := now.UnixNano(), &l.latest[setOf(addr)]
	for way := range set {
		known := set[way].Load()
		switch {
		case known == nil || known.addr != addr:
		case known.isFresh(since):
			return known, nil
		default:
			found := l.lookUp(addr, since)
			set[way].Store(found)
			return found, nil
		}
	}
	found := l.lookUp(addr, since)
	set[1].Store(set[0].Swap(found))
	return found, nil
}

// isFresh is false for both directions of time: a clock may be set back.
func (k *located) isFresh(now int64) bool { return time.Duration(now-k.since).Abs() < fresh }

// setOf spreads neighbours, which is what addresses are.
func setOf(addr netip.Addr) uint64 {
	bytes := addr.As16()
	high, low := binary.BigEndian.Uint64(bytes[:8]), binary.BigEndian.Uint64(bytes[8:])
	return (high*0x9e3779b97f4a7c15 + low) * 0x9e3779b97f4a7c15 >> 32 % sets
}

func (l *locator) lookUp(addr netip.Addr, now int64) *located {
	found := &located{addr: addr, since: now, place: l.placeOf(addr)}
	found.owner, found.network = l.networkOf(addr)
	return found
}

func (l *locator) placeOf(addr netip.Addr) *facts {
	city, ok, err := l.databases.City(addr)
	if err != nil || !ok {
		return &facts{err: err}
	}
	return l.places.of(city)
}

func (l *locator) networkOf(addr netip.Addr) (ownerFacts, networkFacts *facts) {
	found, ok, err := l.databases.Network(addr)
	if err != nil || !ok {
		nothing := &facts{err: err}
		return nothing, nothing
	}
	return l.owners.of(owner{found.Number, found.Organization}), l.networks.of(found.Prefix)
}

// The fields that the methods fill.
var (
	placeFields = []event.Field{
		event.EnrichedField("IsoCode"), event.EnrichedField("IsInEU"), event.EnrichedField("Latitude"), event.EnrichedField("Longitude"),
	}
	ownerFields   = []event.Field{event.EnrichedField("ASNNumber"), event.EnrichedField("ASNumber"), event.EnrichedField("ASNOrg")}
	networkFields = []event.Field{event.EnrichedField("SourceRange")}
)

func factsOfPlace(city geoip.City) *facts {
	return &facts{fields: placeFields, texts: [4]string{
		city.Country, strconv.FormatBool(city.InEU),
		strconv.FormatFloat(city.Latitude, 'f', 6, 64), strconv.FormatFloat(city.Longitude, 'f', 6, 64),
	}}
}

func factsOfOwner(o owner) *facts {
	number := strconv.FormatUint(uint64(o.number), 10)
	return &facts{fields: ownerFields, texts: [4]string{number, number, o.organization}}
}

func factsOfNetwork(prefix netip.Prefix) *facts {
	if !prefix.IsValid() {
		return &facts{}
	}
	return &facts{fields: networkFields, texts: [4]string{prefix.String()}}
}
