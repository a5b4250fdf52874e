package enrich

import (
	"net/netip"
	"strconv"

	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/platform/geoip"
)

// locator holds the methods that look an address up.
type locator struct {
	databases *geoip.Databases
}

// city is the method GeoIpCity. An address that the database does not know gets empty facts, as published.
func (l locator) city(text string, evt *event.Event) error {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return err
	}
	city, ok, err := l.databases.City(addr)
	if err != nil || !ok {
		return err
	}
	event.EnrichedField("IsoCode").Set(evt, city.Country)
	event.EnrichedField("IsInEU").Set(evt, strconv.FormatBool(city.InEU))
	event.EnrichedField("Latitude").Set(evt, strconv.FormatFloat(city.Latitude, 'f', 6, 64))
	event.EnrichedField("Longitude").Set(evt, strconv.FormatFloat(city.Longitude, 'f', 6, 64))
	return nil
}

// asn is the method GeoIpASN.
func (l locator) asn(text string, evt *event.Event) error {
	network, ok, err := l.network(text)
	if err != nil || !ok {
		return err
	}
	number := strconv.FormatUint(uint64(network.Number), 10)
	event.EnrichedField("ASNNumber").Set(evt, number)
	event.EnrichedField("ASNumber").Set(evt, number)
	event.EnrichedField("ASNOrg").Set(evt, network.Organization)
	return nil
}

// sourceRange is the method IpToRange.
func (l locator) sourceRange(text string, evt *event.Event) error {
	network, ok, err := l.network(text)
	if err != nil || !ok || !network.Prefix.IsValid() {
		return err
	}
	event.EnrichedField("SourceRange").Set(evt, network.Prefix.String())
	return nil
}

func (l locator) network(text string) (geoip.Network, bool, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return geoip.Network{}, false, err
	}
	return l.databases.Network(addr)
}
