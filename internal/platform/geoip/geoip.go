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

// Databases are the files of one folder. They are safe for concurrent use, and whoever looks something up writes to
// nothing that others read. A nil *Databases knows nothing.
type Databases struct {
	now     func() time.Time
	checked atomic.Int64 // when the files were, in nanoseconds since 1970
	opened  atomic.Pointer[readers]

	mu   sync.Mutex // held to open files
	city database
	asn  database
}

// readers are what is open; nil: not opened. They are never changed, and gone when nobody uses them any more.
type readers struct {
	city, asn *maxminddb.Reader
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
	d.checked.Store(now().UnixNano())
	return d, d.refresh()
}

// Close lets go of what was read from the files. Look-ups find nothing until they are due to look at the files again.
func (d *Databases) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.city.reader, d.asn.reader = nil, nil
	d.opened.Store(&readers{})
	return nil
}

// City returns what is known about where addr is; false when no database is open.
func (d *Databases) City(addr netip.Addr) (City, bool, error) {
	record, ok, err := decodeCity[cityRecord](d, addr)
	if record == nil {
		return City{}, ok, err
	}
	return record.city(), ok, err
}

// Network returns whom addr belongs to; false when no database is open. The prefix is valid only when the
// database knows the address.
func (d *Databases) Network(addr netip.Addr) (Network, bool, error) {
	reader := d.current().asn
	if reader == nil {
		return Network{}, false, nil
	}
	result := reader.Lookup(addr.Unmap())
	record, err := decode[asnRecord](result)
	if err != nil {
		return Network{}, false, fmt.Errorf("looking up %s in %s: %w", addr, asnFile, err)
	}
	if record == nil {
		return Network{}, true, nil
	}
	return Network{Number: record.Number, Organization: record.Organization, Prefix: result.Prefix()}, true, nil
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

// current returns what is open, after a look at the files if one is due. It keeps what is open when a changed file cannot
// be opened: an update may be half written.
func (d *Databases) current() *readers {
	if d == nil {
		return &readers{}
	}
	now, checked := d.now().UnixNano(), d.checked.Load()
	if time.Duration(now-checked) >= checkInterval && d.checked.CompareAndSwap(checked, now) {
		_ = d.refresh()
	}
	return d.opened.Load()
}

// refresh opens what is new, or has changed since it was opened.
func (d *Databases) refresh() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.refreshFiles()
	d.opened.Store(&readers{d.city.reader, d.asn.reader})
	return err
}

func (d *Databases) refreshFiles() error {
	if err := d.city.refresh(); err != nil {
		return err
	}
	if d.city.reader == nil {
		d.asn.reader = nil
		return nil
	}
	return d.asn.refresh()
}

func (f *database) refresh() error {
	info, err := os.Stat(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		f.reader = nil
		return nil
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
	f.reader, f.modified, f.size = reader, info.ModTime(), info.Size()
	return nil
}
