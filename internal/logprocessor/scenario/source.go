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
	found := map[string]*wire.Source{}
	for _, evt := range queue {
		if err := s.addSources(found, evt); err != nil {
			return nil, err
		}
	}
	if len(found) == 0 {
		return nil, errors.New("no source")
	}
	return found, nil
}

func (s *Scenario) addSources(found map[string]*wire.Source, evt *event.Event) error {
	if evt.Type == event.Overflow {
		return s.convertSources(found, evt)
	}
	source, err := s.sourceOfLine(evt)
	if err != nil {
		return err
	}
	found[source.Value] = source
	return nil
}

func (s *Scenario) sourceOfLine(evt *event.Event) (*wire.Source, error) {
	source := &wire.Source{Scope: s.scope}
	if s.scope != scopeIP && s.scope != scopeRange {
		source.Value = s.scopeValue(evt)
		return source, nil
	}
	if err := describe(source, evt); err != nil {
		return nil, err
	}
	switch {
	case s.scope == scopeRange && s.scopeExpr != nil:
		source.Value = s.scopeValue(evt)
	case s.scope == scopeRange:
		source.Value = source.Range
	default:
		if _, err := netip.ParseAddr(source.IP); err != nil {
			return nil, fmt.Errorf("source_ip of the event: %w", err)
		}
		source.Value = source.IP
	}
	return source, nil
}

// describe fills in what enrichment knows about the address of a line.
func describe(source *wire.Source, evt *event.Event) error {
	source.IP = evt.Meta["source_ip"]
	source.AsNumber = cmp.Or(evt.Enriched["ASNumber"], evt.Enriched["ASNNumber"])
	source.Cn = evt.Enriched["IsoCode"]
	source.AsName = evt.Enriched["ASNOrg"]
	source.Latitude = coordinate(evt.Enriched["Latitude"])
	source.Longitude = coordinate(evt.Enriched["Longitude"])
	if text := evt.Meta["SourceRange"]; text != "" {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return fmt.Errorf("SourceRange of the event: %w", err)
		}
		source.Range = prefix.Masked().String()
	}
	return nil
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
