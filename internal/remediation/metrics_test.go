package remediation_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/platform/logging"
	"shieldwall/internal/remediation"
	"shieldwall/internal/wire"
)

// The names are published.
func TestCollector(t *testing.T) {
	t.Parallel()
	backend := newFragile(fixed)
	e := newEnforcer(backend, fixed)
	snapshot(t, e, wire.DecisionsStream{New: []wire.Decision{decision("192.0.2.1", "crowdsec", "1h")}})
	registry := prometheus.NewRegistry()
	registry.MustRegister(remediation.NewCollector(backend, e, slog.New(slog.DiscardHandler)))
	expectMetrics(t, registry, `
		# HELP fw_bouncer_banned_ips Number of addresses and ranges in force.
		# TYPE fw_bouncer_banned_ips gauge
		fw_bouncer_banned_ips{ip_type="ipv4",origin="crowdsec"} 1
		# HELP fw_bouncer_dropped_bytes Number of bytes dropped.
		# TYPE fw_bouncer_dropped_bytes gauge
		fw_bouncer_dropped_bytes{ip_type="ipv4",origin="crowdsec"} 300
		# HELP fw_bouncer_dropped_packets Number of packets dropped.
		# TYPE fw_bouncer_dropped_packets gauge
		fw_bouncer_dropped_packets{ip_type="ipv4",origin="crowdsec"} 3
		# HELP fw_bouncer_processed_bytes Number of bytes compared with the sets.
		# TYPE fw_bouncer_processed_bytes gauge
		fw_bouncer_processed_bytes{ip_type="ipv4"} 1000
		# HELP fw_bouncer_processed_packets Number of packets compared with the sets.
		# TYPE fw_bouncer_processed_packets gauge
		fw_bouncer_processed_packets{ip_type="ipv4"} 10
	`)
}

// reports is a Local API that answers reports with the errors as listed, then with success.
type reports struct {
	errs []error
	got  []wire.UsageMetrics
}

func (r *reports) PushBouncerUsage(_ context.Context, usage wire.UsageMetrics) error {
	r.got = append(r.got, usage)
	if len(r.errs) == 0 {
		return nil
	}
	err := r.errs[0]
	r.errs = r.errs[1:]
	return err
}

// traffic is a backend that has dropped as many packets as listed, at one look after the other.
type traffic struct {
	*fragile

	dropped []uint64
}

func (b *traffic) Counters(context.Context) ([]remediation.Counter, error) {
	dropped := b.dropped[0]
	b.dropped = b.dropped[1:]
	return []remediation.Counter{{Dropped: true, Group: "CAPI", IPv6: true, Packets: dropped, Bytes: 100 * dropped}}, nil
}

func TestUsageReporter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		backend := &traffic{newFragile(time.Now), []uint64{5, 12, 20, 21, 2}}
		e := newEnforcer(backend, time.Now)
		snapshot(t, e, wire.DecisionsStream{New: []wire.Decision{decision("192.0.2.1", "crowdsec", "9h")}})
		api := &reports{errs: []error{nil, fault.Errorf(fault.NotFound, "older")}}
		identity := remediation.Identity{
			Version: "v1.2.3", OS: wire.OSVersion{Family: "debian", Name: "debian", Version: "12.11"}, Started: time.Now(),
		}
		reporter := remediation.NewUsageReporter(api, e, identity, time.Now, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithTimeout(t.Context(), 61*time.Minute)
		defer cancel()
		reporter.Run(ctx)
		if len(api.got) != 4 {
			t.Fatalf("%d reports", len(api.got))
		}
		for i, want := range []float64{
			7, // since the start, not since the objects exist
			8,
			9, // with those of the report that did not arrive
			2, // after a reset
		} {
			items := api.got[i].RemediationComponents[0].Metrics[0].Items
			if got := items[len(items)-1].Value; got != want {
				t.Errorf("report %d: %v packets, want %v", i, got, want)
			}
		}
		golden, err := json.Marshal(api.got[0])
		must(t, err)
		// The clock of synctest begins at the first of January 2000.
		if want := `{"log_processors":null,"remediation_components":[{"feature_flags":[],"metrics":[{"items":[` +
			`{"labels":{"ip_type":"ipv4","origin":"crowdsec"},"name":"active_decisions","unit":"ip","value":1},` +
			`{"labels":{"ip_type":"ipv6","origin":"CAPI"},"name":"dropped","unit":"byte","value":700},` +
			`{"labels":{"ip_type":"ipv6","origin":"CAPI"},"name":"dropped","unit":"packet","value":7}],` +
			`"meta":{"utc_now_timestamp":946685700,"window_size_seconds":900}}],` +
			`"os":{"family":"debian","name":"debian","version":"12.11"},"utc_startup_timestamp":946684800,` +
			`"version":"v1.2.3","type":"crowdsec-firewall-bouncer"}]}`; string(golden) != want {
			t.Errorf("reports %s\nwant %s", golden, want)
		}
	})
}

// never is a Local API that does not answer.
type never struct{}

func (never) PushBouncerUsage(ctx context.Context, _ wire.UsageMetrics) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestUsageReporterGivesUpOnASlowLocalAPI(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		e := newEnforcer(newFragile(time.Now), time.Now)
		reporter := remediation.NewUsageReporter(never{}, e, remediation.Identity{}, time.Now,
			logging.New(&out, logging.Options{Untimed: true}))
		ctx, cancel := context.WithTimeout(t.Context(), 16*time.Minute)
		defer cancel()
		reporter.Run(ctx)
		if want := "level=warning msg=\"timeout sending metrics\"\n"; out.String() != want {
			t.Errorf("logged %q, want %q", out.String(), want)
		}
	})
}
