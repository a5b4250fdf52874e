package file_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"shieldwall/internal/logprocessor/acquisition"
)

// followNew follows a file that appears after following has begun.
func followNew(b *testing.B) (path string, out chan acquisition.Batch) {
	b.Helper()
	path = filepath.Join(b.TempDir(), "a.log")
	log := &spy{records: make(chan string, 10)}
	source := open(b, "filename: "+path+"\nlabels: {type: test}\n", env(b, slog.New(log)))
	out = make(chan acquisition.Batch, 1)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- source.Run(ctx, out) }()
	b.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	<-log.records // nothing matches yet
	return path, out
}

func BenchmarkThroughput(b *testing.B) {
	const lines = 100_000
	text := strings.Repeat(strings.Repeat("x", 199)+"\n", lines)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		path, out := followNew(b)
		write(b, path, text)
		for got := 0; got < lines; {
			batch := <-out
			got += len(batch.Lines)
			batch.Ack()
		}
	}
	b.ReportMetric(float64(lines)*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

func BenchmarkLatency(b *testing.B) {
	path, out := followNew(b)
	for b.Loop() {
		write(b, path, "one line\n")
		(<-out).Ack()
	}
}
