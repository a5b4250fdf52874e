package usage

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/wire"
)

// kind is how a family of counters is told.
type kind struct {
	name, unit string
	labels     map[string]string // published label → label of the counter
}

// kindOf says how a family is told, if it is.
func kindOf(family string) (kind, bool) {
	line := map[string]string{"datasource_type": "type", "source": "source", "acquis_type": "acquis_type"}
	with := func(more map[string]string) map[string]string {
		labels := maps.Clone(line)
		maps.Copy(labels, more)
		return labels
	}
	node := with(map[string]string{"parser_name": "name", "parser_stage": "stage"})
	appsec := map[string]string{"appsec_engine": "appsec_engine"}
	switch family {
	case "cs_node_hits_ok_total":
		return kind{"parsed", "line", node}, true
	case "cs_node_hits_ko_total":
		return kind{"unparsed", "line", node}, true
	case "cs_node_wl_hits_ok_total":
		return kind{"whitelisted", "event", with(map[string]string{"whitelist_name": "name", "whitelist_stage": "stage"})}, true
	case "cs_parser_hits_ok_total":
		return kind{"global_parsed", "line", line}, true
	case "cs_parser_hits_ko_total":
		return kind{"global_unparsed", "line", line}, true
	case "cs_appsec_reqs_total":
		return kind{"appsec_processed", "request", appsec}, true
	case "cs_appsec_block_total":
		return kind{"appsec_blocked", "request", appsec}, true
	}
	return kind{"read", "line", nil}, isOfSource(family)
}

// isOfSource reports whether a family counts what a data source has read. A syslog server reads more than
// what it can make lines of; a Kinesis stream counts its shards once more.
func isOfSource(family string) bool {
	switch family {
	case "cs_syslogsource_parsed_total":
		return true
	case "cs_syslogsource_hits_total", "cs_kinesis_shards_hits_total", "cs_node_hits_total", "cs_parser_hits_total", "cs_node_wl_hits_total":
		return false
	}
	return strings.HasSuffix(family, "_hits_total")
}

// series is one number to tell, without its value.
type series struct {
	name, unit string
	labels     string // encoded, so that series can be compared
}

// childPrefix begins the names of the unnamed parts of a parser, which are not told.
const childPrefix = "child-"

// collect returns everything that was ever counted.
func collect(from prometheus.Gatherer) (map[series]float64, error) {
	families, err := from.Gather()
	if err != nil {
		return nil, fmt.Errorf("reading the counters: %w", err)
	}
	totals := map[series]float64{}
	for _, family := range families {
		told, ok := kindOf(family.GetName())
		if !ok {
			continue
		}
		for _, metric := range family.GetMetric() {
			labels := map[string]string{}
			for _, pair := range metric.GetLabel() {
				labels[pair.GetName()] = pair.GetValue()
			}
			if !strings.HasPrefix(labels["name"], childPrefix) {
				totals[series{told.name, told.unit, told.encode(labels)}] += metric.GetCounter().GetValue()
			}
		}
	}
	return totals, nil
}

func (k kind) encode(counter map[string]string) string {
	var pairs []string
	for name, from := range k.labelsOf(counter) {
		pairs = append(pairs, name+"\x00"+from)
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "\x00")
}

// labelsOf returns the published labels of a counter.
func (k kind) labelsOf(counter map[string]string) map[string]string {
	if k.labels == nil {
		return map[string]string{
			"datasource_type": counter["datasource_type"], "acquis_type": counter["acquis_type"],
			"source": cmp.Or(counter["source"], counter["src"], counter["topic"], counter["stream"], counter["bucket"]),
		}
	}
	labels := map[string]string{}
	for name, from := range k.labels {
		labels[name] = counter[from]
	}
	return labels
}

// item tells how much was counted since before, nothing if that is zero.
func (s series) item(now, before float64) (wire.UsageItem, bool) {
	if now < before { // the counters began anew
		before = 0
	}
	item := wire.UsageItem{Name: s.name, Unit: s.unit, Value: now - before, Labels: map[string]string{}}
	parts := strings.Split(s.labels, "\x00")
	for i := 0; i+1 < len(parts); i += 2 {
		item.Labels[parts[i]] = parts[i+1]
	}
	return item, item.Value > 0
}

// items tells what was counted between two collections, in a fixed order.
func items(now, before map[series]float64) []wire.UsageItem {
	list := []wire.UsageItem{}
	for _, s := range slices.SortedFunc(maps.Keys(now), compareSeries) {
		if item, ok := s.item(now[s], before[s]); ok {
			list = append(list, item)
		}
	}
	return list
}

func compareSeries(a, b series) int {
	return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.unit, b.unit), cmp.Compare(a.labels, b.labels))
}
