package remediation

import (
	"context"
	"time"
)

// Backend enforces elements: a firewall, or something that only says what it would do. The contract suite is
// in the package backendtest. A Backend is used by one goroutine at a time, except for Counters.
type Backend interface {
	// Check reports whether the backend could work here. It changes nothing, so it may be called beside a
	// running instance.
	Check(ctx context.Context) error
	// Read returns what is enforced now, also what an earlier process or somebody else left. The caller
	// owns the answer.
	Read(ctx context.Context) (Enforced, error)
	// Apply performs plan and, where plan says Repair or Create, completes everything around the sets. What
	// is in force and stays is never interrupted. After an error some or nothing of plan was performed.
	Apply(ctx context.Context, plan Plan) error
	// Counters returns the traffic counted so far.
	Counters(ctx context.Context) ([]Counter, error)
	// Remove takes everything out of force that the backend owns.
	Remove(ctx context.Context) error
}

// Traits are what a backend does in its own way.
type Traits struct {
	Group     func(origin string, ipv6 bool) string // what it keeps together; nil: every origin by itself
	Prefixes  bool                                  // ranges have to be prefixes
	Timeless  bool                                  // elements do not end by themselves
	Longest   time.Duration                         // that an element can be given; 0: any
	Tolerance time.Duration                         // how far apart the same end may be; 0: as on the wire
}

// Counter is traffic that was counted since the backend's objects exist.
type Counter struct {
	Dropped bool   // by the elements of Group; otherwise all that passed by
	Group   string // as in Set; empty unless Dropped
	IPv6    bool
	Packets uint64
	Bytes   uint64
}

// Active is the number of elements in force.
type Active struct {
	Group string // as in Set
	IPv6  bool
	Count int
}
