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
	evt.Enriched["IsoCode"] = city.Country
	evt.Enriched["IsInEU"] = strconv.FormatBool(city.InEU)
	evt.Enriched["Latitude"] = strconv.FormatFloat(city.Latitude, 'f', 6, 64)
	evt.Enriched["Longitude"] = strconv.FormatFloat(city.Longitude, 'f', 6, 64)
	return nil
}

// asn is the method GeoIpASN.
func (l locator) asn(text string, evt *event.Event) error {
	network, ok, err := l.network(text)
	if err != nil || !ok {
		return err
	}
	number := strconv.FormatUint(uint64(network.Number), 10)
	evt.Enriched["ASNNumber"], evt.Enriched["ASNumber"], evt.Enriched["ASNOrg"] = number, number, network.Organization
	return nil
}

// sourceRange is the method IpToRange.
func (l locator) sourceRange(text string, evt *event.Event) error {
	network, ok, err := l.network(text)
	if err != nil || !ok || !network.Prefix.IsValid() {
		return err
	}
	evt.Enriched["SourceRange"] = network.Prefix.String()
	return nil
}

func (l locator) network(text string) (geoip.Network, bool, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return geoip.Network{}, false, err
	}
	return l.databases.Network(addr)
}
