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
)

// Method derives facts from text. The result is merged into evt.Enriched; a method may also set fields of
// evt that are documented as its own.
type Method func(text string, evt *event.Event) (map[string]string, error)

// Registry returns the methods by the names that rules use. The clock stands in for dates that cannot be
// read, and completes those without a year.
func Registry(now func() time.Time) map[string]Method {
	return map[string]Method{
		"ParseDate":     dateParser{now}.enrich,
		"UnmarshalJSON": unmarshalLine,
	}
}

// unmarshalLine decodes the whole line, whatever the text, into the root of evt.Unmarshaled.
func unmarshalLine(_ string, evt *event.Event) (map[string]string, error) {
	var object map[string]any
	if err := json.Unmarshal([]byte(evt.Line.Raw), &object); err != nil {
		return nil, fmt.Errorf("decoding the line as a JSON object: %w", err)
	}
	if object == nil {
		return nil, errors.New("the line is JSON null, not an object")
	}
	evt.Unmarshaled = object
	return nil, nil //nolint:nilnil // the object is the result
}
