package geoip_test

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"shieldwall/internal/platform/geoip"
)

const (
	cityFile = "GeoLite2-City.mmdb"
	asnFile  = "GeoLite2-ASN.mmdb"
)

// write makes a database with one record per prefix.
func write(t *testing.T, path, kind string, records map[string]mmdbtype.Map) {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: kind, RecordSize: 24, IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	for prefix, record := range records {
		_, network, err := net.ParseCIDR(prefix)
		if err != nil {
			t.Fatal(err)
		}
		if err := tree.Insert(network, record); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tree.WriteTo(file); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

func country(code string, inEU bool) mmdbtype.Map {
	return mmdbtype.Map{"iso_code": mmdbtype.String(code), "is_in_european_union": mmdbtype.Bool(inEU)}
}

func writeCity(t *testing.T, dir, code string) {
	t.Helper()
	write(t, filepath.Join(dir, cityFile), "GeoLite2-City", map[string]mmdbtype.Map{
		"192.0.2.0/24": {
			"country":  country(code, true),
			"location": mmdbtype.Map{"latitude": mmdbtype.Float64(48.5), "longitude": mmdbtype.Float64(2.25)},
		},
		"198.51.100.0/24": {"registered_country": country("CH", false)},
	})
}

func writeASN(t *testing.T, dir string) {
	t.Helper()
	write(t, filepath.Join(dir, asnFile), "GeoLite2-ASN", map[string]mmdbtype.Map{
		"192.0.2.0/25": {
			"autonomous_system_number":       mmdbtype.Uint32(64500),
			"autonomous_system_organization": mmdbtype.String("Example"),
		},
	})
}

// clock is a time that a test moves by hand.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func open(t *testing.T, dir string) (*geoip.Databases, *clock) {
	t.Helper()
	c := &clock{time.Unix(1000, 0)}
	databases, err := geoip.Open(dir, c.now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := databases.Close(); err != nil {
			t.Error(err)
		}
	})
	return databases, c
}

func TestLookUps(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeCity(t, dir, "FR")
	writeASN(t, dir)
	databases, _ := open(t, dir)
	for address, want := range map[string]geoip.City{
		"192.0.2.1":        {Country: "FR", InEU: true, Latitude: 48.5, Longitude: 2.25},
		"::ffff:192.0.2.1": {Country: "FR", InEU: true, Latitude: 48.5, Longitude: 2.25},
		"198.51.100.1":     {Country: "CH"},
		"203.0.113.1":      {},
	} {
		got, ok, err := databases.City(netip.MustParseAddr(address))
		if err != nil || !ok || got != want {
			t.Errorf("%s: got %+v, %v, %v", address, got, ok, err)
		}
	}
	got, ok, err := databases.Network(netip.MustParseAddr("192.0.2.1"))
	if err != nil || !ok || got.Number != 64500 || got.Organization != "Example" || got.Prefix.String() != "192.0.2.0/25" {
		t.Errorf("got %+v, %v, %v", got, ok, err)
	}
	if mapped, _, _ := databases.Network(netip.MustParseAddr("::ffff:192.0.2.1")); mapped != got {
		t.Errorf("mapped: got %+v", mapped)
	}
	got, ok, err = databases.Network(netip.MustParseAddr("192.0.2.200"))
	if err != nil || !ok || got.Number != 0 || got.Prefix.IsValid() {
		t.Errorf("outside: got %+v, %v, %v", got, ok, err)
	}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	names := mmdbtype.Map{"en": mmdbtype.String("Paris")}
	write(t, filepath.Join(dir, cityFile), "GeoLite2-City", map[string]mmdbtype.Map{"192.0.2.0/24": {
		"city":      mmdbtype.Map{"geoname_id": mmdbtype.Uint32(7), "names": names},
		"continent": mmdbtype.Map{"code": mmdbtype.String("EU")},
		"country":   country("FR", true), "registered_country": country("CH", false),
		"represented_country": mmdbtype.Map{"iso_code": mmdbtype.String("US"), "type": mmdbtype.String("military")},
		"location": mmdbtype.Map{
			"latitude": mmdbtype.Float64(48.5), "time_zone": mmdbtype.String("Europe/Paris"), "accuracy_radius": mmdbtype.Uint16(20),
		},
		"postal":       mmdbtype.Map{"code": mmdbtype.String("75001")},
		"subdivisions": mmdbtype.Slice{mmdbtype.Map{"iso_code": mmdbtype.String("IDF")}},
		"traits":       mmdbtype.Map{"is_anycast": mmdbtype.Bool(true)},
	}})
	databases, _ := open(t, dir)
	want := &geoip.Record{
		City:               geoip.Place{GeoNameID: 7, Names: map[string]string{"en": "Paris"}},
		Continent:          geoip.Continent{Code: "EU"},
		Country:            geoip.Country{IsoCode: "FR", IsInEuropeanUnion: true},
		RegisteredCountry:  geoip.Country{IsoCode: "CH"},
		RepresentedCountry: geoip.RepresentedCountry{IsoCode: "US", Type: "military"},
		Location:           geoip.Location{Latitude: 48.5, TimeZone: "Europe/Paris", AccuracyRadius: 20},
		Postal:             geoip.Postal{Code: "75001"},
		Subdivisions:       []geoip.Subdivision{{IsoCode: "IDF"}},
		Traits:             geoip.Traits{IsAnycast: true},
	}
	got, err := databases.Record(netip.MustParseAddr("192.0.2.1"))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	got, err = databases.Record(netip.MustParseAddr("203.0.113.1"))
	if err != nil || !reflect.DeepEqual(got, &geoip.Record{}) {
		t.Errorf("an unknown address: got %+v, %v", got, err)
	}
	var nothing *geoip.Databases
	if got, err := nothing.Record(netip.MustParseAddr("192.0.2.1")); got != nil || err != nil {
		t.Errorf("no database: got %+v, %v", got, err)
	}
}

func TestWithoutCityNothingIsOpened(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeASN(t, dir)
	databases, _ := open(t, dir)
	if _, ok, err := databases.Network(netip.MustParseAddr("192.0.2.1")); ok || err != nil {
		t.Errorf("got %v, %v", ok, err)
	}
	var nothing *geoip.Databases
	if _, ok, err := nothing.City(netip.MustParseAddr("192.0.2.1")); ok || err != nil {
		t.Errorf("nil: got %v, %v", ok, err)
	}
}

func TestChangedFilesAreOpenedAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	databases, clock := open(t, dir)
	countryOf := func() string {
		city, _, err := databases.City(netip.MustParseAddr("192.0.2.1"))
		if err != nil {
			t.Fatal(err)
		}
		return city.Country
	}
	if got := countryOf(); got != "" {
		t.Errorf("without a file: %q", got)
	}
	writeCity(t, dir, "FR")
	clock.Time = clock.Add(time.Minute)
	if got := countryOf(); got != "FR" {
		t.Errorf("a new file: %q", got)
	}
	if err := os.WriteFile(filepath.Join(dir, cityFile), []byte("half written"), 0o600); err != nil {
		t.Fatal(err)
	}
	clock.Time = clock.Add(time.Minute)
	if got := countryOf(); got != "FR" {
		t.Errorf("a broken file: %q", got)
	}
}

func TestOpenRefusesABrokenFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, cityFile), []byte("no database"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := geoip.Open(dir, time.Now); err == nil {
		t.Error("it was opened")
	}
}
