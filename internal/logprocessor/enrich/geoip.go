package enrich

import (
	"fmt"
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
func (l locator) city(text string, _ *event.Event) (map[string]string, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return nil, err
	}
	city, ok, err := l.databases.City(addr)
	if err != nil || !ok {
		return nil, err
	}
	return map[string]string{
		"IsoCode":   city.Country,
		"IsInEU":    strconv.FormatBool(city.InEU),
		"Latitude":  fmt.Sprintf("%f", city.Latitude),
		"Longitude": fmt.Sprintf("%f", city.Longitude),
	}, nil
}

// asn is the method GeoIpASN.
func (l locator) asn(text string, _ *event.Event) (map[string]string, error) {
	network, ok, err := l.network(text)
	if err != nil || !ok {
		return nil, err
	}
	number := strconv.FormatUint(uint64(network.Number), 10)
	return map[string]string{"ASNNumber": number, "ASNumber": number, "ASNOrg": network.Organization}, nil
}

// sourceRange is the method IpToRange.
func (l locator) sourceRange(text string, _ *event.Event) (map[string]string, error) {
	network, ok, err := l.network(text)
	if err != nil || !ok || !network.Prefix.IsValid() {
		return nil, err
	}
	return map[string]string{"SourceRange": network.Prefix.String()}, nil
}

func (l locator) network(text string) (geoip.Network, bool, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return geoip.Network{}, false, err
	}
	return l.databases.Network(addr)
}
