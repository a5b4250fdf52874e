package savepoint_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shieldwall/internal/logprocessor/acquisition/checkpoint"
	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/logprocessor/savepoint"
	"shieldwall/internal/wire"
)

var today = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// failer is a test or a property.
type failer interface {
	Fatalf(format string, args ...any)
}

// machine is a log processor with one log, whose lines are their numbers, and one scenario with a bucket for
// each remainder of three.
type machine struct {
	dir     string // of the journal
	home    string // of the positions
	log     *bytes.Buffer
	max     int64
	stored  map[string]string // what the Local API knows: UUIDs, and what the alerts are about
	alerts  int               // raised, the same one again included
	next    int               // number of the next line
	keeper  *savepoint.Keeper
	buckets *bucket.Store
	cursor  *checkpoint.Cursor[int]
	acks    []func()
	packer  *event.Packer
}

func newMachine(t failer, dir string) *machine {
	m := &machine{dir: filepath.Join(dir, "journal"), home: filepath.Join(dir, "home"), log: &bytes.Buffer{}, stored: map[string]string{}, packer: event.NewPacker(event.Everything())}
	for _, dir := range []string{m.dir, m.home} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatalf("%v", err)
		}
	}
	m.boot(t)
	return m
}

// overflowing holds four lines and overflows with the fifth.
func overflowing(string) *bucket.Config {
	return &bucket.Config{Kind: bucket.Leaky, Capacity: 4, Leakspeed: time.Hour, Lifetime: 5 * time.Hour, Keep: 4}
}

// boot starts from what is on disk, whatever was in memory.
func (m *machine) boot(t failer) {
	log, now := slog.New(slog.NewTextHandler(m.log, nil)), func() time.Time { return today }
	positions, err := checkpoint.Open(filepath.Join(m.home, "checkpoints.json"), checkpoint.Options{Log: log, Now: now})
	if err != nil {
		t.Fatalf("%v", err)
	}
	m.keeper, m.buckets, err = savepoint.Open(savepoint.Options{Dir: m.dir, Positions: positions, Now: now, Log: log, MaxBytes: m.max})
	if err != nil {
		t.Fatalf("%v", err)
	}
	m.buckets.Retain(overflowing)
	if m.cursor, err = checkpoint.Take[int](positions, "log"); err != nil {
		t.Fatalf("%v", err)
	}
	stop, _ := m.cursor.Last()
	m.next, m.acks = stop.Position, nil
}

// read reads so many lines.
func (m *machine) read(count int) {
	for range count {
		m.pour(m.next)
		m.next++
		m.acks = append(m.acks, m.cursor.Issue(m.next).Ack)
	}
}

func (m *machine) pour(number int) {
	group := fmt.Sprint(number % 3)
	for _, result := range m.put(group, fmt.Sprint(number)) {
		if result.Outcome == bucket.Overflow {
			m.raise(group, result.State.Kept)
		}
	}
}

// put pours a line into the bucket of a group.
func (m *machine) put(group, raw string) []bucket.Result {
	evt := event.New(event.Line{Raw: raw}, event.Live)
	in := bucket.Input{Kept: m.packer.Pack(evt), Clock: evt.ExpectMode, At: today}
	return m.buckets.Family("s", overflowing("")).Pour(group, in)
}

// raise stores an alert like the Local API, each UUID once.
func (m *machine) raise(group string, queue []event.Packed) {
	evt := event.New(event.Line{}, event.Live)
	evt.Overflow = event.RuntimeAlert{Mapkey: "s" + group, APIAlerts: []*wire.Alert{{Source: &wire.Source{Value: group}}}}
	m.keeper.Name(evt)
	m.alerts++
	var lines []string
	for _, one := range queue {
		lines = append(lines, one.Unpack().Line.Raw)
	}
	m.stored[evt.Overflow.APIAlerts[0].UUID] = strings.Join(lines, " ")
}

func (m *machine) save() error {
	acks := m.acks
	m.acks = nil
	return m.keeper.Save(acks)
}

// known lists what the stored alerts are about.
func (m *machine) known() []string { return slices.Sorted(maps.Values(m.stored)) }

// undisturbed lists the alerts of so many lines.
func undisturbed(lines int) []string {
	var about []string
	for group := range 3 {
		var queue []string
		for number := group; number < lines; number += 3 {
			if queue = append(queue, fmt.Sprint(number)); len(queue) == 5 {
				about = append(about, strings.Join(queue, " "))
				queue = nil
			}
		}
	}
	slices.Sort(about)
	return about
}

// TestNothingIsLostOrCountedTwice however often, and whenever, the machine stops or is killed.
func TestNothingIsLostOrCountedTwice(t *testing.T) {
	t.Parallel()
	root, runs := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		m := newMachine(t, filepath.Join(root, fmt.Sprint(runs)))
		t.Repeat(map[string]func(*rapid.T){
			"read": func(t *rapid.T) { m.read(rapid.IntRange(1, 10).Draw(t, "lines")) },
			"save": func(t *rapid.T) {
				if err := m.save(); err != nil {
					t.Fatal(err)
				}
			},
			"stop": func(t *rapid.T) {
				read := m.next
				if err := m.save(); err != nil {
					t.Fatal(err)
				}
				m.boot(t)
				if m.next != read {
					t.Fatalf("goes on with line %d instead of %d", m.next, read)
				}
			},
			"kill": func(t *rapid.T) {
				read := m.next
				m.boot(t)
				m.read(read - m.next)
			},
			"": func(t *rapid.T) {
				if got, want := m.known(), undisturbed(m.next); !slices.Equal(got, want) {
					t.Fatalf("after %d lines the alerts are\n%q\ninstead of\n%q", m.next, got, want)
				}
			},
		})
	})
}

// TestKilledWhileSaving leaves what a save point has written before its commit: the journal is longer than what
// counts, or there is a second one.
func TestKilledWhileSaving(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir())
	for _, reading := range []int{4, 7, 1, 1, 3, 5} {
		before := contents(t, m.dir, m.home)
		m.read(reading)
		if err := m.save(); err != nil {
			t.Fatal(err)
		}
		read, after := m.next, contents(t, m.dir, m.home)
		for path, text := range before {
			if _, there := after[path]; there && strings.HasPrefix(path, m.dir) {
				continue
			}
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		m.boot(t)
		m.read(read - m.next)
		if got, want := m.known(), undisturbed(read); !slices.Equal(got, want) {
			t.Errorf("%d lines: alerts %q, want %q", read, got, want)
		}
		for range 2 {
			m.read(1)
			if err := m.save(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if strings.Contains(m.log.String(), "level=WARN") {
		t.Errorf("log:\n%s", m.log)
	}
}

// contents reads all files of folders.
func contents(t *testing.T, folders ...string) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	for _, folder := range folders {
		paths, err := filepath.Glob(filepath.Join(folder, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if found[path], err = os.ReadFile(path); err != nil {
				t.Fatal(err)
			}
		}
	}
	return found
}

func TestDiskThatFailsDelaysSavePoints(t *testing.T) {
	t.Parallel()
	for name, folder := range map[string]func(*machine) string{
		"of the journal":   func(m *machine) string { return m.dir },
		"of the positions": func(m *machine) string { return m.home },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, t.TempDir())
			m.read(4)
			if err := m.save(); err != nil {
				t.Fatal(err)
			}
			away := folder(m) + ".away"
			for range 3 { // the second time there is something to make up for
				rename(t, folder(m), away)
				m.read(4)
				if err := m.save(); err == nil {
					t.Fatal("saved to nowhere")
				}
				m.read(4)
				if err := m.save(); err == nil {
					t.Fatal("saved to nowhere")
				}
				rename(t, away, folder(m))
				m.read(2)
				if err := m.save(); err != nil {
					t.Fatal(err)
				}
				read := m.next
				if m.boot(t); m.next != read {
					t.Fatalf("goes on with line %d instead of %d", m.next, read)
				}
			}
			if got, want := m.known(), undisturbed(m.next); !slices.Equal(got, want) {
				t.Errorf("alerts %q, want %q", got, want)
			}
		})
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func TestNothingChangesAfterAbandon(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir())
	m.read(4)
	if err := m.save(); err != nil {
		t.Fatal(err)
	}
	m.read(4)
	m.keeper.Abandon()
	if err := m.save(); err != nil {
		t.Fatal(err)
	}
	if m.boot(t); m.next != 4 || m.buckets.Len() != 3 {
		t.Errorf("goes on with line %d and %d buckets", m.next, m.buckets.Len())
	}
}

func TestDamagedJournalIsSetAside(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func([]byte) []byte{
		"gone":          nil,
		"empty":         func([]byte) []byte { return nil },
		"shorter":       func(text []byte) []byte { return text[:len(text)-1] },
		"a flipped bit": func(text []byte) []byte { text[len(text)/2] ^= 1; return text },
		"another text":  func(text []byte) []byte { return bytes.Replace(text, []byte("s"), []byte("t"), 1) },
		"other content": func(text []byte) []byte { return bytes.Repeat([]byte("\n"), len(text)) },
		"the layout of another version": func(text []byte) []byte {
			return bytes.Replace(text, []byte("buckets 2 "), []byte("buckets 3 "), 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, t.TempDir())
			m.read(4)
			if err := m.save(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(m.dir, "buckets-1.journal")
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if damage == nil {
				err = os.Remove(path)
			} else {
				err = os.WriteFile(path, damage(text), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			m.boot(t)
			if m.buckets.Len() != 0 || m.next != 4 || !strings.Contains(m.log.String(), "level=WARN") {
				t.Errorf("%d buckets, goes on with line %d, log:\n%s", m.buckets.Len(), m.next, m.log)
			}
			if _, err := os.Stat(path + ".corrupt"); err != nil && damage != nil {
				t.Error(err)
			}
			m.read(3)
			if err := m.save(); err != nil {
				t.Fatal(err)
			}
			if m.boot(t); m.buckets.Len() != 3 || m.next != 7 {
				t.Errorf("later: %d buckets, goes on with line %d", m.buckets.Len(), m.next)
			}
		})
	}
}

// TestFormerJournalIsSetAside: the first version wrote JSON, in files of another name.
func TestFormerJournalIsSetAside(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir())
	m.read(4)
	if err := m.save(); err != nil {
		t.Fatal(err)
	}
	positions := filepath.Join(m.home, "checkpoints.json")
	text, err := os.ReadFile(positions)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte("buckets-1.journal"), []byte("buckets-1.jsonl"))
	former := filepath.Join(m.dir, "buckets-1.jsonl")
	if err := errors.Join(os.WriteFile(positions, text, 0o600), os.WriteFile(former, []byte(`{"buckets":1}`), 0o600)); err != nil {
		t.Fatal(err)
	}
	m.boot(t)
	if m.buckets.Len() != 0 || m.next != 4 || strings.Count(m.log.String(), "level=WARN") != 1 {
		t.Errorf("%d buckets, goes on with line %d, log:\n%s", m.buckets.Len(), m.next, m.log)
	}
	if _, err := os.Stat(former + ".corrupt"); err != nil {
		t.Error(err)
	}
}

// TestJournalStaysSmall however much happens, and one file is all there is.
func TestJournalStaysSmall(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir())
	raw := strings.Repeat("x", 1<<20)
	for i := range 60 {
		m.put(fmt.Sprint(i), raw)
		if i > 1 {
			m.buckets.Retain(func(string) *bucket.Config { return nil })
		}
		if err := m.keeper.Save(nil); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(m.dir, "*"))
		if err != nil || len(files) != 1 {
			t.Fatalf("%q, %v", files, err)
		}
		if info, err := os.Stat(files[0]); err != nil || info.Size() > 20<<20 {
			t.Fatalf("%d bytes, %v", info.Size(), err)
		}
	}
}

func TestTooManyBucketsAreGivenUp(t *testing.T) {
	t.Parallel()
	m := newMachine(t, t.TempDir())
	m.max = 1000
	m.boot(t)
	m.read(3)
	if err := m.save(); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		m.put(fmt.Sprint("more", i), "a")
	}
	m.boot(t)
	if m.buckets.Len() != 3 {
		t.Fatalf("%d buckets", m.buckets.Len())
	}
	for i := range 100 {
		m.put(fmt.Sprint("more", i), "a")
	}
	m.read(1)
	for range 2 {
		if err := m.save(); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Count(m.log.String(), "too many live buckets") != 1 {
		t.Errorf("log:\n%s", m.log)
	}
	if m.boot(t); m.buckets.Len() != 0 || m.next != 4 {
		t.Errorf("%d buckets, goes on with line %d", m.buckets.Len(), m.next)
	}
}
