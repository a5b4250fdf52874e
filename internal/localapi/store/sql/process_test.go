package sql_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/localapi/store/sql"
)

// Where these are set, the test binary is another process that writes to the same database.
const (
	childPath  = "SHIELDWALL_TEST_CHILD_PATH"
	childCount = "SHIELDWALL_TEST_CHILD_COUNT"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childPath); path != "" {
		if err := childMain(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(servers.Run(m))
}

// childMain stores alerts one by one, and writes the UUID of each to standard output when it is acknowledged.
func childMain(path string) error {
	ctx := context.Background()
	count, err := strconv.Atoi(os.Getenv(childCount))
	if err != nil {
		return err
	}
	s, err := sql.Open(ctx, sql.Config{Type: "sqlite", Path: path}, discard())
	if err != nil {
		return err
	}
	for i := range count {
		if err := addWithDecision(ctx, s, "child-"+strconv.Itoa(i)); err != nil {
			return err
		}
		fmt.Println("child-" + strconv.Itoa(i))
	}
	return s.Close()
}

func addWithDecision(ctx context.Context, s *sql.Store, uuid string) error {
	_, err := s.AddAlerts(ctx, []domain.Alert{{UUID: uuid, Scenario: "s", Decisions: []domain.Decision{
		{Scope: "name", Value: uuid, Until: time.Now().Add(time.Hour)},
	}}})
	return err
}

func child(t *testing.T, path string, count int) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), childPath+"="+path, childCount+"="+strconv.Itoa(count))
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

func TestTwoProcessesWrite(t *testing.T) {
	t.Parallel()
	const count = 40
	path := newPath(t)
	command, acknowledged := child(t, path, count)
	s := open(t, sql.Config{Path: path})
	for i := range count {
		if err := addWithDecision(t.Context(), s, "parent-"+strconv.Itoa(i)); err != nil {
			t.Fatal(err)
		}
	}
	lines := 0
	for acknowledged.Scan() {
		lines++
	}
	if err := command.Wait(); err != nil || lines != count {
		t.Fatalf("the other process stored %d alerts: %v", lines, err)
	}
	changes, err := s.ChangesSince(t.Context(), 0, 1000)
	if err != nil || len(changes) != 2*count {
		t.Fatalf("%d changes, %v", len(changes), err)
	}
	for i, change := range changes {
		if change.Seq != int64(i+1) {
			t.Fatalf("change %d has number %d", i+1, change.Seq)
		}
	}
}

func TestKilledProcessLosesNothing(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	command, acknowledged := child(t, path, 1_000_000)
	var last string
	for range 25 {
		if !acknowledged.Scan() {
			t.Fatal("the other process ended")
		}
		last = acknowledged.Text()
	}
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for acknowledged.Scan() { // what it said before it died counts as well
		last = acknowledged.Text()
	}
	if err := command.Wait(); err == nil {
		t.Fatal("the other process was not killed")
	}

	s := open(t, sql.Config{Path: path})
	found, err := s.Alerts(t.Context(), store.AlertFilter{OldestFirst: true})
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := s.Snapshot(t.Context(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if len(snapshot.Decisions) != len(found) || snapshot.Seq != int64(len(found)) {
		t.Errorf("%d alerts, %d decisions, %d changes", len(found), len(snapshot.Decisions), snapshot.Seq)
	}
	known := map[string]bool{}
	for _, alert := range found {
		known[alert.UUID] = true
	}
	if !known[last] {
		t.Errorf("%s was acknowledged and is lost; %d alerts are left", last, len(found))
	}
}
