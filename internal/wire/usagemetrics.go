package wire

import "encoding/json"

// UsageMetrics is the body of POST /v1/usage-metrics: exactly one log processor or one remediation
// component tells what it did.
type UsageMetrics struct {
	LogProcessors         []LogProcessorUsage         `json:"log_processors"`
	RemediationComponents []RemediationComponentUsage `json:"remediation_components"`
}

// LogProcessorUsage is what a log processor tells of itself.
type LogProcessorUsage struct {
	ComponentUsage

	Datasources map[string]int64          `json:"datasources"`
	HubItems    map[string][]HubItemUsage `json:"hub_items"`
}

// RemediationComponentUsage is what a remediation component tells of itself.
type RemediationComponentUsage struct {
	ComponentUsage

	Type string `json:"type"`
}

// ComponentUsage is what both kinds of component tell.
type ComponentUsage struct {
	FeatureFlags        []string      `json:"feature_flags"`
	Metrics             []UsageWindow `json:"metrics"`
	OS                  *OSVersion    `json:"os,omitempty"`
	UTCStartupTimestamp int64         `json:"utc_startup_timestamp"` // Unix seconds
	Version             string        `json:"version"`
}

// HubItemUsage is one installed hub item.
type HubItemUsage struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	Status  string `json:"status"`
}

// OSVersion names the operating system of a component.
type OSVersion struct {
	Family  string `json:"family,omitempty"`
	Name    string `json:"name"`
	Version string `json:"version"`
}

// UsageWindow is what was counted in one span of time.
type UsageWindow struct {
	Items []UsageItem `json:"items"`
	Meta  UsageMeta   `json:"meta"`
}

// UsageMeta says when and over how long was counted.
type UsageMeta struct {
	UTCNowTimestamp   int64 `json:"utc_now_timestamp"`   // Unix seconds
	WindowSizeSeconds int64 `json:"window_size_seconds"` // length of the window
}

// UsageItem is one number.
type UsageItem struct {
	Labels map[string]string `json:"labels,omitempty"`
	Name   string            `json:"name"`
	Unit   string            `json:"unit"`
	Value  float64           `json:"value"`
}

// StoredUsage returns what was counted according to the report of one component, as the Local API stores it. A report
// that cannot be read tells nothing.
func StoredUsage(payload string) []UsageWindow {
	var report struct {
		Metrics []UsageWindow `json:"metrics"`
	}
	if err := json.Unmarshal([]byte(payload), &report); err != nil {
		return nil
	}
	return report.Metrics
}
