package savepoint

import (
	"fmt"
	"testing"
	"time"

	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/event"
)

// webEvent is about what a line of a web server becomes.
func webEvent() *event.Event {
	evt := event.New(event.Line{
		Raw: `192.0.2.10 - - [14/Mar/2026:09:26:53 +0000] "GET /article/0?page=2 HTTP/1.1" 200 612 "https://example.org/" "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"`,
		Src: "/var/log/nginx/access.log", Module: "file", Process: true, Time: today, Labels: map[string]string{"type": "nginx"},
	}, event.Live)
	evt.Stage, evt.StrTime, evt.MarshaledTime, evt.Time = "s02-enrich", "14/Mar/2026:09:26:53 +0000", "2026-03-14T09:26:53Z", today
	for i := range 20 {
		evt.Parsed[fmt.Sprint("parsed_field_", i)] = "a value of some length"
	}
	for i := range 10 {
		evt.Meta[fmt.Sprint("meta_", i)] = "another value"
	}
	evt.Enriched["IsoCode"] = "DE"
	return evt
}

func BenchmarkEvent(b *testing.B) {
	evt := webEvent()
	var text []byte
	for b.Loop() {
		var err error
		if text, err = appendEvent(text[:0], evt); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(text)))
}

// BenchmarkSavePoint is about one poured line: its event is new, and it is in three buckets.
func BenchmarkSavePoint(b *testing.B) {
	store, config := bucket.NewStore(today), shape("")
	config.Keep = 10
	store.Everything()
	evt, bytes, poured := webEvent(), 0, 0
	var text []byte
	for b.Loop() {
		poured++
		copied := *evt
		for _, scenario := range []string{"a", "b", "c"} {
			key := bucket.Key{Scenario: scenario, Group: fmt.Sprint(poured % 1000)}
			store.Pour(key, config, bucket.Input{Event: &copied, At: today.Add(time.Duration(poured))})
		}
		if poured%10_000 == 0 {
			var err error
			if text, err = appendChanges(text[:0], store.Changes()); err != nil {
				b.Fatal(err)
			}
			bytes += len(text)
		}
	}
	b.ReportMetric(float64(bytes)/float64(poured), "bytes/line")
}
