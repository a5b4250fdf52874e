package enrich

import (
	"hash/maphash"
	"strconv"
	"strings"
	"sync/atomic"
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

// marshaledTime is where ParseDate leaves its result.
var marshaledTime = event.EnrichedField("MarshaledTime")

// dateParser is the method ParseDate: it sets Enriched.MarshaledTime and, in replay, evt.Time.
type dateParser struct {
	now    func() time.Time
	seed   maphash.Seed
	latest [remembered]atomic.Pointer[reading] // by the hash of the text: lines near each other often have the same date
}

const (
	// remembered is how many dates are: every worker is at another one.
	remembered = 64
	// maxRemembered bounds the texts among them, in bytes.
	maxRemembered = 64
	// lastYear is the last one that a text can be read again from.
	lastYear = 9999
)

// reading is a text that was read as a date.
type reading struct {
	text, ownLayout string
	date            time.Time // zero: no clock can be set by it
	marshaled       string
	yearless        bool // the year is that of the clock when it was read
}

func newDateParser(now func() time.Time) *dateParser {
	return &dateParser{now: now, seed: maphash.MakeSeed()}
}

func (p *dateParser) enrich(text string, evt *event.Event) error {
	read := p.read(text, evt.StrTimeFormat)
	if read == nil {
		marshaledTime.Set(evt, p.now().UTC().Format(time.RFC3339Nano))
		return nil
	}
	if evt.ExpectMode == event.TimeMachine && !read.date.IsZero() {
		evt.Time = read.date
	}
	marshaledTime.Set(evt, read.marshaled)
	return nil
}

// read returns nil for what is no date.
func (p *dateParser) read(text, ownLayout string) *reading {
	if len(text) > maxRemembered {
		return p.readAnew(text, ownLayout)
	}
	slot := &p.latest[maphash.String(p.seed, text)%remembered]
	if last := slot.Load(); last != nil && last.text == text && last.ownLayout == ownLayout && !p.outdated(last) {
		return last
	}
	read := p.readAnew(text, ownLayout)
	if read != nil {
		slot.Store(read)
	}
	return read
}

func (p *dateParser) readAnew(text, ownLayout string) *reading {
	date, yearless, ok := p.parse(text, ownLayout)
	if !ok {
		return nil
	}
	if date.Year() > lastYear { // seconds since 1970 that are milliseconds: told as published
		return &reading{text: strings.Clone(text), ownLayout: strings.Clone(ownLayout), marshaled: date.Format(time.RFC3339)}
	}
	both := append(make([]byte, 0, 2*maxRemembered), text...)
	both, err := date.AppendText(both)
	if err != nil { // a zone of 24 hours, say
		return nil
	}
	own := string(both) // the text of a line keeps all the lines of its batch in memory
	return &reading{own[:len(text)], strings.Clone(ownLayout), date, own[len(text):], yearless}
}

func (p *dateParser) outdated(r *reading) bool {
	return r.yearless && r.date.Year() != p.now().UTC().Year()
}

func (p *dateParser) parse(text, ownLayout string) (date time.Time, yearless, ok bool) {
	if text == "" {
		return time.Time{}, false, false
	}
	if ownLayout != "" {
		if date, yearless, ok = p.tryLayout(ownLayout, text); ok {
			return date, yearless, true
		}
	}
	for _, layout := range layouts {
		if !begins(text, layout) {
			continue
		}
		if date, yearless, ok = p.tryLayout(layout, text); ok {
			return date, yearless, true
		}
	}
	date, ok = parseUnix(text)
	return date, false, ok
}

// begins rules most layouts out at a glance: the first part of each has a fixed width and is followed by one of these.
func begins(text, layout string) bool {
	end := strings.IndexAny(layout, "-/ ")
	return len(text) > end && text[end] == layout[end]
}

func (p *dateParser) tryLayout(layout, text string) (date time.Time, yearless, ok bool) {
	date, err := time.Parse(layout, text)
	if err != nil || date.IsZero() {
		return time.Time{}, false, false
	}
	if date.Year() == 0 {
		return date.AddDate(p.now().UTC().Year(), 0, 0), true, true
	}
	return date, false, true
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
