package domain

import "time"

// AuthType says how a machine or a bouncer proves who it is.
type AuthType string

// The ways to authenticate.
const (
	AuthPassword AuthType = "password"
	AuthAPIKey   AuthType = "api-key"
	AuthTLS      AuthType = "tls"
)

// Machine is a log processor, or an administrator's cscli, known to the Local API.
type Machine struct {
	ID            string // the name it logs in with, unique
	PasswordHash  string // bcrypt
	IPAddress     string
	Version       string
	OSName        string
	OSFamily      string
	OSVersion     string
	FeatureFlags  []string
	HubState      string // published JSON: what is installed, by type; "" when it was never reported
	Datasources   string // published JSON: how many of each type; "" when it was never reported
	Scenarios     []string
	Validated     bool
	AuthType      AuthType
	CreatedAt     time.Time
	UpdatedAt     time.Time
	LastPush      time.Time // zero: never
	LastHeartbeat time.Time // zero: never
}

// Bouncer is a remediation component known to the Local API.
type Bouncer struct {
	ID           int64
	Name         string // unique
	KeyHash      string // lower-case hex SHA-512 of the API key
	IPAddress    string
	Type         string // first part of its User-Agent
	Version      string
	OSName       string
	OSFamily     string
	OSVersion    string
	FeatureFlags []string
	AuthType     AuthType
	Revoked      bool
	AutoCreated  bool
	CreatedAt    time.Time
	UpdatedAt    time.Time
	LastPull     time.Time // zero: never
	Cursor       int64     // last change of the decision log that it was sent, 0: none
	Standing     Standing  // what it says that it enforces; zero: it says nothing
}
