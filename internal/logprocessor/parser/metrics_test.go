package parser_test

import (
	"maps"
	"testing"

	"shieldwall/internal/logprocessor/event"
)

const labels = "source=/var/log/test,stage=s01,type=file}"

// TestNodeMetrics counts under the published names and labels.
func TestNodeMetrics(t *testing.T) {
	t.Parallel()
	node := func(metric, name string) string {
		return metric + "{acquis_type=syslog,name=" + name + "," + labels
	}
	list := func(metric, name string) string {
		return metric + "{acquis_type=syslog,name=" + name + ",reason=why," + labels
	}
	b := newBench(embedded(t))
	set := b.mustLoad(t, "filter: 'evt.Line.Raw != \"ignored\"'\ngrok: {pattern: '^%{WORD:w} %{NUMBER:n}$', apply_on: Line.Raw}\n"+
		"nodes: [{filter: 'evt.Parsed.n == \"1\"', statics: [{meta: a, value: b}]}]\n---\n"+
		"name: list\nwhitelist: {reason: why, ip: [192.0.2.1], expression: ['evt.Line.Raw == \"listed\"']}\n---\n"+
		"description: no name\n"+valid)
	for _, text := range []string{"line 1", "line 2", "no number", "ignored", "listed"} {
		set.Parse(line(text))
	}
	from := line("line 3")
	from.Meta["source_ip"] = "192.0.2.1"
	set.Parse(from)
	want := map[string]float64{
		node("cs_node_hits_total", "test"):          5,
		node("cs_node_hits_ok_total", "test"):       3,
		node("cs_node_hits_ko_total", "test"):       2,
		node("cs_node_hits_total", "child-test"):    1,
		node("cs_node_hits_ok_total", "child-test"): 1,
		node("cs_node_hits_total", "list"):          6,
		node("cs_node_hits_ok_total", "list"):       6,
		list("cs_node_wl_hits_total", "list"):       11, // the address of the last line ends its look-up
		list("cs_node_wl_hits_ok_total", "list"):    2,
	}
	if got := b.counters(t); !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestLinesWithoutTypeAreCountedAsUnknown(t *testing.T) {
	t.Parallel()
	b := newBench(embedded(t))
	b.mustLoad(t, valid).Parse(event.New(event.Line{Src: "/var/log/test", Module: "file"}, event.Live))
	want := map[string]float64{
		"cs_node_hits_total{acquis_type=unknown,name=test," + labels:    1,
		"cs_node_hits_ok_total{acquis_type=unknown,name=test," + labels: 1,
	}
	if got := b.counters(t); !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}
