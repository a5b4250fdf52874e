package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"unicode/utf8"

	"shieldwall/internal/domain/fault"
)

// Adopt returns what DecodeAlerts would read from the JSON of alerts, for a reader in the process of their writer, who may
// go on reading them: texts and the lists of events, meta data and labels are shared, and nobody may change them any more.
// Errors are those of DecodeAlerts, and TooLarge for more than limit bytes of text.
func Adopt(alerts []*Alert, limit int) ([]Alert, error) {
	adopted := make([]Alert, len(alerts))
	size := census{elements: len(alerts)}
	for i, alert := range alerts {
		if size.add(alert) {
			adopted[i] = alert.shared()
		} else if err := size.throughJSON(alert, &adopted[i]); err != nil {
			return nil, fmt.Errorf("alert %d: %w", i, err)
		}
		switch {
		case size.elements > maxElements:
			return nil, fault.Errorf(fault.Invalid, "the alerts have more than %d elements", maxElements)
		case size.bytes > limit:
			return nil, fault.Errorf(fault.TooLarge, "the alerts have more than %d bytes of text", limit)
		}
	}
	return adopted, nil
}

// shared returns a copy that can be completed without the writer noticing, and leaves out what readers do not believe.
func (a *Alert) shared() Alert {
	copied, source := *a, *a.Source
	copied.Source = &source
	copied.CreatedAt, copied.ID, copied.MachineID = "", 0, ""
	copied.Decisions = nil // there are none
	if len(copied.Meta) == 0 {
		copied.Meta = nil
	}
	return copied
}

// census counts what the bounds of a body are about.
type census struct {
	elements int // of all lists
	bytes    int // of all texts
}

// add counts an alert and reports whether it is whole, without decisions, and the same after JSON.
func (c *census) add(a *Alert) bool {
	if a == nil || a.Source == nil || a.Events == nil || len(a.Decisions) > 0 {
		return false
	}
	ok := isFinite(a.Source.Latitude) && isFinite(a.Source.Longitude)
	for _, text := range [...]string{
		a.Kind, a.Leakspeed, a.Message, a.Scenario, a.ScenarioHash, a.ScenarioVersion, a.StartAt, a.StopAt, a.UUID,
		a.Source.AsName, a.Source.AsNumber, a.Source.Cn, a.Source.IP, a.Source.Range, a.Source.Scope, a.Source.Value,
	} {
		ok = c.text(text) && ok
	}
	for _, label := range a.Labels {
		ok = c.text(label) && ok
	}
	ok = c.meta(a.Meta) && ok
	for i := range a.Events {
		event := &a.Events[i]
		ok = event.Meta != nil && c.text(event.Timestamp) && c.meta(event.Meta) && ok
	}
	c.elements += len(a.Labels) + len(a.Events)
	return ok
}

// throughJSON is the long way, for what JSON would change, and for what is refused.
func (c *census) throughJSON(from, into *Alert) error {
	text, err := json.Marshal([]*Alert{from})
	if err != nil {
		return fault.Mark(fault.Invalid, err)
	}
	c.bytes += len(text)
	read, err := DecodeAlerts(bytes.NewReader(text))
	if err != nil {
		return err
	}
	*into = read[0]
	return nil
}

func (c *census) meta(items []MetaItem) bool {
	ok := true
	for i := range items {
		key, value := c.text(items[i].Key), c.text(items[i].Value)
		ok = ok && key && value
	}
	c.elements += len(items)
	return ok
}

// text reports whether JSON can carry the text as it is.
func (c *census) text(text string) bool {
	c.bytes += len(text)
	return utf8.ValidString(text)
}

func isFinite(number float32) bool {
	return !math.IsNaN(float64(number)) && !math.IsInf(float64(number), 0)
}
