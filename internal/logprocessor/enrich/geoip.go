package enrich

import (
	"hash/maphash"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"

	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/platform/geoip"
)

// remembered bounds how many addresses a locator remembers, some three megabytes: who comes once comes again.
const remembered = 8192

// locator holds the methods that look an address up.
type locator struct {
	databases *geoip.Databases
	seed      maphash.Seed
	latest    [remembered]atomic.Pointer[located] // by the hash of the address
}

// located is what is known about an address: no facts where no database is open.
type located struct {
	address    string
	generation uint64 // of the databases

	place, owner, network facts
}

// facts are what one method finds, as texts by field.
type facts struct {
	fields []event.Field
	texts  [4]string
	err    error
}

func (f *facts) tell(evt *event.Event) error {
	for i := range f.fields {
		f.fields[i].Set(evt, f.texts[i])
	}
	return f.err
}

func newLocator(databases *geoip.Databases) *locator {
	return &locator{databases: databases, seed: maphash.MakeSeed()}
}

// city is the method GeoIpCity. An address that the database does not know gets empty facts, as published.
func (l *locator) city(text string, evt *event.Event) error {
	found, err := l.locate(text)
	if err != nil {
		return err
	}
	return found.place.tell(evt)
}

// asn is the method GeoIpASN.
func (l *locator) asn(text string, evt *event.Event) error {
	found, err := l.locate(text)
	if err != nil {
		return err
	}
	return found.owner.tell(evt)
}

// sourceRange is the method IpToRange.
func (l *locator) sourceRange(text string, evt *event.Event) error {
	found, err := l.locate(text)
	if err != nil {
		return err
	}
	return found.network.tell(evt)
}

// locate looks an address up unless it was one of the latest.
func (l *locator) locate(text string) (*located, error) {
	generation := l.databases.Generation()
	slot := &l.latest[maphash.String(l.seed, text)%remembered]
	if known := slot.Load(); known != nil && known.address == text && known.generation == generation {
		return known, nil
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return nil, err
	}
	found := &located{address: strings.Clone(text), generation: generation, place: l.placeOf(addr)}
	found.owner, found.network = l.networkOf(addr)
	slot.Store(found)
	return found, nil
}

// The fields that the methods fill.
var (
	placeFields = []event.Field{
		event.EnrichedField("IsoCode"), event.EnrichedField("IsInEU"), event.EnrichedField("Latitude"), event.EnrichedField("Longitude"),
	}
	ownerFields   = []event.Field{event.EnrichedField("ASNNumber"), event.EnrichedField("ASNumber"), event.EnrichedField("ASNOrg")}
	networkFields = []event.Field{event.EnrichedField("SourceRange")}
)

func (l *locator) placeOf(addr netip.Addr) facts {
	city, ok, err := l.databases.City(addr)
	if err != nil || !ok {
		return facts{err: err}
	}
	return facts{fields: placeFields, texts: [4]string{
		city.Country, strconv.FormatBool(city.InEU),
		strconv.FormatFloat(city.Latitude, 'f', 6, 64), strconv.FormatFloat(city.Longitude, 'f', 6, 64),
	}}
}

func (l *locator) networkOf(addr netip.Addr) (owner, network facts) {
	found, ok, err := l.databases.Network(addr)
	if err != nil || !ok {
		return facts{err: err}, facts{err: err}
	}
	number := strconv.FormatUint(uint64(found.Number), 10)
	owner = facts{fields: ownerFields, texts: [4]string{number, number, found.Organization}}
	if found.Prefix.IsValid() {
		network = facts{fields: networkFields, texts: [4]string{found.Prefix.String()}}
	}
	return owner, network
}
