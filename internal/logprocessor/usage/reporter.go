package usage

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/wire"
)

const (
	// Every is the published interval between two reports.
	Every = 30 * time.Minute
	// timeout bounds one report.
	timeout = 10 * time.Second
)

// API takes usage metrics.
type API interface {
	// PushMachineUsage sends one report. NotFound when the Local API knows no usage metrics.
	PushMachineUsage(ctx context.Context, usage wire.UsageMetrics) error
}

// Identity is what a log processor tells of itself.
type Identity struct {
	Version     string
	OS          wire.OSVersion
	Started     time.Time
	Datasources map[string]int64               // how many are configured, by type
	HubItems    map[string][]wire.HubItemUsage // what is installed, by type
}

// Reporter tells the Local API what was counted. Use it from one goroutine at a time.
type Reporter struct {
	counters prometheus.Gatherer
	now      func() time.Time
	log      *slog.Logger

	previous map[series]float64 // as of the last report that arrived
	reported time.Time          // when that was; zero: never
	unknown  bool               // the Local API knows no usage metrics: said already
}

// NewReporter returns a Reporter that has told nothing yet.
func NewReporter(counters prometheus.Gatherer, now func() time.Time, log *slog.Logger) *Reporter {
	return &Reporter{counters: counters, now: now, log: log}
}

// Run reports to api at once and then every half an hour until ctx ends. It may be called again, after a
// reload say: what was told is not told again.
func (r *Reporter) Run(ctx context.Context, api API, identity Identity) {
	ticker := time.NewTicker(Every)
	defer ticker.Stop()
	for {
		r.Report(ctx, api, identity)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Report tells api what was counted since the last report that arrived.
func (r *Reporter) Report(ctx context.Context, api API, identity Identity) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	totals, err := collect(r.counters)
	if err != nil {
		r.log.ErrorContext(ctx, "usage metrics not collected", "error", err)
		return
	}
	now := r.now()
	err = api.PushMachineUsage(ctx, r.usage(identity, totals, now))
	switch {
	case err == nil:
		r.previous, r.reported, r.unknown = totals, now, false
	case !fault.Is(err, fault.NotFound):
		if !errors.Is(err, context.Canceled) {
			r.log.WarnContext(ctx, "usage metrics not accepted, they are part of the next report", "error", err)
		}
	case !r.unknown:
		r.log.WarnContext(ctx, "the Local API knows no usage metrics")
		r.unknown = true
	}
}

func (r *Reporter) usage(identity Identity, totals map[series]float64, now time.Time) wire.UsageMetrics {
	window := Every
	if !r.reported.IsZero() {
		window = now.Sub(r.reported)
	}
	return wire.UsageMetrics{LogProcessors: []wire.LogProcessorUsage{{
		Datasources: identity.Datasources, HubItems: identity.HubItems,
		ComponentUsage: wire.ComponentUsage{
			FeatureFlags: []string{}, OS: &identity.OS, UTCStartupTimestamp: identity.Started.Unix(), Version: identity.Version,
			Metrics: []wire.UsageWindow{{
				Items: items(totals, r.previous),
				Meta:  wire.UsageMeta{UTCNowTimestamp: now.Unix(), WindowSizeSeconds: int64(window / time.Second)},
			}},
		},
	}}}
}
