package tlsfiles_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"shieldwall/internal/platform/tlsfiles"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// word loads a file that holds one word; "bad" is none.
func word(path string) func() (string, error) {
	return func() (string, error) {
		text, err := os.ReadFile(path)
		if err == nil && string(text) == "bad" {
			err = errors.New("that is no word")
		}
		return string(text), err
	}
}

func TestChangedFilesAreInForceAfterTheInterval(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "word")
	write(t, path, "first")
	now := time.Unix(1_800_000_000, 0)
	var log bytes.Buffer
	watched, err := tlsfiles.Watch(tlsfiles.Options{
		Interval: 5 * time.Second, Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(&log, nil)),
	}, word(path), path, "")
	if err != nil {
		t.Fatal(err)
	}
	expect := func(after time.Duration, want string, lines int) {
		t.Helper()
		now = now.Add(after)
		if got := watched.Get(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if got := strings.Count(log.String(), "\n"); got != lines {
			t.Errorf("%d lines are logged, want %d:\n%s", got, lines, &log)
		}
	}
	expect(0, "first", 0)
	write(t, path, "the second")
	expect(4*time.Second, "first", 0)
	expect(time.Second, "the second", 1)
	expect(5*time.Second, "the second", 1)
	write(t, path, "bad")
	expect(5*time.Second, "the second", 2)
	expect(5*time.Second, "the second", 2) // said once
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	expect(5*time.Second, "the second", 3)
	write(t, path, "the third!") // as long as the second
	expect(5*time.Second, "the third!", 4)
	if !strings.Contains(log.String(), "that is no word") || !strings.Contains(log.String(), path) {
		t.Errorf("logged %s", &log)
	}
}

func TestReplacingAFileByOneOfTheSameTimeAndSizeIsSeen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, next := filepath.Join(dir, "word"), filepath.Join(dir, "next")
	write(t, path, "one")
	write(t, next, "two")
	same := time.Unix(1_800_000_000, 0)
	for _, file := range []string{path, next} {
		if err := os.Chtimes(file, same, same); err != nil {
			t.Fatal(err)
		}
	}
	now := same
	watched, err := tlsfiles.Watch(tlsfiles.Options{Now: func() time.Time { return now }}, word(path), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, path); err != nil {
		t.Fatal(err)
	}
	now = now.Add(tlsfiles.DefaultInterval)
	if got := watched.Get(); got != "two" {
		t.Errorf("got %q", got)
	}
}

func TestAFailureThatTheFilesDoNotShowIsTriedAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "word")
	write(t, path, "1")
	now := time.Unix(1_800_000_000, 0)
	var failure error
	loads := 0
	watched, err := tlsfiles.Watch(tlsfiles.Options{Now: func() time.Time { return now }}, func() (int, error) {
		loads++
		return loads, failure
	}, path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, "22")
	failure = errors.New("too many open files")
	now = now.Add(tlsfiles.DefaultInterval)
	if got := watched.Get(); got != 1 {
		t.Errorf("got %d", got)
	}
	failure = nil
	now = now.Add(tlsfiles.DefaultInterval)
	if got := watched.Get(); got != 3 {
		t.Errorf("got %d", got)
	}
}

func TestTheFirstLoadMustSucceed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "missing")
	if _, err := tlsfiles.Watch(tlsfiles.Options{}, word(path), path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestManyMayAskAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "word")
	write(t, path, "same")
	var (
		mu  sync.Mutex
		now = time.Unix(1_800_000_000, 0)
	)
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(time.Second)
		return now
	}
	watched, err := tlsfiles.Watch(tlsfiles.Options{Now: clock}, word(path), path)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 200 {
				if got := watched.Get(); got != "same" && got != "else" {
					t.Errorf("got %q", got)
				}
			}
		})
	}
	replacement := path + ".new"
	write(t, replacement, "else")
	if err := os.Rename(replacement, path); err != nil {
		t.Error(err)
	}
	group.Wait()
}
