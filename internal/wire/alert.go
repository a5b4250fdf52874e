package wire

import "strings"

// Alert is an alert as sent by a log processor and as returned by the Local API.
type Alert struct {
	Capacity        int32      `json:"capacity"`
	CreatedAt       string     `json:"created_at,omitempty"`
	Decisions       []Decision `json:"decisions"`
	Events          []Event    `json:"events"`
	EventsCount     int32      `json:"events_count"`
	ID              int64      `json:"id,omitempty"`
	Kind            string     `json:"kind,omitempty"`
	Labels          []string   `json:"labels"`
	Leakspeed       string     `json:"leakspeed"`
	MachineID       string     `json:"machine_id,omitempty"`
	Message         string     `json:"message"`
	Meta            []MetaItem `json:"meta,omitempty"`
	Remediation     bool       `json:"remediation,omitempty"`
	Scenario        string     `json:"scenario"`
	ScenarioHash    string     `json:"scenario_hash"`
	ScenarioVersion string     `json:"scenario_version"`
	Simulated       bool       `json:"simulated"`
	Source          *Source    `json:"source"`
	StartAt         string     `json:"start_at"` // RFC 3339
	StopAt          string     `json:"stop_at"`  // RFC 3339
	UUID            string     `json:"uuid,omitempty"`
}

// Event is one event of an alert.
type Event struct {
	Meta      []MetaItem `json:"meta"`
	Timestamp string     `json:"timestamp"`
}

// MetaItem is one entry of a meta list.
type MetaItem struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Source says who an alert is about.
type Source struct {
	AsName    string  `json:"as_name,omitempty"`
	AsNumber  string  `json:"as_number,omitempty"`
	Cn        string  `json:"cn,omitempty"`
	IP        string  `json:"ip,omitempty"`
	Latitude  float32 `json:"latitude,omitempty"`
	Longitude float32 `json:"longitude,omitempty"`
	Range     string  `json:"range,omitempty"`
	Scope     string  `json:"scope"`
	Value     string  `json:"value"`
}

// Decision is a decision as sent with an alert and as returned to bouncers and cscli.
type Decision struct {
	Duration  string `json:"duration"`
	ID        int64  `json:"id,omitempty"`
	Origin    string `json:"origin"`
	Scenario  string `json:"scenario"`
	Scope     string `json:"scope"`
	Simulated *bool  `json:"simulated,omitempty"` // nil where bouncers read, never nil inside an alert that is returned
	Type      string `json:"type"`
	Until     string `json:"until,omitempty"`
	UUID      string `json:"uuid,omitempty"`
	Value     string `json:"value"`
}

// DecisionsStream is the answer of /v1/decisions/stream.
type DecisionsStream struct {
	New     []Decision `json:"new"`
	Deleted []Decision `json:"deleted"`
}

// GetScope returns the scope of the source, "" without one.
func (a *Alert) GetScope() string { return a.Source.GetScope() }

// GetValue returns the value of the source, "" without one.
func (a *Alert) GetValue() string { return a.Source.GetValue() }

// GetScenario returns the scenario name.
func (a *Alert) GetScenario() string { return a.Scenario }

// GetEventsCount returns the number of events that were poured, which may exceed len(Events).
func (a *Alert) GetEventsCount() int32 { return a.EventsCount }

// GetMeta returns the value of key in the alert's context, "" when absent.
func (a *Alert) GetMeta(key string) string { return lookUp(a.Meta, key) }

// GetMeta returns the value of key, "" when absent.
func (e Event) GetMeta(key string) string { return lookUp(e.Meta, key) }

// GetScope returns the scope, "" for nil.
func (s *Source) GetScope() string {
	if s == nil {
		return ""
	}
	return s.Scope
}

// GetValue returns the value, "" for nil.
func (s *Source) GetValue() string {
	if s == nil {
		return ""
	}
	return s.Value
}

// GetAsNumberName returns number and name of the autonomous system, as far as they are known.
func (s *Source) GetAsNumberName() string {
	if s == nil {
		return ""
	}
	return strings.TrimSpace(s.AsNumber + " " + s.AsName)
}

func lookUp(items []MetaItem, key string) string {
	for _, item := range items {
		if item.Key == key {
			return item.Value
		}
	}
	return ""
}
