package geoip

import (
	"fmt"
	"net/netip"

	"github.com/oschwald/maxminddb-golang/v2"
)

// Record is all that the City database says about an address, under the names that expressions use. What
// it does not know is zero.
type Record struct {
	City               Place              `maxminddb:"city"`
	Postal             Postal             `maxminddb:"postal"`
	Continent          Continent          `maxminddb:"continent"`
	Subdivisions       []Subdivision      `maxminddb:"subdivisions"`
	RepresentedCountry RepresentedCountry `maxminddb:"represented_country"`
	Country            Country            `maxminddb:"country"`
	RegisteredCountry  Country            `maxminddb:"registered_country"`
	Location           Location           `maxminddb:"location"`
	Traits             Traits             `maxminddb:"traits"`
}

// Place is something with a name in several languages.
type Place struct {
	Names     map[string]string `maxminddb:"names"` // by language, such as "en"
	GeoNameID uint              `maxminddb:"geoname_id"`
}

// Postal is where letters go.
type Postal struct {
	Code string `maxminddb:"code"`
}

// Continent is one of seven.
type Continent struct {
	Names     map[string]string `maxminddb:"names"`
	Code      string            `maxminddb:"code"` // two letters
	GeoNameID uint              `maxminddb:"geoname_id"`
}

// Subdivision is a part of a country.
type Subdivision struct {
	Names     map[string]string `maxminddb:"names"`
	IsoCode   string            `maxminddb:"iso_code"` // ISO 3166-2 without the country
	GeoNameID uint              `maxminddb:"geoname_id"`
}

// Country is where an address is, or where its owner is registered.
type Country struct {
	Names             map[string]string `maxminddb:"names"`
	IsoCode           string            `maxminddb:"iso_code"` // ISO 3166 alpha-2
	GeoNameID         uint              `maxminddb:"geoname_id"`
	IsInEuropeanUnion bool              `maxminddb:"is_in_european_union"`
}

// RepresentedCountry is whose base or embassy uses an address.
type RepresentedCountry struct {
	Names             map[string]string `maxminddb:"names"`
	IsoCode           string            `maxminddb:"iso_code"` // ISO 3166 alpha-2
	Type              string            `maxminddb:"type"`     // such as "military"
	GeoNameID         uint              `maxminddb:"geoname_id"`
	IsInEuropeanUnion bool              `maxminddb:"is_in_european_union"`
}

// Location is a point and how sure it is.
type Location struct {
	TimeZone       string  `maxminddb:"time_zone"` // of the IANA
	Latitude       float64 `maxminddb:"latitude"`  // degrees
	Longitude      float64 `maxminddb:"longitude"` // degrees
	MetroCode      uint    `maxminddb:"metro_code"`
	AccuracyRadius uint16  `maxminddb:"accuracy_radius"` // km
}

// Traits is what is special about an address.
type Traits struct {
	IsAnonymousProxy    bool `maxminddb:"is_anonymous_proxy"`
	IsAnycast           bool `maxminddb:"is_anycast"`
	IsSatelliteProvider bool `maxminddb:"is_satellite_provider"`
}

// Record returns all that is known about where addr is; nil when no database is open.
func (d *Databases) Record(addr netip.Addr) (*Record, error) {
	record, ok, err := decodeCity[Record](d, addr)
	if record == nil && ok {
		record = &Record{}
	}
	return record, err
}

// decodeCity returns the record of an address in the City database, nil if it has none; false when none is open.
func decodeCity[R any](d *Databases, addr netip.Addr) (*R, bool, error) {
	reader := d.current().city
	if reader == nil {
		return nil, false, nil
	}
	record, err := decode[R](reader.Lookup(addr.Unmap()))
	if err != nil {
		return nil, false, fmt.Errorf("looking up %s in %s: %w", addr, cityFile, err)
	}
	return record, true, nil
}

// decode returns nil for an address without a record.
func decode[R any](result maxminddb.Result) (*R, error) {
	if err := result.Err(); err != nil || !result.Found() {
		return nil, err
	}
	record := new(R)
	return record, result.Decode(record)
}
