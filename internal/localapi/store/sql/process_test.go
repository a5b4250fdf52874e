package sql_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/localapi/store/sql"
	"shieldwall/internal/localapi/store/sql/dbtest"
)

// childJob, where it is set, makes the test binary another process that writes to the same database.
const childJob = "SHIELDWALL_TEST_CHILD"

// job is what a child does.
type job struct {
	Type  string `json:"type"` // of the database, and so on
	Path  string `json:"path"`
	User  string `json:"user"`
	DB    string `json:"db"`
	Name  string `json:"name"` // begins the UUIDs of its alerts
	Count int    `json:"count"`
}

func TestMain(m *testing.M) {
	if text := os.Getenv(childJob); text != "" {
		if err := childMain(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(servers.Run(m))
}

// childMain stores alerts one by one, and writes the UUID of each to standard output when it is acknowledged.
func childMain(text string) error {
	var work job
	if err := json.Unmarshal([]byte(text), &work); err != nil {
		return err
	}
	ctx := context.Background()
	s, err := sql.Open(ctx, sql.Config{Type: work.Type, Path: work.Path, User: work.User, Name: work.DB}, discard())
	if err != nil {
		return err
	}
	for i := range work.Count {
		uuid := work.Name + "-" + strconv.Itoa(i)
		if err := addWithDecision(ctx, s, uuid); err != nil {
			return err
		}
		fmt.Println(uuid)
	}
	return s.Close()
}

func addWithDecision(ctx context.Context, s *sql.Store, uuid string) error {
	_, err := s.AddAlerts(ctx, []domain.Alert{{UUID: uuid, Scenario: "s", Decisions: []domain.Decision{
		{Scope: "name", Value: uuid, Until: time.Now().Add(time.Hour)},
	}}})
	return err
}

func child(t *testing.T, cfg sql.Config, name string, count int) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	text, err := json.Marshal(job{Type: cfg.Type, Path: cfg.Path, User: cfg.User, DB: cfg.Name, Name: name, Count: count})
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), childJob+"="+string(text))
	command.Stderr = os.Stderr
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	return command, bufio.NewScanner(output)
}

// The first processes on an empty database create it at the same time, write at the same time, and their entries in
// the log have each number once.
func TestProcessesWrite(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, fresh func(testing.TB) sql.Config) {
		t.Helper()
		const count, children = 20, 3
		cfg := fresh(t)
		var commands []*exec.Cmd
		var outputs []*bufio.Scanner
		for i := range children {
			command, output := child(t, cfg, "child"+strconv.Itoa(i), count)
			commands, outputs = append(commands, command), append(outputs, output)
		}
		s := openAny(t, cfg)
		seen := map[string]bool{}
		var seq int64
		follow := func() {
			changes, err := s.ChangesSince(t.Context(), seq, 7)
			if err != nil {
				t.Fatal(err)
			}
			for _, change := range changes {
				if change.Seq != seq+1 {
					t.Fatalf("change %d comes after %d", change.Seq, seq)
				}
				seq = change.Seq
				seen[change.Decision.Value] = true
			}
		}
		for i, output := range outputs {
			for output.Scan() {
				follow()
			}
			if err := commands[i].Wait(); err != nil {
				t.Fatalf("process %d: %v", i, err)
			}
		}
		for last := int64(-1); last < seq; {
			last = seq
			follow()
		}
		if len(seen) != count*children {
			t.Errorf("%d decisions of %d were seen", len(seen), count*children)
		}
	})
}

func TestKilledProcessLosesNothing(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, fresh func(testing.TB) sql.Config) {
		t.Helper()
		cfg := fresh(t)
		command, output := child(t, cfg, "child", 1_000_000)
		var acknowledged []string
		for range 25 {
			if !output.Scan() {
				t.Fatal("the other process ended")
			}
			acknowledged = append(acknowledged, output.Text())
		}
		if err := command.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for output.Scan() { // what it said before it died counts as well
			acknowledged = append(acknowledged, output.Text())
		}
		if err := command.Wait(); err == nil {
			t.Fatal("the other process was not killed")
		}
		checkStored(t, openAny(t, cfg), acknowledged)
	})
}

// checkStored checks that what was acknowledged is there, and that alerts, decisions and log agree.
func checkStored(t *testing.T, s *sql.Store, acknowledged []string) {
	t.Helper()
	found, err := s.Alerts(t.Context(), store.AlertFilter{})
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := s.Snapshot(t.Context(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	changes, err := s.ChangesSince(t.Context(), 0, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	if len(snapshot.Decisions) != len(found) || len(changes) != len(found) || snapshot.Seq != int64(len(found)) {
		t.Errorf("%d alerts, %d decisions, %d changes up to %d", len(found), len(snapshot.Decisions), len(changes), snapshot.Seq)
	}
	known := map[string]bool{}
	for _, alert := range found {
		known[alert.UUID] = true
	}
	for _, uuid := range acknowledged {
		if !known[uuid] {
			t.Errorf("%s was acknowledged and is lost; %d alerts are left", uuid, len(found))
		}
	}
}

// The server is killed while clients write and a replica follows. What was acknowledged is there afterwards, refusals
// say that they are temporary, and what the replica was told is true.
func TestKilledServerLosesNothing(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB) *dbtest.Server{"mariadb": dbtest.MariaDB, "postgresql": dbtest.PostgreSQL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			cfg := configOf(server.Database(t))
			s, replica := openAny(t, cfg), openAny(t, cfg)
			load := writeUnderLoad(t, s)
			told := map[int64]string{}
			var seq int64
			for range 3 {
				for before := load.count.Load(); load.count.Load() < before+30; {
					seq = followInto(t, replica, seq, told)
				}
				server.Kill()
				server.Restart(t)
			}
			acknowledged := load.end(t)
			checkStored(t, s, acknowledged)
			changes, err := s.ChangesSince(t.Context(), 0, 1_000_000)
			if err != nil {
				t.Fatal(err)
			}
			for _, change := range changes {
				if value, ok := told[change.Seq]; ok && value != change.Decision.Value {
					t.Errorf("the replica was told that change %d is about %s, now it is about %s", change.Seq, value, change.Decision.Value)
				}
			}
			if seq > changes[len(changes)-1].Seq {
				t.Errorf("the replica was told %d changes, and there are %d", seq, len(changes))
			}
		})
	}
}

// followInto reads changes, as long as the server is there.
func followInto(t *testing.T, s *sql.Store, seq int64, told map[int64]string) int64 {
	t.Helper()
	changes, err := s.ChangesSince(t.Context(), seq, 100)
	if err != nil && !fault.Is(err, fault.Unavailable) {
		t.Fatalf("following: %v (%s)", err, fault.KindOf(err))
	}
	for _, change := range changes {
		seq = change.Seq
		told[seq] = change.Decision.Value
	}
	return seq
}

// load is clients that write until they are told to stop.
type load struct {
	group errgroup.Group
	stop  context.CancelFunc
	count atomic.Int64

	mu           sync.Mutex // guards acknowledged
	acknowledged []string
}

func writeUnderLoad(t *testing.T, s *sql.Store) *load {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	l := &load{stop: stop}
	for client := range 4 {
		l.group.Go(func() error {
			for i := 0; ctx.Err() == nil; i++ {
				if err := l.write(ctx, s, fmt.Sprintf("%d-%d", client, i)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return l
}

// write repeats what was refused for the time being, as a log processor does.
func (l *load) write(ctx context.Context, s *sql.Store, uuid string) error {
	for {
		err := addWithDecision(ctx, s, uuid)
		switch {
		case err == nil:
			l.mu.Lock()
			defer l.mu.Unlock()
			l.acknowledged = append(l.acknowledged, uuid)
			l.count.Add(1)
			return nil
		case errors.Is(err, context.Canceled) && ctx.Err() != nil:
			return nil
		case !fault.Is(err, fault.Unavailable):
			return fmt.Errorf("refused for good (%s): %w", fault.KindOf(err), err)
		}
	}
}

func (l *load) end(t *testing.T) []string {
	t.Helper()
	l.stop()
	if err := l.group.Wait(); err != nil {
		t.Error(err)
	}
	return l.acknowledged
}
