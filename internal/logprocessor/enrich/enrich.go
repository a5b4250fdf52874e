// Package enrich holds the methods that a parser's statics can call by name: each derives facts from a
// text and the event it came from.
//
// It owns the registry of methods, which is a value. A method that finds nothing returns nothing; only
// input that the rule author must know about is an error.
package enrich

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/platform/geoip"
)

// Method derives facts from text and puts them into evt.Enriched; it may also set fields of evt that are
// documented as its own. With an error it has changed nothing.
type Method func(text string, evt *event.Event) error

// Deps is what methods reach.
type Deps struct {
	Now       func() time.Time // stands in for dates that cannot be read, and completes those without a year
	Databases *geoip.Databases // nil: no address is known
	Names     Resolver         // nil: no address has a name
}

// Registry returns the methods by the names that rules use.
func Registry(deps Deps) map[string]Method {
	where := newLocator(deps.Databases)
	return map[string]Method{
		"ParseDate":     newDateParser(deps.Now).enrich,
		"UnmarshalJSON": unmarshalLine,
		"GeoIpCity":     where.city,
		"GeoIpASN":      where.asn,
		"IpToRange":     where.sourceRange,
		"reverse_dns":   namer{deps.Names}.enrich,
	}
}

// unmarshalLine decodes the whole line, whatever the text, into the root of evt.Unmarshaled.
func unmarshalLine(_ string, evt *event.Event) error {
	var object map[string]any
	if err := json.Unmarshal([]byte(evt.Line.Raw), &object); err != nil {
		return fmt.Errorf("decoding the line as a JSON object: %w", err)
	}
	if object == nil {
		return errors.New("the line is JSON null, not an object")
	}
	evt.Unmarshaled = object
	return nil
}
