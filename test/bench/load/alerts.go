package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	"shieldwall/internal/wire"
)

// The marks that every alert of a template has, as long as what takes their place.
const (
	addressMark = "100.100.100.100"
	uuidMark    = "6d61726b-0000-4000-8000-000000000000"
)

// Template is a body of POST /v1/alerts of which every copy is about other addresses. It is safe for
// concurrent use.
type Template struct {
	text     []byte
	alerts   []marks
	next     atomic.Uint32 // number of the next alert, of 100 million
	requests atomic.Int64  // that may still be made
}

// marks are where an alert says what no other says.
type marks struct {
	addresses []int
	uuid      int
}

// NewTemplate returns a body with so many alerts as a log processor sends when events guesses of passwords
// have filled a bucket: without decisions, which are for the profiles to make.
func NewTemplate(alerts, events int, at time.Time) (*Template, error) {
	documents := make([]wire.Alert, alerts)
	for i := range documents {
		documents[i] = guesses(events, at)
	}
	text, err := json.Marshal(documents)
	if err != nil {
		return nil, err
	}
	t := &Template{text: text}
	for range documents {
		t.alerts = append(t.alerts, marks{})
	}
	return t, t.find()
}

// find notes the marks. The UUID is the last one of an alert, as JSON is written in the order of the fields.
func (t *Template) find() error {
	at := 0
	for i := range t.alerts {
		length := bytes.Index(t.text[at:], []byte(uuidMark))
		if length < 0 {
			return fmt.Errorf("alert %d has no mark", i)
		}
		t.alerts[i].uuid = at + length
		for end := at + length; ; at += len(addressMark) {
			found := bytes.Index(t.text[at:end], []byte(addressMark))
			if found < 0 {
				break
			}
			at += found
			t.alerts[i].addresses = append(t.alerts[i].addresses, at)
		}
		at = t.alerts[i].uuid + len(uuidMark)
	}
	return nil
}

// guesses is what was seen of a client that tried passwords, until its bucket overflowed.
func guesses(events int, at time.Time) wire.Alert {
	const scenario = "shieldwall/ssh-bf"
	first, last := at.Add(-time.Duration(events)*time.Second/2).UTC(), at.UTC()
	alert := wire.Alert{
		Capacity: int32(events - 1), EventsCount: int32(events), Kind: "crowdsec", Leakspeed: "10s", Labels: []string{}, //nolint:gosec // a few
		Message:  fmt.Sprintf("Ip %s performed '%s' (%d events over 3s) at %s", addressMark, scenario, events, last),
		Meta:     []wire.MetaItem{{Key: "target_user", Value: `["root","admin"]`}},
		Scenario: scenario, ScenarioHash: "4b1ba3a9d2a1d2f0c1b0ffdb2c6d5ee4cbde5b4f3c1f4d0a8e2a4d3e5c6b7a89", ScenarioVersion: "0.3",
		Source: &wire.Source{
			AsName: "EXAMPLE-AS", AsNumber: "64496", Cn: "FR", IP: addressMark, Latitude: 48.5, Longitude: 2.25, Scope: "Ip", Value: addressMark,
		},
		Remediation: true, StartAt: first.Format(time.RFC3339Nano), StopAt: last.Format(time.RFC3339Nano), UUID: uuidMark,
	}
	for i := range events {
		seen := first.Add(time.Duration(i) * time.Second / 2).Format(time.RFC3339)
		alert.Events = append(alert.Events, wire.Event{Timestamp: seen, Meta: []wire.MetaItem{
			{Key: "datasource_path", Value: "/var/log/auth.log"},
			{Key: "datasource_type", Value: "file"},
			{Key: "log_type", Value: "ssh_failed-auth"},
			{Key: "machine", Value: "web-1"},
			{Key: "service", Value: "ssh"},
			{Key: "source_ip", Value: addressMark},
			{Key: "target_user", Value: "root"},
			{Key: "timestamp", Value: seen},
		}})
	}
	return alert
}

// Len returns the size of a body in bytes.
func (t *Template) Len() int { return len(t.text) }

// Allow lets all clients together send so many requests from now on.
func (t *Template) Allow(requests int) { t.requests.Store(int64(requests)) }

// Client returns a client that sends copies after head as long as they are allowed.
func (t *Template) Client(head []byte) Client {
	return &sender{template: t, head: head, body: bytes.Clone(t.text)}
}

type sender struct {
	template *Template
	head     []byte
	body     []byte
}

// Next implements Client.
func (s *sender) Next() [][]byte {
	t := s.template
	if t.requests.Add(-1) < 0 {
		return nil
	}
	number := t.next.Add(uint32(len(t.alerts))) - uint32(len(t.alerts)) //nolint:gosec // a few
	for _, alert := range t.alerts {
		for _, at := range alert.addresses {
			writeAddress(s.body[at:], number)
		}
		writeNumber(s.body[alert.uuid+len(uuidMark)-9:alert.uuid+len(uuidMark)], number)
		number++
	}
	return [][]byte{s.head, s.body}
}

// writeAddress writes one of a hundred million addresses of equal length. Neighbours are far apart, as
// attackers are.
func writeAddress(to []byte, number uint32) {
	const all, stride = 100_000_000, 61_803_399 // which have no divisor in common
	scattered := uint64(number) * stride % all
	for octet := range 4 {
		writeNumber(to[4*octet+1:4*octet+3], uint32(scattered%100))
		scattered /= 100
	}
}

// writeNumber fills to with the last digits of number.
func writeNumber(to []byte, number uint32) {
	for i := len(to) - 1; i >= 0; i-- {
		to[i] = byte('0' + number%10)
		number /= 10
	}
}

// Address returns the address that alert number of a template is about; numbers count from 0.
func Address(number int) string {
	text := []byte(addressMark)
	writeAddress(text, uint32(number)) //nolint:gosec // of a hundred million
	return string(text)
}

// Repeat is a Client that sends the same request a number of times.
type Repeat struct {
	Request []byte
	Times   int
}

// Next implements Client.
func (r *Repeat) Next() [][]byte {
	if r.Times == 0 {
		return nil
	}
	r.Times--
	return [][]byte{r.Request}
}

// Lookups is a Client that asks which decisions there are about one address after the other. Every second
// one is beyond those that are listed.
type Lookups struct {
	request []byte
	mark    int
	listed  int
	next    int
	times   int
}

// NewLookups returns a client that asks so many times about addresses of which Address has made the first so
// many, beginning with the one of that number.
func NewLookups(times, listed, start int, headers ...string) *Lookups {
	request := Get("/v1/decisions?ip="+addressMark, headers...)
	return &Lookups{request: request, mark: bytes.Index(request, []byte(addressMark)), listed: listed, next: start, times: times}
}

// Next implements Client.
func (l *Lookups) Next() [][]byte {
	if l.times == 0 {
		return nil
	}
	l.times--
	l.next++
	number := l.next % l.listed
	if l.next%2 == 1 {
		number += l.listed
	}
	writeAddress(l.request[l.mark:], uint32(number)) //nolint:gosec // of a hundred million
	return [][]byte{l.request}
}
