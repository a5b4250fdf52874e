package expression

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"shieldwall/internal/expression/cache"
	"shieldwall/internal/expression/datafile"
	"shieldwall/internal/expression/stash"
	"shieldwall/internal/platform/geoip"
)

// Resolver looks names and addresses up; *net.Resolver is one. It should remember them: expressions ask for
// the same again and again.
type Resolver interface {
	LookupHost(ctx context.Context, host string) ([]string, error)
	LookupAddr(ctx context.Context, addr string) ([]string, error)
}

// GeoIP knows where addresses are, and whose; *geoip.Databases does. What it does not know is not an error.
type GeoIP interface {
	City(addr netip.Addr) (city geoip.City, known bool, err error)
	Record(addr netip.Addr) (*geoip.Record, error)
	Network(addr netip.Addr) (network geoip.Network, known bool, err error)
}

// Decisions answers questions about the decisions on one value, such as an address.
type Decisions interface {
	// CountDecisions counts all decisions ever taken on value that are still stored.
	CountDecisions(ctx context.Context, value string) (int, error)
	// CountDecisionsSince counts those taken at since or later.
	CountDecisionsSince(ctx context.Context, value string, since time.Time) (int, error)
	// CountActiveDecisions counts those that have not expired.
	CountActiveDecisions(ctx context.Context, value string) (int, error)
	// ActiveDecisionsTimeLeft returns how long until the last active decision expires, 0 without one.
	ActiveDecisionsTimeLeft(ctx context.Context, value string) (time.Duration, error)
}

// Deps is what helper functions may reach. The zero value is valid: helpers that need what is missing find
// nothing (File, LookupHost, GetDecisionsCount), or fail at run time (HTTPGet).
type Deps struct {
	Log       *slog.Logger           // nil: silent
	Now       func() time.Time       // nil: time.Now; its location is the local zone of ParseUnix
	Hostname  func() (string, error) // nil: os.Hostname
	Data      *datafile.Set          // nil: no data files
	Stash     *stash.Stash           // nil: no stashes
	Resolver  Resolver               // nil: no name is found
	GeoIP     GeoIP                  // nil: no address is known
	HTTP      *http.Client           // nil: HTTP helpers fail
	Decisions Decisions              // nil: there are none
	Plain     bool                   // every expression runs on the machine of expr, to compare the results
}

// programsKept is more than the different expressions of the whole public hub.
const programsKept = 4096

// Library is the set of helper functions bound to what they may reach. It is safe for concurrent use.
type Library struct {
	log       *slog.Logger
	now       func() time.Time
	hostname  func() (string, error)
	data      *datafile.Set
	stash     *stash.Stash
	resolver  Resolver
	geoip     GeoIP
	http      *http.Client
	decisions Decisions

	documents *documents
	missing   *missing
	helpers   []helper
	byName    map[string]*helper // the same

	plain     bool
	compiling sync.Mutex
	dialects  map[reflect.Type]*dialect // guarded by compiling
	programs  *cache.Cache[sourceKey, any]
	machines  sync.Pool
	locals    sync.Pool
}

// New returns a Library over deps.
func New(deps Deps) *Library {
	deps = deps.withDefaults()
	l := &Library{
		log:       deps.Log,
		now:       deps.Now,
		hostname:  deps.Hostname,
		data:      deps.Data,
		stash:     deps.Stash,
		resolver:  deps.Resolver,
		geoip:     deps.GeoIP,
		http:      deps.HTTP,
		decisions: deps.Decisions,
		documents: newDocuments(deps.Now),
		missing:   newMissing(deps.Now),
		byName:    map[string]*helper{},
		plain:     deps.Plain,
		dialects:  map[reflect.Type]*dialect{},
		programs:  cache.New[sourceKey, any](cache.Options{Size: programsKept, Now: deps.Now}),
		machines:  sync.Pool{New: func() any { return new(vm.VM) }},
		locals:    sync.Pool{New: func() any { return new(locals) }},
	}
	l.helpers = slices.Concat(
		withEffect(pure, textHelpers(), listHelpers(), timeHelpers(), uriHelpers(), injectionHelpers(), fingerprintHelpers()),
		withEffect(reads, l.convertHelpers(), l.timeOfDayHelpers(), l.jsonHelpers(), l.xmlHelpers(), l.addressHelpers(),
			l.placeHelpers(), l.fileHelpers(), l.botHelpers(), l.decisionHelpers()),
		withEffect(acts, kvHelpers(), decodeHelpers(), l.stashHelpers(), l.webHelpers(), l.hostHelpers()),
	)
	for i := range l.helpers {
		l.byName[l.helpers[i].name] = &l.helpers[i]
	}
	return l
}

// IsPlain reports whether every expression runs on the machine of expr, so that whoever knows a shorter way to the
// same result should not take it.
func (l *Library) IsPlain() bool { return l.plain }

// Options returns the helpers as options for expr.Compile.
func (l *Library) Options() []expr.Option {
	options := make([]expr.Option, len(l.helpers))
	for i := range l.helpers {
		options[i] = l.helpers[i].option()
	}
	return options
}

func (d Deps) withDefaults() Deps {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Hostname == nil {
		d.Hostname = os.Hostname
	}
	if d.Data == nil {
		d.Data = datafile.New(d.Log, d.Now)
	}
	if d.Stash == nil {
		d.Stash = stash.New(d.Now)
	}
	return d
}
