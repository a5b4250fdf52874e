package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/wire"
)

const (
	bouncerUsage   = `{"remediation_components":[{"type":"crowdsec-firewall-bouncer","version":"v0.0.34","os":{"name":"Debian","family":"debian","version":"12"},"feature_flags":[],"utc_startup_timestamp":1795288000,"metrics":[{"meta":{"utc_now_timestamp":1795288600,"window_size_seconds":900},"items":[{"name":"dropped","value":1200,"unit":"byte","labels":{"ip_type":"ipv4","origin":"CAPI"}}]}]}]}`
	processorUsage = `{"log_processors":[{"feature_flags":[],"metrics":[{"items":[],"meta":{"utc_now_timestamp":1795288902,"window_size_seconds":1800}}],"os":{"name":"debian","version":"12.11"},"utc_startup_timestamp":1795288902,"version":"v1.7.4","datasources":{"file":1},"hub_items":{"parsers":[{"name":"local/p","status":"custom"}],"scenarios":[]},"name":"ignored"}],"remediation_components":null}`
)

func TestDecodeUsageMetrics(t *testing.T) {
	t.Parallel()
	usage, err := wire.DecodeUsageMetrics(strings.NewReader(bouncerUsage))
	want := wire.UsageMetrics{RemediationComponents: []wire.RemediationComponentUsage{{
		Type: "crowdsec-firewall-bouncer",
		ComponentUsage: wire.ComponentUsage{
			FeatureFlags: []string{}, Version: "v0.0.34", UTCStartupTimestamp: 1795288000,
			OS: &wire.OSVersion{Family: "debian", Name: "Debian", Version: "12"},
			Metrics: []wire.UsageWindow{{
				Items: []wire.UsageItem{{
					Name: "dropped", Unit: "byte", Value: 1200, Labels: map[string]string{"ip_type": "ipv4", "origin": "CAPI"},
				}},
				Meta: wire.UsageMeta{UTCNowTimestamp: 1795288600, WindowSizeSeconds: 900},
			}},
		},
	}}}
	if err != nil || !reflect.DeepEqual(usage, want) {
		t.Errorf("got %+v, %v", usage, err)
	}
	usage, err = wire.DecodeUsageMetrics(strings.NewReader(processorUsage))
	if err != nil || len(usage.LogProcessors) != 1 || usage.LogProcessors[0].HubItems["parsers"][0].Status != "custom" {
		t.Errorf("got %+v, %v", usage, err)
	}
}

func TestUsageMetricsAreChecked(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 256)
	for body, want := range map[string]string{
		`{}`: "",
		`{"remediation_components":[{}]}`: "remediation_components.0.utc_startup_timestamp in body is required\n" +
			"remediation_components.0.version in body is required",
		`{"log_processors":[null]}`: "log_processors.0 in body is required",
		`{"log_processors":[{"utc_startup_timestamp":1,"version":"` + long + `"}]}`: "log_processors.0.version in body should be at most 255 chars long\n" +
			"log_processors.0.datasources in body is required\nlog_processors.0.hub_items in body is required",
		`{"remediation_components":[{"utc_startup_timestamp":1,"version":"1","os":{},"metrics":[{"items":[{"labels":{"a":"` + long + `"}},null]},null,{"meta":{},"items":null}]}]}`: "remediation_components.0.metrics.0.items.0.labels.a in body should be at most 255 chars long\n" +
			"remediation_components.0.metrics.0.items.0.name in body is required\n" +
			"remediation_components.0.metrics.0.items.0.unit in body is required\n" +
			"remediation_components.0.metrics.0.items.0.value in body is required\n" +
			"remediation_components.0.metrics.0.items.1 in body is required\n" +
			"remediation_components.0.metrics.0.meta in body is required\n" +
			"remediation_components.0.metrics.1 in body is required\n" +
			"remediation_components.0.metrics.2.items in body is required\n" +
			"remediation_components.0.metrics.2.meta.utc_now_timestamp in body is required\n" +
			"remediation_components.0.metrics.2.meta.window_size_seconds in body is required\n" +
			"remediation_components.0.os.name in body is required\n" +
			"remediation_components.0.os.version in body is required",
	} {
		_, err := wire.DecodeUsageMetrics(strings.NewReader(body))
		if want == "" && err == nil {
			continue
		}
		if err == nil || err.Error() != "validation failure list:\n"+want {
			t.Errorf("%.80s: got %v\nwant %s", body, err, want)
		}
	}
}

func FuzzDecodeUsageMetrics(f *testing.F) {
	f.Add([]byte(bouncerUsage))
	f.Add([]byte(processorUsage))
	f.Add([]byte(`{"log_processors":[null],"remediation_components":[{"metrics":[null,{"items":[null]}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		usage, err := wire.DecodeUsageMetrics(bytes.NewReader(body))
		var incomplete *wire.ValidationError
		if err != nil {
			if !fault.Is(err, fault.Invalid) && !errors.As(err, &incomplete) {
				t.Fatalf("%v is nobody's fault", err)
			}
			return
		}
		again, err := json.Marshal(usage)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := wire.DecodeUsageMetrics(bytes.NewReader(again)); err != nil {
			t.Fatalf("what was decoded does not decode again: %v\n%s", err, again)
		}
	})
}
