package tap

import (
	"encoding/json"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// TestEveryEventIsSeenOrCounted lets a viewer fall behind and catch up at random: what it takes, with what each event
// says is missing before it, has no gap.
func TestEveryEventIsSeenOrCounted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := newViewer(Request{}, nil)
		offered, seen := 0, 0
		for range rapid.IntRange(1, 8).Draw(t, "turns") {
			for range rapid.IntRange(0, 2*queued).Draw(t, "offered") {
				offered++
				v.offer(Event{Line: fmt.Sprint(offered)})
			}
			for range rapid.IntRange(0, len(v.events)).Draw(t, "taken") {
				e := <-v.events
				seen += int(e.Dropped) + 1
				if e.Line != fmt.Sprint(seen) {
					t.Fatalf("event %s counts as number %d", e.Line, seen)
				}
			}
		}
		for len(v.events) > 0 {
			seen += int((<-v.events).Dropped) + 1
		}
		if missing := v.dropped.Load(); seen+int(missing) != offered {
			t.Errorf("%d seen or told, %d to be told, of %d", seen, missing, offered)
		}
	})
}

func FuzzRequest(f *testing.F) {
	for _, seed := range []string{`{}`, `{"stage":"matched","filter":"evt.Meta.source_ip == ''","limit":3}`, `{"limit":-1}`, `null`, `{} x`, "{\"filter\":\"\xff\"}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		request, err := parseRequest(line)
		if err != nil {
			return
		}
		if request.Stage == "" || request.Limit < 0 {
			t.Errorf("%q: %+v", line, request)
		}
		again, err := json.Marshal(request)
		if err != nil {
			t.Fatal(err)
		}
		if same, err := parseRequest(again); err != nil || same != request {
			t.Errorf("%q: %+v, then %+v, %v", line, request, same, err)
		}
	})
}
