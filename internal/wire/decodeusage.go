package wire

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"unicode/utf8"
)

// maxUsageText bounds the names, units, labels and versions of usage metrics, in characters.
const maxUsageText = 255

// DecodeUsageMetrics reads the body of POST /v1/usage-metrics; errors are those of DecodeAlerts. How many
// components the document has is for the caller to judge.
func DecodeUsageMetrics(r io.Reader) (UsageMetrics, error) {
	var body usageBody
	if err := decodeJSON(r, &body); err != nil {
		return UsageMetrics{}, err
	}
	var check checker
	for i, processor := range body.LogProcessors {
		processor.check(&check, fmt.Sprintf("log_processors.%d", i))
	}
	for i, component := range body.RemediationComponents {
		component.check(&check, fmt.Sprintf("remediation_components.%d", i))
	}
	if err := check.err(); err != nil {
		return UsageMetrics{}, err
	}
	return body.usage(), nil
}

type usageBody struct {
	LogProcessors         []*logProcessorBody `json:"log_processors"`
	RemediationComponents []*remediationBody  `json:"remediation_components"`
}

type logProcessorBody struct {
	componentBody

	Datasources map[string]int64          `json:"datasources"`
	HubItems    map[string][]HubItemUsage `json:"hub_items"`
}

type remediationBody struct {
	componentBody

	Type string `json:"type"`
}

type componentBody struct {
	FeatureFlags        []string      `json:"feature_flags"`
	Metrics             []*windowBody `json:"metrics"`
	OS                  *osBody       `json:"os"`
	UTCStartupTimestamp *int64        `json:"utc_startup_timestamp"`
	Version             *string       `json:"version"`
}

type osBody struct {
	Family  string  `json:"family"`
	Name    *string `json:"name"`
	Version *string `json:"version"`
}

type windowBody struct {
	Items []*usageItemBody `json:"items"`
	Meta  *struct {
		UTCNowTimestamp   *int64 `json:"utc_now_timestamp"`
		WindowSizeSeconds *int64 `json:"window_size_seconds"`
	} `json:"meta"`
}

type usageItemBody struct {
	Labels map[string]string `json:"labels"`
	Name   *string           `json:"name"`
	Unit   *string           `json:"unit"`
	Value  *float64          `json:"value"`
}

func (b *logProcessorBody) check(c *checker, at string) {
	if b == nil {
		c.present(at, false)
		return
	}
	b.componentBody.check(c, at)
	c.present(at+".datasources", b.Datasources != nil)
	c.present(at+".hub_items", b.HubItems != nil)
}

func (b *remediationBody) check(c *checker, at string) {
	if b == nil {
		c.present(at, false)
		return
	}
	b.componentBody.check(c, at)
}

func (b *componentBody) check(c *checker, at string) {
	for i, window := range b.Metrics {
		window.check(c, fmt.Sprintf("%s.metrics.%d", at, i))
		if c.isFull() {
			return
		}
	}
	if b.OS != nil {
		c.short(at+".os.family", &b.OS.Family)
		c.required(at+".os.name", b.OS.Name)
		c.required(at+".os.version", b.OS.Version)
	}
	c.present(at+".utc_startup_timestamp", b.UTCStartupTimestamp != nil)
	c.required(at+".version", b.Version)
}

func (b *windowBody) check(c *checker, at string) {
	if b == nil {
		c.present(at, false)
		return
	}
	c.present(at+".items", b.Items != nil)
	for i, item := range b.Items {
		item.check(c, fmt.Sprintf("%s.items.%d", at, i))
		if c.isFull() {
			return
		}
	}
	if b.Meta == nil {
		c.present(at+".meta", false)
		return
	}
	c.present(at+".meta.utc_now_timestamp", b.Meta.UTCNowTimestamp != nil)
	c.present(at+".meta.window_size_seconds", b.Meta.WindowSizeSeconds != nil)
}

func (b *usageItemBody) check(c *checker, at string) {
	if b == nil {
		c.present(at, false)
		return
	}
	for _, label := range slices.Sorted(maps.Keys(b.Labels)) {
		value := b.Labels[label]
		c.short(at+".labels."+label, &value)
	}
	c.required(at+".name", b.Name)
	c.required(at+".unit", b.Unit)
	c.present(at+".value", b.Value != nil)
}

// required checks a text that must be there and short.
func (c *checker) required(field string, text *string) {
	c.present(field, text != nil)
	c.short(field, text)
}

func (c *checker) short(field string, text *string) {
	if text != nil && utf8.RuneCountInString(*text) > maxUsageText {
		c.problems = append(c.problems, fmt.Sprintf("%s in body should be at most %d chars long", field, maxUsageText))
	}
}

// isFull reports whether looking on is a waste.
func (c *checker) isFull() bool { return len(c.problems) >= maxProblems }

func (b *usageBody) usage() UsageMetrics {
	var usage UsageMetrics
	for _, processor := range b.LogProcessors {
		usage.LogProcessors = append(usage.LogProcessors, LogProcessorUsage{
			ComponentUsage: processor.component(), Datasources: processor.Datasources, HubItems: processor.HubItems,
		})
	}
	for _, component := range b.RemediationComponents {
		usage.RemediationComponents = append(usage.RemediationComponents, RemediationComponentUsage{
			ComponentUsage: component.component(), Type: component.Type,
		})
	}
	return usage
}

func (b *componentBody) component() ComponentUsage {
	component := ComponentUsage{
		FeatureFlags: b.FeatureFlags, UTCStartupTimestamp: *b.UTCStartupTimestamp, Version: *b.Version,
		Metrics: make([]UsageWindow, len(b.Metrics)),
	}
	if b.OS != nil {
		component.OS = &OSVersion{Family: b.OS.Family, Name: *b.OS.Name, Version: *b.OS.Version}
	}
	for i, window := range b.Metrics {
		component.Metrics[i] = window.window()
	}
	return component
}

func (b *windowBody) window() UsageWindow {
	window := UsageWindow{
		Items: make([]UsageItem, len(b.Items)),
		Meta:  UsageMeta{UTCNowTimestamp: *b.Meta.UTCNowTimestamp, WindowSizeSeconds: *b.Meta.WindowSizeSeconds},
	}
	for i, item := range b.Items {
		window.Items[i] = UsageItem{Labels: item.Labels, Name: *item.Name, Unit: *item.Unit, Value: *item.Value}
	}
	return window
}
