package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"shieldwall/internal/domain/fault"
)

// ValidationError lists what a well-formed document lacks or breaks, one published sentence each.
type ValidationError struct {
	Problems []string
}

// Error returns the published text: a headline and one line a problem.
func (e *ValidationError) Error() string {
	return "validation failure list:\n" + strings.Join(e.Problems, "\n")
}

// The bounds of a registration token, in characters.
const (
	minRegistrationToken = 32
	maxRegistrationToken = 255
)

// maxProblems bounds the answer to a body that is wrong all over.
const maxProblems = 100

// DecodeAlerts reads the body of POST /v1/alerts. Malformed JSON is a fault.Invalid error, missing fields
// are a *ValidationError with at most about a hundred problems; unknown fields are ignored. null and [] are
// no alerts.
func DecodeAlerts(r io.Reader) ([]Alert, error) {
	decoder := newDecoder(r)
	switch token, err := decoder.Token(); {
	case err != nil:
		return nil, fault.Mark(fault.Invalid, err)
	case token == nil:
		return nil, nil
	case token != json.Delim('['):
		return nil, fault.Errorf(fault.Invalid, "the body is not an array of alerts")
	}
	return decodeAlerts(decoder)
}

// decodeAlerts reads one alert after the other, so that a body full of worthless ones is given up early
// instead of being held in memory as a whole.
func decodeAlerts(decoder *json.Decoder) ([]Alert, error) {
	var (
		alerts []Alert
		check  checker
	)
	for i := 0; decoder.More() && len(check.problems) < maxProblems; i++ {
		var body *alertBody
		if err := decoder.Decode(&body); err != nil {
			return nil, fault.Errorf(fault.Invalid, "alert %d: %w", i, err)
		}
		body.check(&check, strconv.Itoa(i))
		if check.err() == nil {
			alerts = append(alerts, body.alert())
		}
	}
	if err := check.err(); err != nil {
		return nil, err
	}
	switch _, err := decoder.Token(); {
	case errors.Is(err, io.EOF):
		return nil, fault.Mark(fault.Invalid, io.ErrUnexpectedEOF)
	case err != nil:
		return nil, fault.Mark(fault.Invalid, err)
	}
	return alerts, nil
}

// DecodeRegistration reads the body of POST /v1/watchers; errors are those of DecodeAlerts.
func DecodeRegistration(r io.Reader) (Registration, error) {
	var body struct {
		MachineID         *string `json:"machine_id"`
		Password          *string `json:"password"`
		RegistrationToken string  `json:"registration_token"`
	}
	if err := decodeJSON(r, &body); err != nil {
		return Registration{}, err
	}
	var check checker
	check.present("machine_id", body.MachineID != nil)
	check.present("password", body.Password != nil)
	check.length("registration_token", body.RegistrationToken)
	if err := check.err(); err != nil {
		return Registration{}, err
	}
	return Registration{
		MachineID: *body.MachineID, Password: *body.Password, RegistrationToken: body.RegistrationToken,
	}, nil
}

// DecodeLogin reads the body of POST /v1/watchers/login; errors are those of DecodeAlerts.
func DecodeLogin(r io.Reader) (Login, error) {
	var body struct {
		MachineID *string  `json:"machine_id"`
		Password  *string  `json:"password"`
		Scenarios []string `json:"scenarios"`
	}
	if err := decodeJSON(r, &body); err != nil {
		return Login{}, err
	}
	var check checker
	check.present("machine_id", body.MachineID != nil)
	check.present("password", body.Password != nil)
	if err := check.err(); err != nil {
		return Login{}, err
	}
	return Login{MachineID: *body.MachineID, Password: *body.Password, Scenarios: body.Scenarios}, nil
}

func decodeJSON(r io.Reader, target any) error {
	return fault.Mark(fault.Invalid, newDecoder(r).Decode(target))
}

func newDecoder(r io.Reader) *json.Decoder { return json.NewDecoder(fullReader{r}) }

// fullReader fills every buffer it is given. The decoder looks at all white space again after each read:
// with its doubling buffer that is linear, with the small reads of a connection it would be quadratic.
type fullReader struct {
	r io.Reader
}

// Read implements io.Reader.
func (f fullReader) Read(p []byte) (int, error) {
	n, err := io.ReadFull(f.r, p)
	if errors.Is(err, io.ErrUnexpectedEOF) && n > 0 {
		return n, nil
	}
	return n, err
}

// checker collects problems in the order in which fields are looked at, which is alphabetical.
type checker struct {
	problems []string
}

func (c *checker) present(field string, present bool) {
	if !present {
		c.problems = append(c.problems, field+" in body is required")
	}
}

func (c *checker) length(field, token string) {
	switch length := utf8.RuneCountInString(token); {
	case length == 0:
	case length < minRegistrationToken:
		c.problems = append(c.problems, fmt.Sprintf("%s in body should be at least %d chars long", field, minRegistrationToken))
	case length > maxRegistrationToken:
		c.problems = append(c.problems, fmt.Sprintf("%s in body should be at most %d chars long", field, maxRegistrationToken))
	}
}

func (c *checker) err() error {
	if len(c.problems) == 0 {
		return nil
	}
	return &ValidationError{Problems: c.problems}
}

// The bodies below differ from the types they become in one thing: they can tell absent from zero.

type alertBody struct {
	Capacity        *int32          `json:"capacity"`
	Decisions       []*decisionBody `json:"decisions"`
	Events          []*eventBody    `json:"events"`
	EventsCount     *int32          `json:"events_count"`
	Kind            string          `json:"kind"`
	Labels          []string        `json:"labels"`
	Leakspeed       *string         `json:"leakspeed"`
	Message         *string         `json:"message"`
	Meta            []MetaItem      `json:"meta"`
	Remediation     bool            `json:"remediation"`
	Scenario        *string         `json:"scenario"`
	ScenarioHash    *string         `json:"scenario_hash"`
	ScenarioVersion *string         `json:"scenario_version"`
	Simulated       *bool           `json:"simulated"`
	Source          *sourceBody     `json:"source"`
	StartAt         *string         `json:"start_at"`
	StopAt          *string         `json:"stop_at"`
	UUID            string          `json:"uuid"`
}

type decisionBody struct {
	Duration  *string `json:"duration"`
	Origin    *string `json:"origin"`
	Scenario  *string `json:"scenario"`
	Scope     *string `json:"scope"`
	Simulated *bool   `json:"simulated"`
	Type      *string `json:"type"`
	Value     *string `json:"value"`
}

type eventBody struct {
	Meta      []MetaItem `json:"meta"`
	Timestamp *string    `json:"timestamp"`
}

type sourceBody struct {
	AsName    string  `json:"as_name"`
	AsNumber  string  `json:"as_number"`
	Cn        string  `json:"cn"`
	IP        string  `json:"ip"`
	Latitude  float32 `json:"latitude"`
	Longitude float32 `json:"longitude"`
	Range     string  `json:"range"`
	Scope     *string `json:"scope"`
	Value     *string `json:"value"`
}

func (b *alertBody) check(c *checker, at string) {
	if b == nil {
		c.present(at, false)
		return
	}
	c.present(at+".capacity", b.Capacity != nil)
	for i, decision := range b.Decisions {
		decision.check(c, fmt.Sprintf("%s.decisions.%d", at, i))
	}
	c.present(at+".events", b.Events != nil)
	for i, event := range b.Events {
		event.check(c, fmt.Sprintf("%s.events.%d", at, i))
	}
	c.present(at+".events_count", b.EventsCount != nil)
	c.present(at+".leakspeed", b.Leakspeed != nil)
	c.present(at+".message", b.Message != nil)
	c.present(at+".scenario", b.Scenario != nil)
	c.present(at+".scenario_hash", b.ScenarioHash != nil)
	c.present(at+".scenario_version", b.ScenarioVersion != nil)
	c.present(at+".simulated", b.Simulated != nil)
	b.Source.check(c, at+".source")
	c.present(at+".start_at", b.StartAt != nil)
	c.present(at+".stop_at", b.StopAt != nil)
}

func (b *decisionBody) check(c *checker, at string) {
	if b == nil {
		c.present(at, false)
		return
	}
	c.present(at+".duration", b.Duration != nil)
	c.present(at+".origin", b.Origin != nil)
	c.present(at+".scenario", b.Scenario != nil)
	c.present(at+".scope", b.Scope != nil)
	c.present(at+".type", b.Type != nil)
	c.present(at+".value", b.Value != nil)
}

func (b *eventBody) check(c *checker, at string) {
	if b == nil {
		c.present(at, false)
		return
	}
	c.present(at+".meta", b.Meta != nil)
	c.present(at+".timestamp", b.Timestamp != nil)
}

func (b *sourceBody) check(c *checker, at string) {
	if b == nil {
		c.present(at, false)
		return
	}
	c.present(at+".scope", b.Scope != nil)
	c.present(at+".value", b.Value != nil)
}

func (b *alertBody) alert() Alert {
	alert := Alert{
		Capacity: *b.Capacity, EventsCount: *b.EventsCount, Kind: b.Kind, Labels: b.Labels,
		Leakspeed: *b.Leakspeed, Message: *b.Message, Meta: b.Meta, Remediation: b.Remediation,
		Scenario: *b.Scenario, ScenarioHash: *b.ScenarioHash, ScenarioVersion: *b.ScenarioVersion,
		Simulated: *b.Simulated, Source: b.Source.source(), StartAt: *b.StartAt, StopAt: *b.StopAt, UUID: b.UUID,
		Events: make([]Event, 0, len(b.Events)),
	}
	for _, decision := range b.Decisions {
		alert.Decisions = append(alert.Decisions, decision.decision())
	}
	for _, event := range b.Events {
		alert.Events = append(alert.Events, Event{Meta: event.Meta, Timestamp: *event.Timestamp})
	}
	return alert
}

func (b *decisionBody) decision() Decision {
	return Decision{
		Duration: *b.Duration, Origin: *b.Origin, Scenario: *b.Scenario, Scope: *b.Scope,
		Simulated: b.Simulated, Type: *b.Type, Value: *b.Value,
	}
}

func (b *sourceBody) source() *Source {
	return &Source{
		AsName: b.AsName, AsNumber: b.AsNumber, Cn: b.Cn, IP: b.IP, Latitude: b.Latitude,
		Longitude: b.Longitude, Range: b.Range, Scope: *b.Scope, Value: *b.Value,
	}
}
