package domain

import "time"

// UsageReport is what a machine or a bouncer told about itself and its work.
type UsageReport struct {
	ID         int64
	Kind       UsageKind
	From       string    // name of the machine or the bouncer
	ReceivedAt time.Time // set by the store
	PushedAt   time.Time // when it was sent to the Central API; zero: not yet
	Payload    string    // published JSON
}

// UsageKind says who reports.
type UsageKind string

// The kinds, as the database has them.
const (
	UsageLogProcessor UsageKind = "LP"
	UsageRemediation  UsageKind = "RC"
)

// AuditEntry says who changed what.
type AuditEntry struct {
	ID        int64
	At        time.Time // set by the store
	ActorKind string    // "machine", "bouncer", "cscli", "localapi"
	Actor     string    // name of the machine or the bouncer, user of the host
	Address   string    // where the request came from, "" for none
	Action    string    // verb and noun: "decisions.expire", "machine.add", "allowlist.add_items"
	Subject   string    // what it was done to: an ID, a name, a filter
	Count     int       // how many rows it concerned
}

// Node is one Local API process that shares the database.
type Node struct {
	ID        string // new at every start
	Hostname  string
	PID       int
	Address   string // where it listens
	Version   string
	StartedAt time.Time
	SeenAt    time.Time // its last sign of life
	Applied   int64     // last change of the decision log that it has in memory
	Lag       int64     // changes that were committed when it was seen last, and that it did not have in memory
	Leases    []string  // names of the leases that it holds
}
