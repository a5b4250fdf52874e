package usage_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/logprocessor/usage"
	"shieldwall/internal/wire"
)

type api struct {
	reports []wire.UsageMetrics
	err     error
}

func (a *api) PushMachineUsage(_ context.Context, report wire.UsageMetrics) error {
	a.reports = append(a.reports, report)
	return a.err
}

func (a *api) last() []wire.UsageItem {
	return a.reports[len(a.reports)-1].LogProcessors[0].Metrics[0].Items
}

type counters struct {
	*prometheus.Registry
}

func (c counters) add(name string, value float64, labels prometheus.Labels) {
	names := make([]string, 0, len(labels))
	for label := range labels {
		names = append(names, label)
	}
	vector := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: name}, names)
	err := c.Register(vector)
	var already prometheus.AlreadyRegisteredError
	if errors.As(err, &already) {
		vector, _ = already.ExistingCollector.(*prometheus.CounterVec)
	}
	vector.With(labels).Add(value)
}

func TestReports(t *testing.T) {
	t.Parallel()
	c := counters{prometheus.NewRegistry()}
	now := time.Unix(1795288902, 0)
	var log bytes.Buffer
	r := usage.NewReporter(c, func() time.Time { return now }, slog.New(slog.NewTextHandler(&log, nil)))
	to := &api{}
	identity := usage.Identity{
		Version: "v1.7.4", OS: wire.OSVersion{Name: "debian", Version: "12"}, Started: now.Add(-time.Second),
		Datasources: map[string]int64{"file": 1}, HubItems: map[string][]wire.HubItemUsage{"parsers": {{Name: "a/p", Status: "custom"}}},
	}

	r.Report(t.Context(), to, identity)
	want := wire.UsageMetrics{LogProcessors: []wire.LogProcessorUsage{{
		Datasources: identity.Datasources, HubItems: identity.HubItems,
		ComponentUsage: wire.ComponentUsage{
			FeatureFlags: []string{}, OS: &identity.OS, UTCStartupTimestamp: 1795288901, Version: "v1.7.4",
			Metrics: []wire.UsageWindow{{
				Items: []wire.UsageItem{}, Meta: wire.UsageMeta{UTCNowTimestamp: 1795288902, WindowSizeSeconds: 1800},
			}},
		},
	}}}
	if !reflect.DeepEqual(to.reports[0], want) {
		t.Errorf("got %+v\nwant %+v", to.reports[0], want)
	}

	node := func(name string) prometheus.Labels {
		return prometheus.Labels{"source": "/a", "type": "file", "name": name, "stage": "s01-parse", "acquis_type": "syslog"}
	}
	line := map[string]string{"datasource_type": "file", "source": "/a", "acquis_type": "syslog"}
	parser := map[string]string{"datasource_type": "file", "source": "/a", "acquis_type": "syslog", "parser_name": "a/p", "parser_stage": "s01-parse"}
	c.add("cs_filesource_hits_total", 7, prometheus.Labels{"source": "/a", "datasource_type": "file", "acquis_type": "syslog"})
	c.add("cs_kafkasource_hits_total", 2, prometheus.Labels{"topic": "t", "datasource_type": "kafka", "acquis_type": "x"})
	c.add("cs_syslogsource_hits_total", 9, prometheus.Labels{"source": "s", "datasource_type": "syslog", "acquis_type": "x"})
	c.add("cs_syslogsource_parsed_total", 8, prometheus.Labels{"source": "s", "datasource_type": "syslog", "acquis_type": "x", "type": "y"})
	c.add("cs_parser_hits_ok_total", 4, prometheus.Labels{"source": "/a", "type": "file", "acquis_type": "syslog"})
	c.add("cs_parser_hits_ko_total", 3, prometheus.Labels{"source": "/a", "type": "file", "acquis_type": "syslog"})
	c.add("cs_parser_hits_total", 7, prometheus.Labels{"source": "/a", "type": "file"})
	c.add("cs_node_hits_total", 7, node("a/p"))
	c.add("cs_node_hits_ok_total", 4, node("a/p"))
	c.add("cs_node_hits_ok_total", 4, node("child-a/p"))
	c.add("cs_node_hits_ko_total", 3, node("a/p"))
	for _, reason := range []string{"one", "two"} {
		c.add("cs_node_wl_hits_ok_total", 1, prometheus.Labels{
			"source": "/a", "type": "file", "name": "a/w", "stage": "s02-enrich", "acquis_type": "syslog", "reason": reason,
		})
	}
	c.add("cs_appsec_reqs_total", 5, prometheus.Labels{"source": "/a", "appsec_engine": "e"})
	c.add("cs_bucket_poured_total", 5, prometheus.Labels{"name": "s"})
	told := []wire.UsageItem{
		{Name: "appsec_processed", Unit: "request", Value: 5, Labels: map[string]string{"appsec_engine": "e"}},
		{Name: "global_parsed", Unit: "line", Value: 4, Labels: line},
		{Name: "global_unparsed", Unit: "line", Value: 3, Labels: line},
		{Name: "parsed", Unit: "line", Value: 4, Labels: parser},
		{Name: "read", Unit: "line", Value: 7, Labels: line},
		{Name: "read", Unit: "line", Value: 8, Labels: map[string]string{"datasource_type": "syslog", "source": "s", "acquis_type": "x"}},
		{Name: "read", Unit: "line", Value: 2, Labels: map[string]string{"datasource_type": "kafka", "source": "t", "acquis_type": "x"}},
		{Name: "unparsed", Unit: "line", Value: 3, Labels: parser},
		{Name: "whitelisted", Unit: "event", Value: 2, Labels: map[string]string{
			"datasource_type": "file", "source": "/a", "acquis_type": "syslog", "whitelist_name": "a/w", "whitelist_stage": "s02-enrich",
		}},
	}

	// What did not arrive is told again, and what did is not.
	now = now.Add(time.Minute)
	to.err = errors.New("away")
	r.Report(t.Context(), to, identity)
	to.err = nil
	r.Report(t.Context(), to, identity)
	for i, report := range to.reports[1:] {
		if got := report.LogProcessors[0].Metrics[0]; !same(got.Items, told) || got.Meta.WindowSizeSeconds != 60 {
			t.Errorf("report %d: got %+v\nwant %+v", i+1, got, told)
		}
	}
	c.add("cs_node_hits_ok_total", 1, node("a/p"))
	r.Report(t.Context(), to, identity)
	if got := to.last(); len(got) != 1 || got[0].Value != 1 || got[0].Name != "parsed" {
		t.Errorf("got %+v", got)
	}
	if !strings.Contains(log.String(), "usage metrics not accepted") {
		t.Errorf("log: %s", log.String())
	}
}

// same compares without order.
func same(a, b []wire.UsageItem) bool {
	if len(a) != len(b) {
		return false
	}
	for _, x := range a {
		found := false
		for _, y := range b {
			found = found || reflect.DeepEqual(x, y)
		}
		if !found {
			return false
		}
	}
	return true
}

func TestAnOldLocalAPIIsMentionedOnce(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	r := usage.NewReporter(prometheus.NewRegistry(), time.Now, slog.New(slog.NewTextHandler(&log, nil)))
	to := &api{err: fault.Errorf(fault.NotFound, "404")}
	for range 3 {
		r.Report(t.Context(), to, usage.Identity{})
	}
	if strings.Count(log.String(), "knows no usage metrics") != 1 {
		t.Errorf("log: %s", log.String())
	}
}

func TestRunReportsAtOnce(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	r := usage.NewReporter(prometheus.NewRegistry(), time.Now, slog.New(slog.DiscardHandler))
	to := &api{}
	cancel()
	r.Run(ctx, to, usage.Identity{})
	if len(to.reports) != 1 {
		t.Errorf("%d reports", len(to.reports))
	}
}
