package expression

import (
	"net"
	"net/netip"

	"shieldwall/internal/platform/geoip"
)

// ASN is what GeoIPASNEnrich yields: who runs the network of an address. The names are published.
type ASN struct {
	AutonomousSystemOrganization string
	AutonomousSystemNumber       uint // 0 when the database does not know the address
}

func (l *Library) placeHelpers() []helper {
	return []helper{
		try1("GeoIPEnrich", l.geoIPRecord),
		try1("GeoIPASNEnrich", l.geoIPASN),
		try1("GeoIPRangeEnrich", l.geoIPRange),
		try1("IPToCountry", l.country),
	}
}

// geoIPRecord yields nil without a database, and for what is no address. So do the others.
func (l *Library) geoIPRecord(text string) (*geoip.Record, error) {
	addr, ok := l.locatable(text)
	if !ok {
		return nil, nil //nolint:nilnil // as published
	}
	return l.geoip.Record(addr)
}

func (l *Library) geoIPASN(text string) (*ASN, error) {
	network, known, err := l.network(text)
	if err != nil || !known {
		return nil, err
	}
	return &ASN{network.Organization, network.Number}, nil
}

func (l *Library) geoIPRange(text string) (*net.IPNet, error) {
	network, known, err := l.network(text)
	if err != nil || !known || !network.Prefix.IsValid() {
		return nil, err
	}
	prefix := network.Prefix
	return &net.IPNet{IP: prefix.Addr().AsSlice(), Mask: net.CIDRMask(prefix.Bits(), prefix.Addr().BitLen())}, nil
}

// country yields "" for what is not known.
func (l *Library) country(text string) (string, error) {
	addr, ok := l.locatable(text)
	if !ok {
		return "", nil
	}
	city, _, err := l.geoip.City(addr)
	return city.Country, err
}

func (l *Library) network(text string) (geoip.Network, bool, error) {
	addr, ok := l.locatable(text)
	if !ok {
		return geoip.Network{}, false, nil
	}
	return l.geoip.Network(addr)
}

func (l *Library) locatable(text string) (netip.Addr, bool) {
	addr, ok := parseAddr(text)
	return addr, ok && l.geoip != nil
}
