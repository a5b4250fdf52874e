package checkpoint_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"shieldwall/internal/logprocessor/acquisition/checkpoint"
)

func options() checkpoint.Options {
	return checkpoint.Options{Log: slog.New(slog.DiscardHandler), Now: time.Now}
}

func open(tb testing.TB, path string) *checkpoint.Store {
	tb.Helper()
	store, err := checkpoint.Open(path, options())
	if err != nil {
		tb.Fatal(err)
	}
	return store
}

func take(tb testing.TB, store *checkpoint.Store) *checkpoint.Cursor[int] {
	tb.Helper()
	cursor, err := checkpoint.Take[int](store, "k")
	if err != nil {
		tb.Fatal(err)
	}
	return cursor
}

func saved(tb testing.TB, path string) (int, bool) {
	tb.Helper()
	stop, ok := take(tb, open(tb, path)).Last()
	return stop.Position, ok
}

// The law: what the file holds is the newest position up to which everything has been acknowledged, and
// Last is the newest issued one; both with the time when it was issued or last confirmed.
func TestCommitsTheLowWaterMark(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		path := filepath.Join(dir, fmt.Sprint(runs))
		clock := time.Unix(0, 0).UTC()
		store, err := checkpoint.Open(path, checkpoint.Options{
			Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return clock },
		})
		if err != nil {
			t.Fatal(err)
		}
		cursor, err := checkpoint.Take[int](store, "k")
		if err != nil {
			t.Fatal(err)
		}
		var leases []*checkpoint.Lease[int]
		var acked []bool
		var at []time.Time
		stop := func(i int) checkpoint.Stop[int] { return checkpoint.Stop[int]{Position: i, At: at[i]} }
		t.Repeat(map[string]func(*rapid.T){
			"issue": func(*rapid.T) {
				leases = append(leases, cursor.Issue(len(leases)))
				acked = append(acked, false)
				at = append(at, clock)
			},
			"confirm": func(*rapid.T) {
				cursor.Confirm()
				if len(at) > 0 {
					at[len(at)-1] = clock
				}
			},
			"ack": func(t *rapid.T) {
				if len(leases) == 0 {
					t.Skip("nothing issued")
				}
				i := rapid.IntRange(0, len(leases)-1).Draw(t, "lease")
				if acked[i] {
					t.Skip("already acknowledged")
				}
				leases[i].Ack()
				acked[i] = true
			},
			"withdraw": func(t *rapid.T) {
				newest := len(leases) - 1
				if newest < 0 || acked[newest] {
					t.Skip("nothing to withdraw")
				}
				leases[newest].Withdraw()
				leases, acked, at = leases[:newest], acked[:newest], at[:newest]
			},
			"": func(t *rapid.T) {
				defer func() { clock = clock.Add(time.Minute) }()
				if err := store.Flush(); err != nil {
					t.Fatal(err)
				}
				want := -1
				for want+1 < len(acked) && acked[want+1] {
					want++
				}
				reopened, err := checkpoint.Open(path, options())
				if err != nil {
					t.Fatal(err)
				}
				again, err := checkpoint.Take[int](reopened, "k")
				if err != nil {
					t.Fatal(err)
				}
				if got, ok := again.Last(); ok != (want >= 0) || ok && got != stop(want) {
					t.Fatalf("saved %v, %v; want %d", got, ok, want)
				}
				if got, ok := cursor.Last(); ok != (len(leases) > 0) || ok && got != stop(len(leases)-1) {
					t.Fatalf("last %v, %v; want %d", got, ok, len(leases)-1)
				}
			},
		})
	})
}

func TestReloadContinuesWhereTheOldSourceStopped(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "checkpoints.json")
	store := open(t, path)
	old := take(t, store)
	old.Set(1)
	unacknowledged := old.Issue(2)
	if _, err := checkpoint.Take[int](store, "k"); !errors.Is(err, checkpoint.ErrTaken) {
		t.Fatalf("second Take: %v, want ErrTaken", err)
	}
	old.Release()

	next := take(t, store)
	if got, ok := next.Last(); !ok || got.Position != 2 {
		t.Fatalf("continues at %v, %v; want 2", got, ok)
	}
	next.Issue(3).Ack()
	if err := store.Flush(); err != nil {
		t.Fatal(err)
	}
	if got, _ := saved(t, path); got != 1 {
		t.Fatalf("saved %d before the old source's line was safe, want 1", got)
	}
	unacknowledged.Ack()
	if err := store.Flush(); err != nil {
		t.Fatal(err)
	}
	if got, _ := saved(t, path); got != 3 {
		t.Fatalf("saved %d, want 3", got)
	}
}

func TestUntakenPositionsSurviveAFlush(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "checkpoints.json")
	store := open(t, path)
	take(t, store).Set(7)
	if err := store.Flush(); err != nil {
		t.Fatal(err)
	}
	store = open(t, path)
	other, err := checkpoint.Take[int](store, "other")
	if err != nil {
		t.Fatal(err)
	}
	other.Set(1)
	if err := store.Flush(); err != nil {
		t.Fatal(err)
	}
	if got := checkpoint.Stops[int](open(t, path), ""); len(got) != 2 || got["k"].Position != 7 || got["other"].Position != 1 {
		t.Fatalf("stops %v, want k at 7 and other at 1", got)
	}
}

// A log that is quiet is confirmed all the time; the file is written now and then.
func TestConfirmationsAreWrittenNowAndThen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "checkpoints.json")
	clock := time.Unix(0, 0).UTC()
	store, err := checkpoint.Open(path, checkpoint.Options{
		Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return clock },
	})
	if err != nil {
		t.Fatal(err)
	}
	cursor := take(t, store)
	cursor.Confirm() // of no position
	cursor.Set(1)
	writes := 0
	var before time.Time
	for range 60 {
		if err := store.Flush(); err != nil {
			t.Fatal(err)
		}
		stop, _ := take(t, open(t, path)).Last()
		if clock.Sub(stop.At) > 15*time.Second {
			t.Fatalf("at %v the file says %v", clock, stop.At)
		}
		if !stop.At.Equal(before) {
			writes++
		}
		before, clock = stop.At, clock.Add(time.Second)
		cursor.Confirm()
	}
	if writes != 4 {
		t.Fatalf("%d writes in a minute, want 4", writes)
	}
}

func TestDamagedFileIsSetAside(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"not json":      "{\x00",
		"half a file":   `{"version":1,"positions":{"k":{"upd`,
		"other version": `{"version":99,"positions":{}}`,
		"empty":         "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "checkpoints.json")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			store := open(t, path)
			cursor := take(t, store)
			if got, ok := cursor.Last(); ok {
				t.Fatalf("position %v from a damaged file", got)
			}
			cursor.Set(5)
			if err := store.Flush(); err != nil {
				t.Fatal(err)
			}
			if got, _ := saved(t, path); got != 5 {
				t.Fatalf("saved %d, want 5", got)
			}
			if kept, err := os.ReadFile(path + ".corrupt"); err != nil || string(kept) != content {
				t.Fatalf("kept %q, %v", kept, err)
			}
		})
	}
}

func TestPositionOfAnotherTypeIsIgnored(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "checkpoints.json")
	text := `{"version":1,"positions":{"k":{"updated":"2026-01-01T00:00:00Z","position":"text"}}}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, ok := saved(t, path); ok {
		t.Fatalf("position %d out of a text", got)
	}
}

func TestOldestPositionsAreForgotten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "checkpoints.json")
	clock := time.Unix(0, 0)
	store, err := checkpoint.Open(path, checkpoint.Options{
		Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { clock = clock.Add(time.Second); return clock },
	})
	if err != nil {
		t.Fatal(err)
	}
	const total = 10_010
	for i := range total {
		cursor, err := checkpoint.Take[int](store, fmt.Sprint(i))
		if err != nil {
			t.Fatal(err)
		}
		cursor.Set(i)
		if i != 0 { // the first one stays in use, and therefore stays
			cursor.Release()
		}
	}
	if err := store.Flush(); err != nil {
		t.Fatal(err)
	}
	positions := checkpoint.Stops[int](open(t, path), "")
	_, first := positions["0"]
	_, second := positions["1"]
	_, newest := positions[fmt.Sprint(total-1)]
	if len(positions) != 10_000 || !first || second || !newest {
		t.Fatalf("%d kept, first %v, second %v, newest %v", len(positions), first, second, newest)
	}
}

func TestRunSavesAtIntervalsAndAtTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "checkpoints.json")
		store := open(t, path)
		cursor := take(t, store)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- store.Run(ctx, 3*time.Second) }()
		cursor.Set(1)
		time.Sleep(2 * time.Second)
		if _, err := os.Stat(path); err == nil {
			t.Fatal("written before the interval")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got, _ := saved(t, path); got != 1 {
			t.Fatalf("saved %d after the interval, want 1", got)
		}
		cursor.Set(2)
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if got, _ := saved(t, path); got != 2 {
			t.Fatalf("saved %d at the end, want 2", got)
		}
	})
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(`{"version":1,"positions":{"k":{"updated":"2026-01-01T00:00:00Z","position":7}}}`))
	f.Add([]byte(`{"version":1,"positions":null}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "checkpoints.json")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		store := open(t, path)
		take(t, store).Set(42)
		if err := store.Flush(); err != nil {
			t.Fatal(err)
		}
		if got, _ := saved(t, path); got != 42 {
			t.Fatalf("saved %d, want 42", got)
		}
	})
}
