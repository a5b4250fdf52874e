package event

import (
	"net/netip"
	"time"

	"shieldwall/internal/wire"
)

// Type says what an event carries.
type Type int

// The types, with the numbers that dump files use.
const (
	Log Type = iota
	Overflow
)

// Clock says which clock drives the buckets that an event is poured into.
type Clock int

// The clocks, with the numbers that dump files use.
const (
	Live        Clock = iota // the wall clock when the event is poured
	TimeMachine              // the time written in the log
)

// Event is one unit of work. Maps are never nil in an event made by New. In one made by Renew those of texts are
// empty until Maps is called: a Field reads and sets texts in any event.
type Event struct {
	Type            Type              `yaml:"Type,omitempty"`
	ExpectMode      Clock             `yaml:"ExpectMode,omitempty"`
	Whitelisted     bool              `yaml:"Whitelisted,omitempty"`
	WhitelistReason string            `yaml:"WhitelistReason,omitempty"`
	Stage           string            `yaml:"Stage,omitempty"`
	Line            Line              `yaml:"Line,omitempty"`
	Parsed          map[string]string `yaml:"Parsed,omitempty"`
	Enriched        map[string]string `yaml:"Enriched,omitempty"`
	Unmarshaled     map[string]any    `yaml:"Unmarshaled,omitempty"`
	Overflow        RuntimeAlert      `yaml:"Overflow,omitempty"`
	Time            time.Time         `yaml:"Time,omitempty"`
	StrTime         string            `yaml:"StrTime,omitempty"`
	StrTimeFormat   string            `yaml:"StrTimeFormat,omitempty"`
	MarshaledTime   string            `yaml:"MarshaledTime,omitempty"` // RFC 3339, set by parsers
	Process         bool              `yaml:"Process,omitempty"`
	Appsec          Appsec            `yaml:"Appsec,omitempty"`
	Meta            map[string]string `yaml:"Meta,omitempty"`

	record   *record // nil: never renewed
	recorded bool    // the record holds what Meta, Parsed and Enriched would
}

// Line is a log line as acquired.
type Line struct {
	Raw     string            `yaml:"Raw,omitempty"`
	Src     string            `yaml:"Src,omitempty"`
	Time    time.Time         `yaml:"time"`
	Labels  map[string]string `yaml:"Labels,omitempty"` // shared by all lines of a source: read only
	Process bool              `yaml:"process"`
	Module  string            `yaml:"Module,omitempty"`
}

// Origin is what metrics tell lines apart by.
type Origin struct {
	Src, Module string
	Type        string // the label
}

// Origin returns where the line comes from.
func (l *Line) Origin() Origin { return Origin{l.Src, l.Module, l.Labels["type"]} }

// RuntimeAlert is a bucket's overflow. Sources, APIAlerts and Alert share their *wire.Source values, so
// that a parser that rewrites one is seen by all.
type RuntimeAlert struct {
	Mapkey      string                  `yaml:"MapKey,omitempty"`
	BucketId    string                  `yaml:"BucketId,omitempty"` // never set; published name
	Whitelisted bool                    `yaml:"Whitelisted,omitempty"`
	Reprocess   bool                    `yaml:"Reprocess,omitempty"`
	Sources     map[string]*wire.Source `yaml:"Sources,omitempty"`
	Alert       *wire.Alert             `yaml:"Alert,omitempty"`
	APIAlerts   []*wire.Alert           `yaml:"APIAlerts,omitempty"`
}

// New returns an event for a line, owned by the caller.
func New(line Line, clock Clock) *Event {
	return &Event{
		Type:        Log,
		ExpectMode:  clock,
		Line:        line,
		Process:     true,
		Parsed:      map[string]string{},
		Enriched:    map[string]string{},
		Unmarshaled: map[string]any{},
		Meta:        map[string]string{},
	}
}

// Renew makes e what New returns, but for the maps of texts, in the memory that it has.
func (e *Event) Renew(line Line, clock Clock) {
	parsed, enriched, unmarshaled, meta, kept := e.Parsed, e.Enriched, e.Unmarshaled, e.Meta, e.record
	if kept == nil {
		kept = new(record)
	}
	for in := range kept {
		kept[in].clear()
	}
	*e = Event{
		Type: Log, ExpectMode: clock, Line: line, Process: true,
		Parsed: emptied(parsed), Enriched: emptied(enriched), Unmarshaled: emptied(unmarshaled), Meta: emptied(meta),
		record: kept, recorded: true,
	}
}

// maxReused bounds how many keys a map may have had to be used again: emptying costs what the largest event did.
const maxReused = 128

func emptied[V any](m map[string]V) map[string]V {
	switch {
	case m == nil || len(m) > maxReused:
		return map[string]V{}
	case len(m) > 0:
		clear(m)
	}
	return m
}

// GetType returns "overflow" or "log", as expressions compare it.
func (e *Event) GetType() string {
	if e.Type == Overflow {
		return "overflow"
	}
	return "log"
}

// GetMeta returns a meta value: of the event for a line, of any contributing line for an overflow.
func (e *Event) GetMeta(key string) string {
	if e.Type != Overflow {
		text, _ := e.find(inMeta, key)
		return text
	}
	for _, alert := range e.Overflow.APIAlerts {
		for i := range alert.Events {
			if value := alert.Events[i].GetMeta(key); value != "" {
				return value
			}
		}
	}
	return ""
}

// SetMeta sets a meta value and reports true, so that it can stand in a filter.
func (e *Event) SetMeta(key, value string) bool {
	MetaField(key).Set(e, value)
	return true
}

// SetParsed sets a parsed value and reports true, so that it can stand in a filter.
func (e *Event) SetParsed(key, value string) bool {
	ParsedField(key).Set(e, value)
	return true
}

// ParseIPSources returns the addresses that the event is about: the source_ip of a line, the key of every
// source of an overflow. Texts that are not addresses are left out.
func (e *Event) ParseIPSources() []netip.Addr {
	texts := []string{e.GetMeta("source_ip")}
	if e.Type == Overflow {
		texts = e.Overflow.GetSources()
	}
	addrs := make([]netip.Addr, 0, len(texts))
	for _, text := range texts {
		if addr, err := netip.ParseAddr(text); err == nil {
			addrs = append(addrs, addr)
		}
	}
	return addrs
}

// GetSources returns the keys of Sources, in no order.
func (r RuntimeAlert) GetSources() []string {
	keys := make([]string, 0, len(r.Sources))
	for key := range r.Sources {
		keys = append(keys, key)
	}
	return keys
}

// Env is what an expression about one event can name.
type Env struct {
	Evt *Event `expr:"evt"`
}
