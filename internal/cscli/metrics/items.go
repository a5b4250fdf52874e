package metrics

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/table"
)

// Page is what the engine counted when it was asked.
type Page struct{ samples samples }

// Ask reads the metrics at url, "" for those of this machine's engine.
func Ask(ctx context.Context, s *session.Session, url string) (Page, error) {
	if url == "" {
		url = defaultURL(s)
	}
	all, err := fetch(ctx, url)
	return Page{all}, err
}

// Parser returns the table of a parser, none when it had nothing to do.
func (p Page) Parser(name string, fancy bool) []*table.Table {
	t := table.Full(fancy)
	t.Title("(Parser) " + name)
	t.Header("Parsers", "Hits", "Parsed", "Unparsed")
	hits, parsed, unparsed := p.by("source", "cs_node_hits_total", name), p.by("source", "cs_node_hits_ok_total", name),
		p.by("source", "cs_node_hits_ko_total", name)
	for _, source := range slices.Sorted(maps.Keys(hits)) {
		t.Row(source, whole(hits[source]), whole(parsed[source]), whole(unparsed[source]))
	}
	if len(hits) == 0 {
		return nil
	}
	return []*table.Table{t}
}

// Scenario returns the table of a scenario, none when it had nothing to do.
func (p Page) Scenario(name string, fancy bool) []*table.Table {
	t := table.Full(fancy)
	t.Title("(Scenario) " + name)
	t.Header("Current Count", "Overflows", "Instantiated", "Poured", "Expired")
	cells, known := make([]string, 0, 5), false
	for _, family := range []string{
		"cs_buckets", "cs_bucket_overflowed_total", "cs_bucket_instantiation_total", "cs_bucket_poured_total", "cs_bucket_underflowed_total",
	} {
		total, found := p.total(family, name)
		cells, known = append(cells, whole(total)), known || found
	}
	if !known {
		return nil
	}
	t.Row(cells...)
	return []*table.Table{t}
}

// AppsecRule returns the table of a rule of the web application firewall, none when nothing met it.
func (p Page) AppsecRule(name string, fancy bool) []*table.Table {
	met := map[string]float64{}
	for _, one := range p.samples["cs_appsec_rule_hits"] {
		if one.labels["rule_name"] == name {
			met[one.labels["type"]] += one.value
		}
	}
	if len(met) == 0 {
		return nil
	}
	t := table.Light(fancy)
	t.Title("(AppSec) " + name)
	t.Header("Inband Hits", "Outband Hits")
	t.Row(whole(met["inband"]), whole(met["outofband"]))
	return []*table.Table{t}
}

// by sums the numbers of an item by the value of a label.
func (p Page) by(label, family, name string) map[string]float64 {
	sums := map[string]float64{}
	for _, one := range p.samples[family] {
		if one.labels["name"] == name {
			sums[one.labels[label]] += one.value
		}
	}
	return sums
}

func (p Page) total(family, name string) (sum float64, found bool) {
	for _, one := range p.samples[family] {
		if one.labels["name"] == name {
			sum, found = sum+one.value, true
		}
	}
	return sum, found
}

func whole(number float64) string { return strconv.FormatInt(int64(number), 10) }
