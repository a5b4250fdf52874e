package localapi_test

import (
	"context"
	"testing"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi"
	"shieldwall/internal/localapi/store"
)

// TestPresenceIsStored: how far a bouncer got a moment after it was told, and the rest at the end at the latest.
func TestPresenceIsStored(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(cfg *localapi.Config) { cfg.Listen = "127.0.0.1:0" })
	m, b := f.machine("m1"), f.bouncer()
	if err := f.server.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.server.Serve(ctx) }()
	f.call("POST", "/v1/alerts", "["+banJSON("192.0.2.1", "1h")+"]", m...)
	f.call("GET", "/v1/decisions/stream", "", b...)
	told := f.clock()
	for deadline := time.Now().Add(patience); f.stored().Cursor != 1; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("stored %+v", f.stored())
		}
	}
	if row := f.stored(); !row.LastPull.Equal(told) {
		t.Errorf("last pull %v", row.LastPull)
	}
	f.wait(time.Minute)
	f.call("GET", "/v1/decisions/stream", "", b...)
	f.call("GET", "/v1/heartbeat", "", m...)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	machine, err := f.store.Machine(t.Context(), "m1")
	if err != nil || !machine.LastPush.Equal(told) || !machine.LastHeartbeat.Equal(f.clock()) {
		t.Errorf("stored %+v, %v", machine, err)
	}
	if row := f.stored(); !row.LastPull.Equal(f.clock()) || row.Cursor != 1 {
		t.Errorf("stored %+v", row)
	}
}

// stored is the bouncer as the database has it.
func (f *fixture) stored() domain.Bouncer {
	f.t.Helper()
	rows, err := f.store.Bouncers(f.t.Context(), store.BouncerFilter{Name: "b1"})
	if err != nil || len(rows) != 1 {
		f.t.Fatalf("%d bouncers, %v", len(rows), err)
	}
	return rows[0]
}
