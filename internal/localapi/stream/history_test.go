package stream_test

import (
	"fmt"
	"testing"
	"time"

	"shieldwall/internal/localapi/stream"
)

// TestAllThatEndsAtOnceIsTold: however many decisions end, those who poll hear of each, and those who come much later
// are told that they have to begin anew.
func TestAllThatEndsAtOnceIsTold(t *testing.T) {
	t.Parallel()
	const many = 1000
	for name, end := range map[string]func(log *memoryLog, index *stream.Index) (later time.Time){
		"removed": func(log *memoryLog, index *stream.Index) time.Time {
			for id := range int64(many) {
				log.remove(ban(id+1, fmt.Sprint("10.0.0.", id), at(100)), at(1))
			}
			follow(t, index)
			return at(1)
		},
		"expired": func(*memoryLog, *stream.Index) time.Time { return at(100) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log memoryLog
			now := at(0)
			index, err := stream.Open(t.Context(), &log, stream.Options{History: 10, Now: func() time.Time { return now }})
			if err != nil {
				t.Fatal(err)
			}
			for id := range int64(many) {
				log.add(ban(id+1, fmt.Sprint("10.0.0.", id), at(100)))
			}
			follow(t, index)
			answer := index.Startup(stream.Filter{}, now)
			if len(answer.New) != many {
				t.Fatalf("%d are active", len(answer.New))
			}
			now = end(&log, index)
			told := index.Delta(answer.Cursor, at(0), stream.Filter{}, now)
			if len(told.Deleted) != many || len(told.New) != 0 || told.Since != answer.Cursor {
				t.Errorf("told %d new, %d deleted since %d", len(told.New), len(told.Deleted), told.Since)
			}

			now = now.Add(10 * time.Minute)
			log.add(ban(many+1, "10.1.0.0", now.Add(time.Hour)))
			follow(t, index)
			log.add(ban(many+2, "10.1.0.1", now.Add(time.Second)))
			follow(t, index)
			now = now.Add(time.Minute)
			told = index.Delta(answer.Cursor, at(0), stream.Filter{}, now)
			if len(told.Deleted) > 20 || len(told.New) != 1 || told.Since != 0 {
				t.Errorf("much later: told %d new, %d deleted since %d", len(told.New), len(told.Deleted), told.Since)
			}
		})
	}
}
