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

// BenchmarkSavePoint is about one poured line: its event is new, and it is in three buckets.
func BenchmarkSavePoint(b *testing.B) {
	config := shape("")
	config.Keep = 10
	book, evt, poured := newBook(), webEvent(), 0
	book.packer = event.NewPacker(event.Footprint{}.With("Time"))
	var families []*bucket.Family
	for _, scenario := range []string{"a", "b", "c"} {
		families = append(families, book.store.Family(scenario, config))
	}
	var saving time.Duration
	written, in := 0, book.input(evt)
	for b.Loop() {
		poured++
		in.Kept, in.At = book.packer.Pack(evt), today.Add(time.Duration(poured))
		for _, family := range families {
			family.Pour(fmt.Sprint(poured%1000), in)
		}
		if poured%10_000 == 0 {
			begin := time.Now()
			book.save(b, book.store.Changes())
			saving += time.Since(begin)
			written += book.file.Len()
			book.file.Reset()
		}
	}
	b.ReportMetric(float64(written)/float64(poured), "bytes/line")
	b.ReportMetric(float64(saving.Nanoseconds())/float64(poured), "saving-ns/line")
}

// BenchmarkRenew writes everything that a hundred thousand buckets hold.
func BenchmarkRenew(b *testing.B) {
	const buckets = 100_000
	book, evt := newBook(), webEvent()
	book.packer = event.NewPacker(event.Footprint{}.With("Time"))
	for i := range buckets {
		book.pour(bucket.Key{Scenario: "s", Group: fmt.Sprint("192.0.2.", i)}, evt)
	}
	for b.Loop() {
		book.file.Reset()
		book.journal = newJournal()
		book.save(b, book.store.Everything())
	}
	b.ReportMetric(float64(book.file.Len())/buckets, "bytes/bucket")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/buckets, "ns/bucket")
}
