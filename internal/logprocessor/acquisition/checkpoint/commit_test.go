package checkpoint_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"shieldwall/internal/logprocessor/acquisition/checkpoint"
)

// TestCommitSavesMarkAndPositionsTogether: whenever the file is written, it holds what Commit released with
// the mark of that Commit.
func TestCommitSavesMarkAndPositionsTogether(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "checkpoints.json")
	store := open(t, path)
	if store.Mark() != nil {
		t.Error("a new store has a mark")
	}
	cursor := take(t, store)
	flushed := make(chan error, 1)
	lease := cursor.Issue(1)
	err := store.Commit(json.RawMessage(`"one"`), func() {
		lease.Ack()
		go func() { flushed <- store.Flush() }() // must not come between
	})
	if err := errors.Join(err, <-flushed); err != nil {
		t.Fatal(err)
	}
	expectSaved(t, path, 1, `"one"`)
	cursor.Set(2)
	if err := store.Flush(); err != nil {
		t.Fatal(err)
	}
	expectSaved(t, path, 2, `"one"`)
	if err := store.Commit(json.RawMessage(`{"n":2}`), func() {}); err != nil {
		t.Fatal(err)
	}
	expectSaved(t, path, 2, `{"n":2}`)
}

func TestCommitThatCannotBeWrittenIsMadeUpFor(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "sub")
	path := filepath.Join(dir, "checkpoints.json")
	store := open(t, path)
	lease := take(t, store).Issue(7)
	if err := store.Commit(json.RawMessage(`1`), lease.Ack); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("error %v", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := store.Flush(); err != nil {
		t.Fatal(err)
	}
	expectSaved(t, path, 7, `1`)
}

func expectSaved(t *testing.T, path string, position int, mark string) {
	t.Helper()
	store := open(t, path)
	if got := compact(t, store.Mark()); got != mark {
		t.Errorf("mark %s, want %s", got, mark)
	}
	if got := checkpoint.Stops[int](store, "")["k"].Position; got != position {
		t.Errorf("position %d, want %d", got, position)
	}
}

func compact(t *testing.T, text json.RawMessage) string {
	t.Helper()
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	short, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(short)
}
