// Package geoip looks addresses up in MaxMind databases.
//
// It owns the two files that a data folder may hold, GeoLite2-City.mmdb and GeoLite2-ASN.mmdb, and opens
// them again when they have changed. Without the first nothing is opened, as published; what is not opened
// knows no address, which is no error.
package geoip

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
)

const (
	cityFile = "GeoLite2-City.mmdb"
	asnFile  = "GeoLite2-ASN.mmdb"

	// checkInterval is how often a look-up finds out whether a file has changed.
	checkInterval = 10 * time.Second
	// clockEvery is at how many calls of Generation the clock is read: on some machines that takes as long as a look-up.
	clockEvery = 16
)

// City is where an address is. The zero value is an address that the database does not know.
type City struct {
	Country   string // ISO 3166 alpha-2
	InEU      bool
	Latitude  float64 // degrees
	Longitude float64 // degrees
}

// Network is whom an address belongs to.
type Network struct {
	Number       uint   // of the autonomous system, 0 when unknown
	Organization string // that runs it
	Prefix       netip.Prefix
}

// Databases are the files of one folder. They are safe for concurrent use. A nil *Databases knows nothing.
type Databases struct {
	now        func() time.Time
	generation atomic.Uint64
	asked      atomic.Uint64 // for the generation

	mu      sync.RWMutex // held for reading while a database is in use
	city    database
	asn     database
	checked time.Time
}

// database is one file. The reader is nil when it is not opened.
type database struct {
	path     string
	modified time.Time
	size     int64
	reader   *maxminddb.Reader
}

// Open opens the files of dir. A missing one is no error; one that is no database is.
func Open(dir string, now func() time.Time) (*Databases, error) {
	d := &Databases{
		now:  now,
		city: database{path: filepath.Join(dir, cityFile)},
		asn:  database{path: filepath.Join(dir, asnFile)},
	}
	return d, d.refresh()
}

// Close gives the files back. Look-ups find nothing from then on.
func (d *Databases) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return errors.Join(d.city.close(), d.asn.close())
}

// Generation returns a number that changes when the files do: what was looked up before may be outdated then. It
// notices a change after at most 16 calls.
func (d *Databases) Generation() uint64 {
	if d == nil {
		return 0
	}
	if d.asked.Add(1)%clockEvery == 0 {
		d.refreshIfDue()
	}
	return d.generation.Load()
}

// City returns what is known about where addr is; false when no database is open.
func (d *Databases) City(addr netip.Addr) (City, bool, error) {
	var record cityRecord
	ok, err := d.decodeCity(addr, &record)
	return record.city(), ok, err
}

// Network returns whom addr belongs to; false when no database is open. The prefix is valid only when the
// database knows the address.
func (d *Databases) Network(addr netip.Addr) (Network, bool, error) {
	if d == nil {
		return Network{}, false, nil
	}
	d.refreshIfDue()
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.asn.reader == nil {
		return Network{}, false, nil
	}
	var record asnRecord
	result := d.asn.reader.Lookup(addr.Unmap())
	if err := result.Decode(&record); err != nil {
		return Network{}, false, fmt.Errorf("looking up %s in %s: %w", addr, asnFile, err)
	}
	network := Network{Number: record.Number, Organization: record.Organization}
	if result.Found() {
		network.Prefix = result.Prefix()
	}
	return network, true, nil
}

// country is how the database describes a country. The published order says which of three counts.
type country struct {
	ISOCode string `maxminddb:"iso_code"`
	InEU    bool   `maxminddb:"is_in_european_union"`
}

type cityRecord struct {
	Country     country `maxminddb:"country"`
	Registered  country `maxminddb:"registered_country"`
	Represented country `maxminddb:"represented_country"`
	Location    struct {
		Latitude  float64 `maxminddb:"latitude"`
		Longitude float64 `maxminddb:"longitude"`
	} `maxminddb:"location"`
}

func (r *cityRecord) city() City {
	city := City{Latitude: r.Location.Latitude, Longitude: r.Location.Longitude}
	for _, candidate := range []country{r.Country, r.Registered, r.Represented} {
		if candidate.ISOCode != "" {
			city.Country, city.InEU = candidate.ISOCode, candidate.InEU
			break
		}
	}
	return city
}

type asnRecord struct {
	Number       uint   `maxminddb:"autonomous_system_number"`
	Organization string `maxminddb:"autonomous_system_organization"`
}

// refreshIfDue keeps what is open when a changed file cannot be opened: an update may be half written.
func (d *Databases) refreshIfDue() {
	now := d.now()
	d.mu.RLock()
	due := now.Sub(d.checked) >= checkInterval
	d.mu.RUnlock()
	if due {
		_ = d.refresh()
	}
}

func (d *Databases) refresh() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.checked = d.now()
	city, asn := d.city.reader, d.asn.reader
	err := d.refreshFiles()
	if d.city.reader != city || d.asn.reader != asn {
		d.generation.Add(1)
	}
	return err
}

func (d *Databases) refreshFiles() error {
	if err := d.city.refresh(); err != nil {
		return err
	}
	if d.city.reader == nil {
		return d.asn.close()
	}
	return d.asn.refresh()
}

// refresh opens the file if it is new, or has changed since it was opened.
func (f *database) refresh() error {
	info, err := os.Stat(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return f.close()
	}
	if err != nil {
		return fmt.Errorf("opening GeoIP database: %w", err)
	}
	if f.reader != nil && info.ModTime().Equal(f.modified) && info.Size() == f.size {
		return nil
	}
	// In memory, because a mapped file that somebody rewrites in place ends the process.
	content, err := os.ReadFile(f.path)
	if err != nil {
		return fmt.Errorf("opening GeoIP database: %w", err)
	}
	reader, err := maxminddb.OpenBytes(content)
	if err != nil {
		return fmt.Errorf("opening GeoIP database %s: %w", f.path, err)
	}
	err = f.close()
	f.reader, f.modified, f.size = reader, info.ModTime(), info.Size()
	return err
}

func (f *database) close() error {
	if f.reader == nil {
		return nil
	}
	err := f.reader.Close()
	f.reader = nil
	return err
}
