package localapi_test

import (
	"strings"
	"testing"
	"time"

	"shieldwall/internal/domain"
)

const (
	bouncerUsage = `{"remediation_components":[{"type":"crowdsec-firewall-bouncer","version":"v0.0.34","os":{"name":"Debian","family":"debian","version":"12"},"feature_flags":["a","b"],"utc_startup_timestamp":1795288000,"name":"ignored","last_pull":3,"metrics":[{"meta":{"utc_now_timestamp":1795288600,"window_size_seconds":900},"items":[{"name":"dropped","value":1200,"unit":"byte","labels":{"ip_type":"ipv4","origin":"CAPI"}}]}]}]}`
	machineUsage = `{"log_processors":[{"feature_flags":[],"metrics":[{"items":[],"meta":{"utc_now_timestamp":1795288902,"window_size_seconds":1800}}],"os":{"name":"debian","version":"12.11"},"utc_startup_timestamp":1795288902,"version":"v1.7.4","datasources":{"file":1},"hub_items":{"parsers":[{"name":"local/p","status":"custom"}]}}],"remediation_components":null}`
)

func TestUsageMetricsAreKept(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m, b := f.machine("m1"), f.bouncer()
	for _, call := range []struct {
		body    string
		headers []string
	}{{bouncerUsage, b}, {machineUsage, m}} {
		w := f.call("POST", "/v1/usage-metrics", call.body, call.headers...)
		if w.Code != 201 || w.Body.Len() != 0 || w.Header().Get("Content-Type") != "" {
			t.Errorf("got %d %q %v", w.Code, w.Body, w.Header())
		}
	}
	reports, err := f.store.UsageReports(t.Context(), time.Time{})
	if err != nil || len(reports) != 2 {
		t.Fatalf("got %v, %v", reports, err)
	}
	for i, want := range []domain.UsageReport{
		{Kind: domain.UsageRemediation, From: "b1", Payload: `{"metrics":[{"items":[{"labels":{"ip_type":"ipv4","origin":"CAPI"},"name":"dropped","unit":"byte","value":1200}],"meta":{"utc_now_timestamp":1795288600,"window_size_seconds":900}}],"type":"crowdsec-firewall-bouncer"}`},
		{Kind: domain.UsageLogProcessor, From: "m1", Payload: `{"metrics":[{"items":[],"meta":{"utc_now_timestamp":1795288902,"window_size_seconds":1800}}]}`},
	} {
		got := reports[i]
		if got.Kind != want.Kind || got.From != want.From || got.Payload != want.Payload || !got.ReceivedAt.Equal(f.clock()) {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
	}
	machine, err := f.store.Machine(t.Context(), "m1")
	if err != nil || machine.Version != "v1.7.4" || machine.OSName != "debian" || machine.OSVersion != "12.11" {
		t.Errorf("machine %+v, %v", machine, err)
	}
}

func TestUsageMetricsAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	m, b := f.machine("m1"), f.bouncer()
	both := func(headers ...[]string) (all []string) {
		for _, h := range headers {
			all = append(all, h...)
		}
		return all
	}
	twice := func(body, kind string) string {
		start := strings.Index(body, "[") + 1
		end := strings.LastIndex(strings.TrimSuffix(body, `,"remediation_components":null}`), "]")
		return `{"` + kind + `":[` + body[start:end] + "," + body[start:end] + "]}"
	}
	for name, test := range map[string]struct {
		body    string
		headers []string
		status  int
		want    string
	}{
		"bad json":                        {`{`, b, 400, `{"message":"unexpected EOF"}`},
		"schema":                          {`{"remediation_components":[{"version":"1"}]}`, b, 422, `{"message":"validation failure list:\nremediation_components.0.utc_startup_timestamp in body is required"}`},
		"bouncer without component":       {machineUsage, b, 400, `{"message":"Missing remediation component data"}`},
		"machine without processor":       {bouncerUsage, m, 400, `{"message":"Missing log processor data"}`},
		"two components":                  {twice(bouncerUsage, "remediation_components"), b, 400, `{"message":"Payload has more than one remediation component"}`},
		"two processors":                  {twice(machineUsage, "log_processors"), m, 400, `{"message":"Payload has more than one log processor"}`},
		"a key goes before a token":       {machineUsage, both(m, b), 400, `{"message":"Missing remediation component data"}`},
		"nobody, named as log processor":  {machineUsage, nil, 401, ``},
		"nobody, named as something else": {bouncerUsage, []string{"User-Agent", "crowdsec-nginx/1"}, 403, `{"message":"access forbidden"}`},
		"wrong token":                     {machineUsage, []string{"Authorization", "Bearer x", "User-Agent", "x/1"}, 401, ``},
		"wrong key":                       {bouncerUsage, []string{"X-Api-Key", "x"}, 403, `{"message":"access forbidden"}`},
	} {
		w := f.call("POST", "/v1/usage-metrics", test.body, test.headers...)
		if w.Code != test.status || test.want != "" && w.Body.String() != test.want {
			t.Errorf("%s: got %d %s\nwant %d %s", name, w.Code, w.Body, test.status, test.want)
		}
	}
	if reports, err := f.store.UsageReports(t.Context(), time.Time{}); err != nil || len(reports) != 0 {
		t.Errorf("kept: %v, %v", reports, err)
	}
	for _, line := range counts(t, f) {
		if strings.Contains(line, "usage-metrics") && !strings.Contains(line, "cs_lapi_route_requests_total") && !strings.Contains(line, "duration") {
			t.Errorf("counted: %s", line)
		}
	}
}
