package scenario

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"

	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/wire"
)

// The scopes that the engine itself understands.
const (
	scopeIP    = "Ip"
	scopeRange = "Range"
)

// sources collects who the events of a bucket are about, by value. Later events replace earlier ones of the
// same value. All have the scope of the scenario. Without any source there can be no alert.
func (s *Scenario) sources(queue []*event.Event) (map[string]*wire.Source, error) {
	found, latest := map[string]*wire.Source{}, located{}
	for _, evt := range queue {
		if err := s.addSources(found, &latest, evt); err != nil {
			return nil, err
		}
	}
	if len(found) == 0 {
		return nil, errors.New("no source")
	}
	return found, nil
}

func (s *Scenario) addSources(found map[string]*wire.Source, latest *located, evt *event.Event) error {
	if evt.Type == event.Overflow {
		return s.convertSources(found, evt)
	}
	source, err := s.sourceOfLine(latest, evt)
	if err != nil {
		return err
	}
	found[source.Value] = source
	return nil
}

// address is what a line tells about the address of its source.
type address [addressTexts]string

const (
	atIP = iota
	atRange
	atASNumber
	atASNNumber
	atIsoCode
	atASNOrg
	atLatitude
	atLongitude

	addressTexts
)

// addressFields are where they are: the first two in Meta, the others in Enriched.
func addressFields() *[addressTexts]event.Field {
	return &[...]event.Field{
		atIP: event.MetaField("source_ip"), atRange: event.MetaField("SourceRange"),
		atASNumber: event.EnrichedField("ASNumber"), atASNNumber: event.EnrichedField("ASNNumber"), atIsoCode: event.EnrichedField("IsoCode"),
		atASNOrg: event.EnrichedField("ASNOrg"), atLatitude: event.EnrichedField("Latitude"), atLongitude: event.EnrichedField("Longitude"),
	}
}

// located is an address and the source that it made: the events of a bucket mostly have the same.
type located struct {
	address address
	source  *wire.Source // nil: none yet
}

func (s *Scenario) sourceOfLine(latest *located, evt *event.Event) (*wire.Source, error) {
	if s.scope != scopeIP && s.scope != scopeRange {
		return &wire.Source{Scope: s.scope, Value: s.scopeValue(evt)}, nil
	}
	var address address
	for i := range s.address {
		address[i] = s.address[i].Of(evt)
	}
	if s.scopeExpr == nil && latest.source != nil && address == latest.address {
		return latest.source, nil
	}
	source, err := s.sourceAt(&address, evt)
	*latest = located{address, source}
	return source, err
}

func (s *Scenario) sourceAt(address *address, evt *event.Event) (*wire.Source, error) {
	source, err := address.source(s.scope)
	if err != nil {
		return nil, err
	}
	switch {
	case s.scope == scopeRange && s.scopeExpr != nil:
		source.Value = s.scopeValue(evt)
	case s.scope == scopeRange:
		source.Value = source.Range
	default:
		addr, err := netip.ParseAddr(source.IP)
		if err == nil && addr.Zone() != "" {
			err = fmt.Errorf("%s has a zone", addr) // as published: nobody else can tell which link that is
		}
		if err != nil {
			return nil, fmt.Errorf("source_ip of the event: %w", err)
		}
		source.Value = source.IP
	}
	return source, nil
}

// source has what enrichment knows about the address.
func (a *address) source(scope string) (*wire.Source, error) {
	source := &wire.Source{
		Scope: scope, IP: a[atIP], AsNumber: cmp.Or(a[atASNumber], a[atASNNumber]), Cn: a[atIsoCode], AsName: a[atASNOrg],
		Latitude: coordinate(a[atLatitude]), Longitude: coordinate(a[atLongitude]),
	}
	if a[atRange] != "" {
		prefix, err := netip.ParsePrefix(a[atRange])
		if err != nil {
			return nil, fmt.Errorf("SourceRange of the event: %w", err)
		}
		source.Range = prefix.Masked().String()
	}
	return source, nil
}

func coordinate(text string) float32 {
	value, err := strconv.ParseFloat(text, 32)
	if err != nil || math.IsNaN(value) || math.IsInf(value, 0) { // JSON has no words for these
		return 0
	}
	return float32(value)
}

func (s *Scenario) scopeValue(evt *event.Event) string {
	result, err := s.scopeExpr.Eval(&event.Env{Evt: evt})
	if err != nil {
		s.log.Warn("scope cannot be evaluated", "error", err)
		return ""
	}
	value, _ := result.(string) // anything else counts as "", as published
	return value
}

// convertSources takes the sources of an overflow that was fed back. They keep their scope, or go from an
// address to its range; nothing else can be converted.
func (s *Scenario) convertSources(found map[string]*wire.Source, evt *event.Event) error {
	for _, original := range evt.Overflow.Sources {
		source := *original
		switch {
		case source.Scope == s.scope:
		case source.Scope == scopeIP && s.scope == scopeRange:
			source.Scope, source.Value = scopeRange, source.Range
			if s.scopeExpr != nil {
				source.Value = s.scopeValue(evt)
			}
			if source.Value == "" {
				continue
			}
		default:
			s.log.Warn("source of an overflow cannot be converted", "from", source.Scope, "to", s.scope)
			continue
		}
		found[source.Value] = &source
	}
	return nil
}
