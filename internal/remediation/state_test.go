package remediation_test

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shieldwall/internal/remediation"
	"shieldwall/internal/remediation/dryrun"
	"shieldwall/internal/wire"
)

// What was desired when a state was written is desired when it is read, but for what has ended meanwhile.
func TestStateIsReadAsWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		desired := remediation.NewDesired(filter())
		for range rapid.IntRange(0, 20).Draw(t, "decisions") {
			value := remediation.Text(rangeOf(t))
			origin := rapid.SampledFrom([]string{"crowdsec", "lists", "odd\t\"origin\"\n"}).Draw(t, "origin")
			hours := rapid.IntRange(1, 5).Draw(t, "hours")
			d := decision(value, origin, fmt.Sprint(hours, "h"))
			d.Scenario = "a-list"
			_, _, _ = desired.Add(d, epoch) // or it is neither an address nor a prefix
		}
		later := epoch.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "later")) * time.Hour)
		records, err := remediation.DecodeState(desired.EncodeState("me", epoch), "me")
		if err != nil {
			t.Fatal(err)
		}
		clock := func() time.Time { return later }
		backend := dryrun.New(clock, slog.New(slog.DiscardHandler))
		e := newEnforcer(backend, clock)
		e.Recall(records)
		if err := e.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		held, err := backend.Read(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if plan := remediation.Compare(desired, held, later); !plan.IsEmpty() {
			t.Fatalf("differs by %+v", plan)
		}
	})
}

func TestStatesThatAreNotBelieved(t *testing.T) {
	t.Parallel()
	desired := remediation.NewDesired(filter())
	if _, _, err := desired.Add(decision("192.0.2.1", "crowdsec", "1h"), epoch); err != nil {
		t.Fatal(err)
	}
	good := string(desired.EncodeState("me", epoch))
	if records, err := remediation.DecodeState([]byte(good), "me"); err != nil || len(records) != 1 {
		t.Fatalf("got %v, %v", records, err)
	}
	for name, text := range map[string]string{
		"empty":          "",
		"another owner":  strings.Replace(good, "me", "you", 1),
		"cut":            good[:len(good)-1],
		"no address":     strings.Replace(good, "192.0.2.1", "192.0.2", 1),
		"no end":         strings.Replace(good, "\n1", "\nx", 1),
		"a field less":   strings.Replace(good, "\t\"ban\"", "", 1),
		"not in quotes":  strings.Replace(good, "\"ban\"", "ban", 1),
		"something else": good + "<html>\n",
	} {
		if records, err := remediation.DecodeState([]byte(text), "me"); err == nil {
			t.Errorf("%s: believed as %+v", name, records)
		}
	}
}

func FuzzDecodeState(f *testing.F) {
	f.Add("crowdsec-firewall-bouncer state 1 \"me\"\n-\t2001:db8::/32\t\"allowlist\"\t\"\"\t\"\"\n946688400000\t192.0.2.1\t\"Ip\"\t\"ban\"\t\"CAPI\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		records, err := remediation.DecodeState([]byte(text), "me")
		if err != nil {
			return
		}
		for _, record := range records {
			if !record.Value.IsValid() {
				t.Errorf("no value in %+v", record)
			}
		}
	})
}

func TestMemory(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "state")
	run := func(e *remediation.Enforcer) {
		ctx, stop := context.WithCancel(t.Context())
		stop()
		remediation.NewMemory(e, path, "me", slog.New(slog.DiscardHandler)).Run(ctx)
	}
	e := newEnforcer(newFragile(fixed), fixed)
	must(t, e.Start(t.Context()))
	run(e)
	if _, err := os.Stat(path); err == nil {
		t.Error("something was saved that nobody has told")
	}
	snapshot(t, e, wire.DecisionsStream{New: []wire.Decision{decision("192.0.2.1", "crowdsec", "1h")}})
	must(t, e.Allow(t.Context(), []remediation.Element{{IPRange: parse(t, "192.0.2.0/24")}}))
	run(e)
	info, err := os.Stat(path)
	if err != nil || info.Mode() != fs.FileMode(0o600) {
		t.Fatalf("%v, %v", info, err)
	}

	backend := newFragile(fixed)
	second := newEnforcer(backend, fixed)
	remediation.NewMemory(second, path, "me", slog.New(slog.DiscardHandler)).Load(t.Context())
	must(t, second.Start(t.Context()))
	if holds := backend.holds(t); len(holds) != 2 || !holds["192.0.2.1"] || !holds["192.0.2.0/24"] {
		t.Errorf("holds %v", holds)
	}
}
