// Package storetest is the executable contract of package store.
//
// Every implementation runs it in its own tests and is done when it passes. It promises to need nothing but
// the interfaces and a clock it controls, and to compare times to the microsecond, which is what the coarsest
// engine keeps. It refuses to look into a database.
package storetest

import (
	"reflect"
	"sync"
	"testing"
	"time"

	"shieldwall/internal/localapi/store"
)

// Store is everything that an implementation offers.
type Store interface {
	store.Machines
	store.Bouncers
	store.Alerts
	store.Decisions
	store.ChangeLog
	store.Allowlists
	store.Usage
	store.Replicas
	store.Presence
	store.Audit
	store.Housekeeping
}

// Open returns a new, empty store that takes its time from now. It ends with the test.
type Open func(t *testing.T, now func() time.Time) Store

// Run checks the whole contract.
func Run(t *testing.T, open Open) {
	t.Helper()
	for name, check := range map[string]func(*fixture){
		"machine keeps every field":                     machineRoundTrip,
		"machine is updated field by field":             machineUpdate,
		"machine names are unique":                      machineExists,
		"machines that are missing":                     machineMissing,
		"machines in the order of insertion":            machineOrder,
		"deleted machine leaves its alerts":             machineDeleted,
		"bouncer keeps every field":                     bouncerRoundTrip,
		"bouncer is updated field by field":             bouncerUpdate,
		"bouncer is claimed once":                       bouncerClaim,
		"bouncer names are unique":                      bouncerExists,
		"bouncers that are missing":                     bouncerMissing,
		"bouncers by name and key":                      bouncerFilters,
		"alert keeps every field":                       alertRoundTrip,
		"alert without owner, events and decisions":     alertMinimal,
		"alert that is missing":                         alertMissing,
		"alerts are stored once by UUID":                alertIdempotence,
		"alerts without UUID are different":             alertWithoutUUID,
		"alerts are stored all or none":                 alertAllOrNone,
		"alerts with odd texts":                         alertOddTexts,
		"alerts with odd times":                         alertOddTimes,
		"alert filters":                                 alertFilters,
		"alerts sorted and limited":                     alertOrder,
		"alerts are counted by scenario":                alertCount,
		"alerts without their decisions":                alertNoDecisions,
		"many alerts keep their own children":           alertMany,
		"alerts are deleted with what they own":         alertDelete,
		"alerts are deleted whatever the limit":         alertDeleteIgnoresLimit,
		"decisions inherit the simulation of the alert": decisionSimulated,
		"decision filters":                              decisionFilters,
		"decisions expire by filter":                    decisionExpiry,
		"decisions expire by ID, expired ones too":      decisionExpiryByID,
		"empty log": changesOfNothing,
		"log tells additions and removals in order":     changesInOrder,
		"removal carries a decision that is gone":       changesOfDeletedAlert,
		"removal of what was not active is not logged":  changesOfInactive,
		"snapshot holds what is active":                 snapshotActive,
		"allowlist keeps every field":                   allowlistRoundTrip,
		"allowlist names are unique":                    allowlistExists,
		"allowlists that are missing":                   allowlistMissing,
		"values are in an allowlist once":               allowlistItemsOnce,
		"allowlist refuses what is no address":          allowlistInvalidItem,
		"allowlist items are removed from one list":     allowlistRemoval,
		"every change of allowlists moves the revision": allowlistRevision,
		"usage reports keep every field":                usageRoundTrip,
		"usage report tells about its sender":           usageSender,
		"usage report of nobody":                        usageOfNobody,
		"lease is held by one":                          leaseHeldByOne,
		"lease runs out":                                leaseRunsOut,
		"lease is given back":                           leaseReleased,
		"nodes and their leases":                        nodeRoundTrip,
		"nodes lag behind the change log":               nodeLag,
		"many machines and bouncers are updated":        presenceOfMany,
		"audit log keeps every field":                   auditRoundTrip,
		"flush of alerts":                               flushAlerts,
		"flush of more than a batch":                    flushBatches,
		"flush by age":                                  flushAges,
		"flush of idle machines and bouncers":           flushIdle,
		"flush of the change log":                       flushChanges,
		"cancelled calls end":                           cancelled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(newFixture(t, open))
		})
	}
	t.Run("followers hold the active set", func(t *testing.T) {
		t.Parallel()
		RunFollowers(t, open)
	})
}

// fixture is a store under test, its clock, and the test.
type fixture struct {
	Store

	t     *testing.T
	clock *clock
}

func newFixture(t *testing.T, open Open) *fixture {
	t.Helper()
	c := newClock()
	return &fixture{Store: open(t, c.Now), t: t, clock: c}
}

func newClock() *clock {
	return &clock{now: time.Date(2030, time.January, 2, 3, 4, 5, 123_456_000, time.UTC)}
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}

// tester is what assertions need of a *testing.T or a *rapid.T.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
}

func equal[T any](t tester, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

func succeed(t tester, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}
