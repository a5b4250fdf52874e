package dryrun_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/platform/logging"
	"shieldwall/internal/remediation"
	"shieldwall/internal/remediation/backendtest"
	"shieldwall/internal/remediation/dryrun"
	"shieldwall/internal/wire"
)

func TestContents(t *testing.T) {
	t.Parallel()
	backendtest.Contents(t, func(t *testing.T) backendtest.Opener {
		t.Helper()
		backend := dryrun.New(time.Now, slog.New(slog.DiscardHandler))
		return func(*testing.T) backendtest.Subject { return backend }
	})
}

// The texts are published: scripts look for them.
func TestSaysWhatItWouldDo(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	backend := dryrun.New(time.Now, logging.New(&out, logging.Options{}))
	desired := remediation.NewDesired(remediation.Filter{Types: []string{"ban"}, IPv4: true})
	for _, value := range []string{"192.0.2.1", "198.51.100.0/24"} {
		if _, _, err := desired.Add(wire.Decision{Value: value, Scope: "ip", Type: "ban", Duration: "1h"}, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	apply := func() {
		enforced, err := backend.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := backend.Apply(t.Context(), remediation.Compare(desired, enforced, time.Now())); err != nil {
			t.Fatal(err)
		}
	}
	apply()
	if _, _, err := desired.Remove(wire.Decision{Value: "192.0.2.1", Scope: "ip", Type: "ban"}); err != nil {
		t.Fatal(err)
	}
	apply()
	if _, err := backend.Counters(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := backend.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"backend type: dry-run", "backend.Init() called", "backend.Add() called with 192.0.2.1",
		"backend.Add() called with 198.51.100.0/24", "backend.Commit() called", "backend.Delete() called with 192.0.2.1",
		"backend.CollectMetrics() called", "backend.ShutDown() called",
	} {
		if !strings.Contains(out.String(), `msg="`+want+`"`) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
}
