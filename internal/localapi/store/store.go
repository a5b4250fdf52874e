// Package store is the contract between the Local API and its database.
//
// It owns the interfaces, the filters and the change log's shape; storetest holds the suite that every
// implementation must pass, sql the implementations. Errors carry a fault kind: NotFound, Exists, Invalid,
// Unavailable. Every method is safe for concurrent use and honours its context.
package store

import (
	"context"
	"time"

	"shieldwall/internal/domain"
)

// Machines keeps log processors.
type Machines interface {
	// AddMachine adds m; CreatedAt and UpdatedAt are set by the store. Exists when the ID is taken.
	AddMachine(ctx context.Context, m domain.Machine) error
	// Machine returns the machine with the ID, NotFound without one.
	Machine(ctx context.Context, id string) (domain.Machine, error)
	// Machines returns all, in the order of insertion.
	Machines(ctx context.Context) ([]domain.Machine, error)
	// UpdateMachine changes the fields that are set; NotFound when there is no such machine.
	UpdateMachine(ctx context.Context, id string, change MachineChange) error
	// DeleteMachine removes a machine; its alerts stay, without owner. NotFound when there is none.
	DeleteMachine(ctx context.Context, id string) error
}

// MachineChange lists what to change; nil leaves a field as it is.
type MachineChange struct {
	PasswordHash  *string
	IPAddress     *string
	Version       *string
	OSName        *string
	OSVersion     *string
	Scenarios     *[]string
	Validated     *bool
	LastPush      *time.Time
	LastHeartbeat *time.Time
}

// Bouncers keeps remediation components.
type Bouncers interface {
	// AddBouncer adds b and returns it with its ID and times. Exists when the name is taken.
	AddBouncer(ctx context.Context, b domain.Bouncer) (domain.Bouncer, error)
	// Bouncers returns those that match, in the order of insertion.
	Bouncers(ctx context.Context, filter BouncerFilter) ([]domain.Bouncer, error)
	// UpdateBouncer changes the fields that are set; NotFound when there is no such bouncer.
	UpdateBouncer(ctx context.Context, id int64, change BouncerChange) error
	// DeleteBouncer removes a bouncer; NotFound when there is none.
	DeleteBouncer(ctx context.Context, id int64) error
}

// BouncerFilter selects bouncers; the zero value selects all.
type BouncerFilter struct {
	Name    string
	KeyHash string
}

// BouncerChange lists what to change; nil leaves a field as it is.
type BouncerChange struct {
	IPAddress *string // of a bouncer that has none: others are NotFound, so that of several who claim it one gets it
	Type      *string
	Version   *string
	LastPull  *time.Time
	Cursor    *int64
	Standing  *domain.Standing
}

// Alerts keeps alerts with their events, context and decisions.
type Alerts interface {
	// AddAlerts stores all alerts or none, with their decisions and the entries of the change log, in one
	// transaction. It returns their IDs in order. An alert whose UUID is stored already is not stored
	// again; its first ID is returned. CreatedAt is set by the store.
	AddAlerts(ctx context.Context, alerts []domain.Alert) ([]int64, error)
	// Alert returns one alert with everything it owns, NotFound without one.
	Alert(ctx context.Context, id int64) (domain.Alert, error)
	// Alerts returns those that match, newest first unless the filter says otherwise.
	Alerts(ctx context.Context, filter AlertFilter) ([]domain.Alert, error)
	// CountAlerts returns how many alerts match, by scenario. Limit and ordering of the filter are ignored.
	CountAlerts(ctx context.Context, filter AlertFilter) (map[string]int, error)
	// DeleteAlerts removes those that match, with their decisions, and logs the removal of the active
	// ones. Limit, ordering and WithDecisions of the filter are ignored. It returns how many alerts went.
	DeleteAlerts(ctx context.Context, filter AlertFilter, now time.Time) (int, error)
}

// AlertFilter selects alerts; the zero value selects all. Every set field must match.
type AlertFilter struct {
	IDs           []int64
	Scope         domain.Scope // of the source
	Value         string       // of the source
	Scenario      string       // of the alert or of one of its decisions
	Kind          string
	MachineID     string
	Range         domain.IPRange // a decision covers it, or is inside it when Inside is set
	Inside        bool
	StartedAfter  time.Time // started_at >= StartedAfter
	StartedBefore time.Time // started_at <= StartedBefore
	CreatedBefore time.Time // created_at <= CreatedBefore
	ExcludeSim    bool      // leaves simulated alerts out
	Active        *bool     // true: has a decision that is active at Now; false: has no decision at all
	Now           time.Time // the instant for Active
	DecisionType  string    // of one of its decisions
	Origin        string    // of one of its decisions
	ExcludeCAPI   bool      // leaves out alerts of the Central API and of lists, by their decisions' origin or source scope
	Limit         int       // 0: no limit
	OldestFirst   bool
	NoDecisions   bool // do not load decisions
}

// Decisions changes and counts decisions. They are read from the index that follows the change log.
type Decisions interface {
	// ExpireDecisions ends those that match and are active at now (with IDs set: also expired ones), logs
	// each, and returns how many.
	ExpireDecisions(ctx context.Context, filter DecisionFilter, now time.Time) (int, error)
	// Decisions returns those that match, expired ones included, by ID.
	Decisions(ctx context.Context, filter DecisionFilter) ([]domain.Decision, error)
}

// DecisionFilter selects decisions; the zero value selects all. Every set field must match.
type DecisionFilter struct {
	IDs          []int64
	UUIDs        []string
	Scope        domain.Scope
	Value        string
	Type         string
	Origin       string
	Scenario     string
	Range        domain.IPRange // the decision covers it, or is inside it when Inside is set
	Inside       bool
	CreatedSince time.Time // created_at >= CreatedSince
}

// ChangeLog is the commit-ordered history of decisions.
type ChangeLog interface {
	// Snapshot returns the decisions that are active at now, by ID, and the sequence number of the last
	// change that it includes.
	Snapshot(ctx context.Context, now time.Time) (Snapshot, error)
	// VisitActive calls visit for each decision of such a snapshot, by ID, and returns its sequence number. There may
	// be more of them than fit into the memory as they are.
	VisitActive(ctx context.Context, now time.Time, visit func(*domain.Decision)) (seq int64, err error)
	// ChangesSince returns up to limit changes with a sequence number above seq, in order. A change is
	// visible only when every change with a lower number is.
	ChangesSince(ctx context.Context, seq int64, limit int) ([]Change, error)
}

// Snapshot is a consistent view of the active decisions.
type Snapshot struct {
	Seq       int64 // 0 when nothing was ever logged
	Decisions []domain.Decision
}

// Change is one entry of the change log.
type Change struct {
	Seq      int64 // 1, 2, … with possible gaps
	Removed  bool  // false: added
	Decision domain.Decision
}

// Allowlists keeps lists of what is never banned. Every change moves the revision.
type Allowlists interface {
	// CreateAllowlist adds an empty list; Exists when the name is taken. The store sets ID and times.
	CreateAllowlist(ctx context.Context, list domain.Allowlist) (domain.Allowlist, error)
	// DeleteAllowlist removes a list with its items; NotFound when there is none.
	DeleteAllowlist(ctx context.Context, name string) error
	// Allowlists returns all lists with the items that have not expired at now, by name.
	Allowlists(ctx context.Context, now time.Time) ([]domain.Allowlist, error)
	// AddAllowlistItems adds items to a list and returns how many were new; values that it has already are
	// left as they are. NotFound when there is no such list.
	AddAllowlistItems(ctx context.Context, name string, items []domain.AllowlistItem) (int, error)
	// RemoveAllowlistItems returns how many of the values were removed. NotFound when there is no such list.
	RemoveAllowlistItems(ctx context.Context, name string, values []string) (int, error)
	// AllowlistRevision returns a number that every change of any list, in any process, makes larger.
	AllowlistRevision(ctx context.Context) (int64, error)
}

// Usage keeps what machines and bouncers report.
type Usage interface {
	// AddUsage stores a report and what it says about its sender, which must exist: NotFound otherwise.
	AddUsage(ctx context.Context, report domain.UsageReport, about UsageSender) error
	// UsageReports returns the reports received at since or later, by ID.
	UsageReports(ctx context.Context, since time.Time) ([]domain.UsageReport, error)
}

// UsageSender is what a report says about the host of a machine or a bouncer.
type UsageSender struct {
	Version      string
	OSName       string
	OSFamily     string
	OSVersion    string
	FeatureFlags []string
	HubState     string // JSON, of machines only; "" leaves what is stored
	Datasources  string // JSON, of machines only; "" leaves what is stored
}

// Replicas is how processes on one database share work.
type Replicas interface {
	// Acquire takes or renews the lease on a job for holder until now+ttl. It reports false while another
	// holder's lease has not run out. The clock is that of the database.
	Acquire(ctx context.Context, job, holder string, ttl time.Duration) (bool, error)
	// Release gives a lease back at once; nothing happens when holder does not have it.
	Release(ctx context.Context, job, holder string) error
	// SeenNode stores a sign of life of a node. It forgets nodes not seen for an hour, and those that this one has
	// replaced at their address. It returns how many committed changes the node has not applied. SeenAt, Lag and
	// Leases are set by the store.
	SeenNode(ctx context.Context, node domain.Node) (lag int64, err error)
	// ForgetNode removes a node that has ended; nothing happens when it is not there.
	ForgetNode(ctx context.Context, id string) error
	// Nodes returns the nodes seen lately, with the leases they hold, by start.
	Nodes(ctx context.Context) ([]domain.Node, error)
}

// Presence keeps when machines and bouncers were heard of. That changes with every request, so it is written for many at
// a time.
type Presence interface {
	// UpdateMachines changes the fields that are set, by the machine's ID. Machines that are gone are left out.
	UpdateMachines(ctx context.Context, changes map[string]MachineChange) error
	// UpdateBouncers changes the fields that are set, by the bouncer's ID. Bouncers that are gone are left out.
	UpdateBouncers(ctx context.Context, changes map[int64]BouncerChange) error
}

// Audit keeps who changed what.
type Audit interface {
	// AddAudit stores entries; ID and At are set by the store.
	AddAudit(ctx context.Context, entries []domain.AuditEntry) error
	// AuditEntries returns up to limit entries, newest first.
	AuditEntries(ctx context.Context, limit int) ([]domain.AuditEntry, error)
}

// Housekeeping removes what is not needed any more, in small batches, so that writers never wait long.
type Housekeeping interface {
	// Flush does one round of everything the policy asks for and returns what went.
	Flush(ctx context.Context, policy FlushPolicy) (Flushed, error)
}

// FlushPolicy says what to keep. Zero values keep everything of their kind.
type FlushPolicy struct {
	MaxAlerts        int                               // alerts beyond this number, oldest first, unless a decision of theirs is active
	MaxAlertAge      time.Duration                     // older alerts, unless a decision of theirs is active
	MaxUsageAge      time.Duration                     // older usage reports
	MaxAuditAge      time.Duration                     // older audit entries
	ExpiredAllowlist bool                              // items of allowlists that have expired
	IdleBouncers     map[domain.AuthType]time.Duration // those that have not pulled for so long; who never has stays
	IdleMachines     map[domain.AuthType]time.Duration // those without heartbeat for so long, without alerts, not local
	MaxChangeAge     time.Duration                     // older entries of the change log that nobody needs
}

// Flushed counts what a round of housekeeping removed.
type Flushed struct {
	Alerts, Events, Decisions, UsageReports, AuditEntries, AllowlistItems, Bouncers, Machines, Changes int
}
