package enrich_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"shieldwall/internal/logprocessor/enrich"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/platform/geoip"
)

// writeDatabase makes a database that knows one network.
func writeDatabase(tb testing.TB, path, prefix string, record mmdbtype.Map) {
	tb.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "test", RecordSize: 24, IncludeReservedNetworks: true})
	if err != nil {
		tb.Fatal(err)
	}
	_, network, err := net.ParseCIDR(prefix)
	if err != nil {
		tb.Fatal(err)
	}
	if err := tree.Insert(network, record); err != nil {
		tb.Fatal(err)
	}
	file, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := tree.WriteTo(file); err != nil {
		tb.Fatal(err)
	}
	if err := file.Close(); err != nil {
		tb.Fatal(err)
	}
}

func writeCountry(tb testing.TB, dir, code string) {
	tb.Helper()
	writeDatabase(tb, filepath.Join(dir, "GeoLite2-City.mmdb"), "192.0.2.0/24", mmdbtype.Map{
		"country":  mmdbtype.Map{"iso_code": mmdbtype.String(code), "is_in_european_union": mmdbtype.Bool(true)},
		"location": mmdbtype.Map{"latitude": mmdbtype.Float64(48.5), "longitude": mmdbtype.Float64(2.25)},
	})
}

// located returns the methods over databases that know 192.0.2.0/24, and what moves the clock of these.
func located(tb testing.TB) (dir string, methods map[string]enrich.Method, pass func(since time.Duration) time.Time) {
	tb.Helper()
	dir = tb.TempDir()
	writeCountry(tb, dir, "FR")
	writeDatabase(tb, filepath.Join(dir, "GeoLite2-ASN.mmdb"), "192.0.2.0/25", mmdbtype.Map{
		"autonomous_system_number":       mmdbtype.Uint32(64500),
		"autonomous_system_organization": mmdbtype.String("Example"),
	})
	now := instant
	databases, err := geoip.Open(dir, func() time.Time { return now })
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := databases.Close(); err != nil {
			tb.Error(err)
		}
	})
	return dir, enrich.Registry(enrich.Deps{Now: time.Now, Databases: databases}), func(since time.Duration) time.Time {
		now = instant.Add(since)
		return now
	}
}

// enriched returns what all methods that look addresses up say about one, in a line that was read then.
func enriched(tb testing.TB, methods map[string]enrich.Method, text string, at time.Time) map[string]string {
	tb.Helper()
	evt := event.New(event.Line{Time: at}, event.Live)
	for _, method := range []string{"GeoIpCity", "GeoIpASN", "IpToRange"} {
		if err := methods[method](text, evt); err != nil {
			tb.Fatal(err)
		}
	}
	return evt.Enriched
}

func TestAddressesAreLocated(t *testing.T) {
	t.Parallel()
	_, methods, _ := located(t)
	unknown := map[string]string{
		"IsoCode": "", "IsInEU": "false", "Latitude": "0.000000", "Longitude": "0.000000",
		"ASNNumber": "0", "ASNumber": "0", "ASNOrg": "",
	}
	known := map[string]string{
		"IsoCode": "FR", "IsInEU": "true", "Latitude": "48.500000", "Longitude": "2.250000",
		"ASNNumber": "64500", "ASNumber": "64500", "ASNOrg": "Example", "SourceRange": "192.0.2.0/25",
	}
	for text, want := range map[string]map[string]string{
		"192.0.2.1": known, "::ffff:192.0.2.1": known, "192.0.2.77": known, "203.0.113.1": unknown, "2001:db8::1": unknown,
	} {
		for _, at := range []time.Time{{}, instant, instant} { // without a line, new, remembered
			if got := enriched(t, methods, text, at); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s at %v: got %v, want %v", text, at, got, want)
			}
		}
	}
	if err := methods["GeoIpCity"]("not an address", event.New(event.Line{}, event.Live)); err == nil {
		t.Error("a text that is no address was located")
	}
}

func TestChangedDatabasesAreNoticed(t *testing.T) {
	t.Parallel()
	dir, methods, pass := located(t)
	for _, step := range []struct {
		at   time.Duration // since the beginning
		code string        // in the file from then on
		want string
	}{
		{0, "FR", "FR"},
		{5 * time.Second, "DE", "FR"}, // it was just looked up
		{11 * time.Second, "DE", "DE"},
		{time.Minute, "IT", "IT"},
	} {
		writeCountry(t, dir, step.code)
		now := pass(step.at)
		if got := enriched(t, methods, "192.0.2.1", now)["IsoCode"]; got != step.want {
			t.Errorf("after %v: got %s, want %s", step.at, got, step.want)
		}
	}
}

// TestWorkersShareWhatIsRemembered has more addresses than are remembered, and workers that ask for them all.
func TestWorkersShareWhatIsRemembered(t *testing.T) {
	t.Parallel()
	_, methods, _ := located(t)
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for i := range 50_000 {
				evt := event.New(event.Line{Time: instant}, event.Live)
				text := fmt.Sprintf("192.0.%d.%d", i>>8&255, i&255)
				if err := methods["GeoIpCity"](text, evt); err != nil {
					t.Error(err)
				}
				if got, want := evt.Enriched["IsoCode"] == "FR", i>>8 == 2; got != want {
					t.Errorf("%s: got %v", text, evt.Enriched)
				}
			}
		})
	}
	workers.Wait()
}

func BenchmarkLocate(b *testing.B) {
	_, methods, _ := located(b)
	texts := make([]string, 20_000)
	for i := range texts {
		texts[i] = fmt.Sprintf("198.%d.%d.%d", i%7, i>>8, i&255)
	}
	evt := event.New(event.Line{}, event.Live)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		evt.Renew(event.Line{Time: instant}, event.Live)
		for _, method := range []string{"GeoIpCity", "GeoIpASN", "IpToRange"} {
			if err := methods[method](texts[i*i%len(texts)], evt); err != nil {
				b.Fatal(err)
			}
		}
	}
}
