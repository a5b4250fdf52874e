package domain

import "time"

// Alert is one detected attack, or one manual or imported set of decisions.
type Alert struct {
	ID              int64  // assigned by the store, 0 before
	UUID            string // identity across retries; the store keeps one alert per UUID
	MachineID       string // log processor that sent it, "" when unknown
	Kind            string // "crowdsec", "waf", "cscli", "capi", …
	Scenario        string
	ScenarioHash    string // hex SHA-256 of the hub item, "" for local ones
	ScenarioVersion string
	Message         string
	EventsCount     int32
	Capacity        int32
	Leakspeed       string // Go duration text, as sent
	StartAt         time.Time
	StopAt          time.Time
	CreatedAt       time.Time // set by the store
	Simulated       bool
	Remediation     bool
	Source          Source
	Events          []AlertEvent
	Meta            []KeyValue
	Decisions       []Decision
}

// AlertEvent is one log line that contributed to an alert, reduced to its meta data.
type AlertEvent struct {
	Time time.Time
	Meta []KeyValue
}

// KeyValue is one entry of an ordered meta list.
type KeyValue struct {
	Key, Value string
}

// Source says who an alert is about.
type Source struct {
	Scope     Scope
	Value     string
	IP        string
	Range     string
	ASNumber  string
	ASName    string
	Country   string // ISO 3166 alpha-2
	Latitude  float32
	Longitude float32
}
