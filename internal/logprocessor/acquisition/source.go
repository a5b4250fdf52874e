package acquisition

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/logprocessor/acquisition/checkpoint"
	"shieldwall/internal/logprocessor/event"
)

// Batch is what a source hands over: at least one line, in the order of the source. The receiver owns it.
// The texts of its lines may share one piece of memory: clone a part that outlives its line.
type Batch struct {
	Lines []event.Line
	Clock event.Clock
	// Ack is never nil. Whoever finishes with the batch calls it exactly once, from any goroutine, when
	// nothing can lose its lines any more.
	Ack func()
}

// Source is an open data source.
type Source interface {
	// Run sends batches to out until its input has ended or ctx is done, and returns nil in both cases.
	// An error ends the whole acquisition. Run is called once and never closes out; its caller receives
	// until it has returned.
	Run(ctx context.Context, out chan<- Batch) error
}

// Env is what an open source takes from its surroundings.
type Env struct {
	Log         *slog.Logger
	Now         func() time.Time
	Checkpoints *checkpoint.Store
	Metrics     prometheus.Registerer // nil leaves lines uncounted
	Aggregated  bool                  // metrics name files by their base name only
}
