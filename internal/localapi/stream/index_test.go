package stream_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/stream"
)

type tester interface {
	Helper()
	Context() context.Context
	Fatal(args ...any)
}

func open(t tester, source stream.Log, now func() time.Time) *stream.Index {
	t.Helper()
	index, err := stream.Open(t.Context(), source, stream.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return index
}

func ids(records []stream.Record) []int64 {
	var list []int64
	for _, r := range records {
		list = append(list, r.ID())
	}
	return list
}

func at(second int) time.Time { return time.Unix(1_800_000_000+int64(second), 0).UTC() }

func ban(id int64, value string, until time.Time) domain.Decision {
	return domain.Decision{ID: id, Value: value, Type: "ban", Scope: domain.ScopeIP, Origin: "crowdsec", Until: until}
}

func follow(t *testing.T, index *stream.Index) {
	t.Helper()
	if err := index.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func check(t *testing.T, answer stream.Answer, wantNew, wantDeleted []int64) {
	t.Helper()
	if got := ids(answer.New); !slices.Equal(got, wantNew) {
		t.Errorf("new: got %v, want %v", got, wantNew)
	}
	if got := ids(answer.Deleted); !slices.Equal(got, wantDeleted) {
		t.Errorf("deleted: got %v, want %v", got, wantDeleted)
	}
}

func TestLongestOfAddressIsTold(t *testing.T) {
	t.Parallel()
	var log memoryLog
	log.add(ban(1, "192.0.2.1", at(100)))
	index := open(t, &log, func() time.Time { return at(0) })
	answer := index.Startup(stream.Filter{}, at(0))
	check(t, answer, []int64{1}, nil)

	log.add(ban(2, "192.0.2.1", at(50))) // shorter: hidden
	follow(t, index)
	answer = index.Delta(answer.Cursor, at(0), stream.Filter{}, at(1))
	check(t, answer, nil, nil)

	log.add(ban(3, "192.0.2.1", at(200))) // longer: told
	follow(t, index)
	answer = index.Delta(answer.Cursor, at(1), stream.Filter{}, at(2))
	check(t, answer, []int64{3}, nil)

	log.remove(ban(3, "192.0.2.1", at(200)), at(3)) // uncovers the first
	follow(t, index)
	answer = index.Delta(answer.Cursor, at(2), stream.Filter{}, at(3))
	check(t, answer, []int64{1}, []int64{3})
	if deleted := answer.Deleted[0].Decision(); !deleted.Until.Equal(at(3)) {
		t.Errorf("the deleted decision ends at %v", deleted.Until)
	}

	check(t, index.Delta(answer.Cursor, at(3), stream.Filter{}, at(60)), nil, nil) // 2 ended, 1 covers it
	check(t, index.Delta(answer.Cursor, at(70), stream.Filter{}, at(101)), nil, []int64{1})
	check(t, index.Delta(answer.Cursor, at(102), stream.Filter{}, at(103)), nil, []int64{1}) // overlap
	check(t, index.Delta(answer.Cursor, at(104), stream.Filter{}, at(105)), nil, nil)
}

func TestOthersDeletionsAreNotTold(t *testing.T) {
	t.Parallel()
	var log memoryLog
	log.add(ban(1, "192.0.2.1", at(100)))
	log.add(ban(2, "192.0.2.2", at(10)))
	filter := stream.Filter{Origins: []string{"lists"}}
	index := open(t, &log, func() time.Time { return at(0) })
	answer := index.Startup(filter, at(0))
	log.remove(ban(1, "192.0.2.1", at(100)), at(1))
	follow(t, index)
	check(t, index.Delta(answer.Cursor, at(0), filter, at(20)), nil, nil)
}

func TestEqualEndsAreAllTold(t *testing.T) {
	t.Parallel()
	var log memoryLog
	log.add(ban(1, "192.0.2.1", at(100)))
	log.add(ban(2, "192.0.2.1", at(100)))
	index := open(t, &log, func() time.Time { return at(0) })
	answer := index.Startup(stream.Filter{}, at(0))
	check(t, answer, []int64{1, 2}, nil)
	log.remove(ban(1, "192.0.2.1", at(100)), at(1))
	follow(t, index)
	check(t, index.Delta(answer.Cursor, at(0), stream.Filter{}, at(1)), nil, nil)
}

func TestCursorsOutsideTheHistoryStartAnew(t *testing.T) {
	t.Parallel()
	var log memoryLog
	for id := range int64(10) {
		log.add(ban(id+1, "192.0.2."+string(rune('0'+id)), at(1000)))
	}
	index, err := stream.Open(t.Context(), &log, stream.Options{History: 4, Now: func() time.Time { return at(0) }})
	if err != nil {
		t.Fatal(err)
	}
	all := []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	for _, test := range []struct {
		name   string
		cursor int64
		since  time.Time
		want   []int64
	}{
		{"never asked", 0, time.Time{}, all},
		{"too old", 5, at(0), all},
		{"oldest known", 6, at(0), []int64{7, 8, 9, 10}},
		{"newest", 10, at(0), nil},
		{"of another database", 11, at(0), all},
		{"asked before the known expiries", 10, at(-2 * 3600), all},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			answer := index.Delta(test.cursor, test.since, stream.Filter{}, at(0))
			check(t, answer, test.want, nil)
			if answer.Cursor != 10 {
				t.Errorf("cursor %d, want 10", answer.Cursor)
			}
		})
	}
}

func TestStartupNamesWhatEndedRecently(t *testing.T) {
	t.Parallel()
	var log memoryLog
	log.add(ban(1, "192.0.2.1", at(100)))
	log.add(ban(2, "192.0.2.2", at(10)))
	log.add(ban(3, "192.0.2.3", at(100)))
	log.remove(ban(1, "192.0.2.1", at(100)), at(5))
	index := open(t, &log, func() time.Time { return at(20) })
	check(t, index.Startup(stream.Filter{}, at(20)), []int64{3}, []int64{1, 2})
}

func TestRunFollowsOtherWritersAndOutlivesOutages(t *testing.T) {
	t.Parallel()
	log := memoryLog{}
	var out bytes.Buffer
	index, err := stream.Open(t.Context(), &log, stream.Options{
		Interval: time.Millisecond, Now: func() time.Time { return at(0) }, Log: slog.New(slog.NewTextHandler(&out, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	log.mu.Lock()
	log.read = make(chan struct{})
	log.mu.Unlock()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- index.Run(ctx) }()
	<-log.read
	go func() { // readers may be waiting while the writer changes the log
		log.setDown(true)
		log.add(ban(1, "192.0.2.1", at(100)))
	}()
	for range 5 {
		<-log.read
	}
	go log.setDown(false)
	for index.Seq() == 0 {
		<-log.read
	}
	go func() {
		for range log.read {
		}
	}()
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run returned %v", err)
	}
	if got := ids(index.Query(stream.Filter{}, at(0))); !slices.Equal(got, []int64{1}) {
		t.Errorf("index holds %v", got)
	}
	if got := strings.Count(out.String(), "unreachable"); got > 1 {
		t.Errorf("the outage was logged %d times:\n%s", got, out.String())
	}
}

func TestOpenAndSyncReportAnUnreachableLog(t *testing.T) {
	t.Parallel()
	log := memoryLog{}
	index := open(t, &log, time.Now)
	log.setDown(true)
	if err := index.Sync(t.Context()); !errors.Is(err, errDown) {
		t.Errorf("Sync: %v", err)
	}
	if _, err := stream.Open(t.Context(), &log, stream.Options{}); !errors.Is(err, errDown) {
		t.Errorf("Open: %v", err)
	}
}
