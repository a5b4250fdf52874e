package enrich

import (
	"strconv"
	"strings"
	"time"

	"shieldwall/internal/logprocessor/event"
)

// layouts are tried in this order, which is published: an ambiguous date means what the first one reads.
var layouts = [...]string{
	time.RFC3339,
	"02/Jan/2006:15:04:05 -0700",
	"Mon Jan 2 15:04:05 2006",
	"02-Jan-2006 15:04:05 europe/paris",
	"01/02/2006 15:04:05",
	"2006-01-02 15:04:05.999999999 -0700 MST",
	"Jan  2 15:04:05",
	"Mon Jan 02 15:04:05.000000 2006",
	"2006-01-02T15:04:05Z07:00",
	"2006/01/02",
	"2006/01/02 15:04",
	"2006-01-02",
	"2006-01-02 15:04",
	"2006/01/02 15:04:05",
	"2006-01-02 15:04:05",
	"2006-01-02T15:04:05",
}

// dateParser is the method ParseDate: it sets Enriched.MarshaledTime and, in replay, evt.Time.
type dateParser struct {
	now func() time.Time
}

func (p dateParser) enrich(text string, evt *event.Event) (map[string]string, error) {
	date, ok := p.parse(text, evt.StrTimeFormat)
	if !ok {
		return map[string]string{"MarshaledTime": p.now().UTC().Format(time.RFC3339Nano)}, nil
	}
	marshaled, err := date.MarshalText()
	if err != nil {
		return map[string]string{"MarshaledTime": p.now().UTC().Format(time.RFC3339Nano)}, nil //nolint:nilerr // a year past 9999 is no date
	}
	if evt.ExpectMode == event.TimeMachine {
		evt.Time = date
	}
	return map[string]string{"MarshaledTime": string(marshaled)}, nil
}

func (p dateParser) parse(text, ownLayout string) (time.Time, bool) {
	if text == "" {
		return time.Time{}, false
	}
	if ownLayout != "" {
		if date, ok := p.tryLayout(ownLayout, text); ok {
			return date, true
		}
	}
	for _, layout := range layouts {
		if date, ok := p.tryLayout(layout, text); ok {
			return date, true
		}
	}
	return parseUnix(text)
}

func (p dateParser) tryLayout(layout, text string) (time.Time, bool) {
	date, err := time.Parse(layout, text)
	if err != nil || date.IsZero() {
		return time.Time{}, false
	}
	if date.Year() == 0 {
		date = date.AddDate(p.now().UTC().Year(), 0, 0)
	}
	return date, true
}

// parseUnix reads seconds since 1970; a fraction is dropped.
func parseUnix(text string) (time.Time, bool) {
	seconds, _, _ := strings.Cut(text, ".")
	unix, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || unix <= 0 {
		return time.Time{}, false
	}
	return time.Unix(unix, 0), true
}
