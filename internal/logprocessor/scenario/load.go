package scenario

import (
	"cmp"
	"crypto/sha1" //nolint:gosec // a published identity, not a secret
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"shieldwall/internal/expression"
	"shieldwall/internal/expression/datafile"
	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/logprocessor/parser"
	"shieldwall/internal/platform/yamlfile"
	"shieldwall/internal/wire"
)

// Deps is what loading needs.
type Deps struct {
	Log         *slog.Logger
	Expressions *expression.Library
	Data        *datafile.Set
	DataDir     string
	Simulated   func(scenario string) bool // whether its alerts are only pretended
	Context     Context                    // nil: alerts carry none
}

// Context knows what alerts tell beside who and what.
type Context interface {
	// Meta returns it, from the events that caused an alert. What they say is in their fields: see event.Event.Maps.
	Meta(queue []*event.Event) []wire.MetaItem
	// Footprint returns what Meta can ask of an event.
	Footprint() event.Footprint
}

// Scenario is one compiled scenario. It is read-only.
type Scenario struct {
	Name, Hash, Version string

	number    int    // its place in its set
	twins     []int  // the numbers of the other scenarios that share its buckets, in order
	identity  string // changes when the text of its file does
	filterSrc string
	groupSrc  string
	leakspeed time.Duration
	blackhole time.Duration
	bucket    bucket.Config
	scope     string // of the sources
	reprocess bool
	remediate bool
	simulated bool
	address   *[addressTexts]event.Field
	context   Context // nil: none
	log       *slog.Logger

	filter    *expression.Bool
	groupBy   *expression.String // nil: one group
	distinct  *expression.Any    // nil: every event counts
	cancelOn  *expression.Bool   // nil: never
	overflow  *expression.Bool   // nil: every overflow goes through
	scopeExpr *expression.Any    // nil: the address itself

	conditions []*expression.Bool // what bucket.Overflows evaluates
}

// overflowEnv is what overflow_filter can name. evt compiles, but is nil.
type overflowEnv struct {
	Evt    *event.Event        `expr:"evt"`
	Queue  Queue               `expr:"queue"`
	Signal *event.RuntimeAlert `expr:"signal"`
	Leaky  *Leaky              `expr:"leaky"`
}

// conditionEnv is what conditions can name.
type conditionEnv struct {
	Evt   *event.Event `expr:"evt"`
	Queue Queue        `expr:"queue"`
	Leaky *Leaky       `expr:"leaky"`
}

// Queue is a bucket's content as expressions see it.
type Queue struct {
	Queue []*event.Event
	L     int // the number of events kept is at most L+1
}

// GetQueue returns the events, oldest first.
func (q Queue) GetQueue() []*event.Event { return q.Queue }

// Leaky is a bucket as expressions see it. The names are published.
type Leaky struct {
	Mode        int
	Queue       Queue
	Mapkey      string
	First_ts    time.Time // published name
	Last_ts     time.Time // published name
	Ovflw_ts    time.Time // published name
	Total_count int       // published name
	Duration    time.Duration
}

// Load compiles items in their order. Data files that cannot be read are logged; every other problem is an
// error that names the file.
func Load(items []Item, deps Deps) (*Set, error) {
	set, address := &Set{}, addressFields()
	for _, item := range items {
		documents, err := yamlfile.DecodeAll[spec](item.Path, item.Text)
		if err != nil {
			return nil, err
		}
		for i := range documents {
			document := &documents[i]
			if !parser.SupportedFormat(document.Format) {
				line := yamlfile.Line(item.Text, i, yamlfile.In("format", errUnsupported))
				deps.Log.Error("skipping a document of an unsupported format", "file", item.Path, "line", line, "format", document.Format)
				continue
			}
			compiled, err := compile(item, document, deps)
			if err != nil {
				return nil, fmt.Errorf("%s: line %d: %s: %w", item.Path, yamlfile.Line(item.Text, i, err), cmp.Or(document.Name, "scenario"), err)
			}
			for _, err := range document.loadData(deps) {
				deps.Log.Error("data file cannot be used", "file", item.Path, "line", yamlfile.Line(item.Text, i, err), "error", err)
			}
			compiled.address = address
			compiled.identity = fmt.Sprintf("%s@%s/%d", compiled.Name, fingerprint(item.Text), i)
			compiled.number = len(set.scenarios)
			set.scenarios = append(set.scenarios, compiled)
			set.remembers = set.remembers || document.usesStash()
		}
	}
	set.findTwins()
	set.packer = event.NewPacker(set.footprint(deps))
	set.filters = expression.NewSelector(set.conditionsToEnter())
	return set, nil
}

// findTwins finds the scenarios whose buckets have the same identity: see mapKey. Published files have some.
func (s *Set) findTwins() {
	type identity struct{ name, filter, group string }
	alike := map[identity][]int{}
	for i, scenario := range s.scenarios {
		key := identity{scenario.Name, scenario.filterSrc, scenario.groupSrc}
		alike[key] = append(alike[key], i)
	}
	for _, numbers := range alike {
		for _, number := range numbers {
			s.scenarios[number].twins = slices.DeleteFunc(slices.Clone(numbers), func(other int) bool { return other == number })
		}
	}
}

func (s *Set) conditionsToEnter() []*expression.Bool {
	filters := make([]*expression.Bool, len(s.scenarios))
	for i, scenario := range s.scenarios {
		filters[i] = scenario.filter
	}
	return filters
}

func compile(item Item, s *spec, deps Deps) (*Scenario, error) {
	kind, known := kinds[s.Type]
	if !known {
		return nil, yamlfile.In("type", fmt.Errorf("'%s' is not one of leaky, trigger, counter, conditional, bayesian", s.Type))
	}
	t, err := s.times()
	if err != nil {
		return nil, err
	}
	if err := s.validate(kind, t); err != nil {
		return nil, err
	}
	compiled := &Scenario{
		Name: s.Name, Hash: item.Hash, Version: item.Version,
		filterSrc: s.Filter, groupSrc: s.GroupBy,
		leakspeed: t.leakspeed, blackhole: t.blackhole, bucket: s.bucketConfig(kind, t),
		reprocess: s.Reprocess, remediate: s.Labels["remediation"] == true, simulated: deps.Simulated(s.Name),
		context: deps.Context, log: deps.Log.With("scenario", s.Name),
	}
	if err := compiled.compileExpressions(s, deps.Expressions); err != nil {
		return nil, err
	}
	return compiled, compiled.compileConditions(s, deps.Expressions)
}

// loadData reads the files of a scenario. Without one it is of use, as published.
func (s *spec) loadData(deps Deps) []error {
	var problems []error
	for i, entry := range s.Data {
		if err := deps.Data.Load(entry, deps.DataDir); err != nil {
			problems = append(problems, yamlfile.In("data", yamlfile.Entry(i, err)))
		}
	}
	return problems
}

func fingerprint(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

func (s *Scenario) compileExpressions(from *spec, library *expression.Library) error {
	return cmp.Or(
		compileInto(&s.filter, "filter", from.Filter, library.CompileBool, event.Env{}),
		compileInto(&s.groupBy, "groupby", from.GroupBy, library.CompileString, event.Env{}),
		compileInto(&s.distinct, "distinct", from.Distinct, library.CompileAny, event.Env{}),
		compileInto(&s.cancelOn, "cancel_on", from.CancelOn, library.CompileBool, event.Env{}),
		compileInto(&s.overflow, "overflow_filter", from.OverflowFilter, library.CompileBool, overflowEnv{}),
		s.compileScope(from.Scope, library),
	)
}

// compileInto leaves target as it is when there is nothing to compile.
func compileInto[P any](target *P, key, text string, compile func(string, any) (P, error), env any) error {
	if text == "" {
		return nil
	}
	compiled, err := compile(text, env)
	if err != nil {
		return yamlfile.In(key, err)
	}
	*target = compiled
	return nil
}

func (s *Scenario) compileScope(from scopeSpec, library *expression.Library) error {
	s.scope = cmp.Or(from.Type, scopeIP)
	switch {
	case s.scope == scopeIP && from.Expression != "":
		return yamlfile.In("scope", yamlfile.In("expression", fmt.Errorf("not possible for %s, whose value is the source address", scopeIP)))
	case s.scope != scopeIP && s.scope != scopeRange && from.Expression == "":
		return yamlfile.In("scope", yamlfile.In("expression", fmt.Errorf("%s needs one", s.scope)))
	}
	return yamlfile.In("scope", compileInto(&s.scopeExpr, "expression", from.Expression, library.CompileAny, event.Env{}))
}

// mapKey is the published identity of a bucket.
func (s *Scenario) mapKey(group string) string {
	sum := sha1.Sum([]byte(s.filterSrc + "\x00" + group + "\x00" + s.Name)) //nolint:gosec // as above
	return hex.EncodeToString(sum[:])
}
