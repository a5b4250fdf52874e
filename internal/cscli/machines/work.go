package machines

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"shieldwall/internal/cscli/table"
	"shieldwall/internal/domain"
	"shieldwall/internal/wire"
)

// work is what a machine has reported of its work, summed up.
type work struct {
	Acquisition []sourceWork `json:"acquisition,omitempty"`
	Parsers     []parserWork `json:"parsers,omitempty"`
}

type sourceWork struct {
	Source   string `json:"source"`
	Read     int64  `json:"read"`
	Parsed   int64  `json:"parsed"`
	Unparsed int64  `json:"unparsed"`
}

type parserWork struct {
	Source   string `json:"source"`
	Parser   string `json:"parser"`
	Stage    string `json:"stage"`
	Parsed   int64  `json:"parsed"`
	Unparsed int64  `json:"unparsed"`
}

// parserKey is what the work of parsers is summed up by.
type parserKey struct{ source, stage, parser string }

// workOf sums up what the machine has reported. Reports that cannot be read count for nothing.
func workOf(machine string, reports []domain.UsageReport) work {
	sources, parsers := map[string]*sourceWork{}, map[parserKey]*parserWork{}
	for _, report := range reports {
		if report.Kind != domain.UsageLogProcessor || report.From != machine {
			continue
		}
		var payload struct {
			Metrics []wire.UsageWindow `json:"metrics"`
		}
		_ = json.Unmarshal([]byte(report.Payload), &payload)
		for _, window := range payload.Metrics {
			for _, item := range window.Items {
				addSource(sources, item)
				addParser(parsers, item)
			}
		}
	}
	var sum work
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		sum.Acquisition = append(sum.Acquisition, *sources[name])
	}
	for _, key := range slices.SortedFunc(maps.Keys(parsers), compareParsers) {
		sum.Parsers = append(sum.Parsers, *parsers[key])
	}
	return sum
}

func compareParsers(a, b parserKey) int {
	return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.stage, b.stage), cmp.Compare(a.parser, b.parser))
}

// sourceOf names where lines came from: "type:source (acquis_type)".
func sourceOf(item wire.UsageItem) string {
	name := item.Labels["datasource_type"] + ":" + item.Labels["source"]
	if kind := item.Labels["acquis_type"]; kind != "" {
		name += " (" + kind + ")"
	}
	return name
}

func addSource(sources map[string]*sourceWork, item wire.UsageItem) {
	counts := map[string]func(*sourceWork) *int64{
		"read":            func(w *sourceWork) *int64 { return &w.Read },
		"global_parsed":   func(w *sourceWork) *int64 { return &w.Parsed },
		"global_unparsed": func(w *sourceWork) *int64 { return &w.Unparsed },
	}
	count, ok := counts[item.Name]
	if !ok {
		return
	}
	name := sourceOf(item)
	if sources[name] == nil {
		sources[name] = &sourceWork{Source: name}
	}
	*count(sources[name]) += int64(item.Value)
}

func addParser(parsers map[parserKey]*parserWork, item wire.UsageItem) {
	if item.Name != "parsed" && item.Name != "unparsed" {
		return
	}
	key := parserKey{sourceOf(item), item.Labels["parser_stage"], item.Labels["parser_name"]}
	if parsers[key] == nil {
		parsers[key] = &parserWork{Source: key.source, Parser: key.parser, Stage: key.stage}
	}
	if item.Name == "parsed" {
		parsers[key].Parsed += int64(item.Value)
	} else {
		parsers[key].Unparsed += int64(item.Value)
	}
}

// tables draws what there is to tell.
func (w work) tables(fancy bool) (tables []*table.Table) {
	if len(w.Acquisition) > 0 {
		t := table.Full(fancy)
		t.Title("Acquisition Metrics")
		t.Header("Source", "Read", "Parsed", "Unparsed")
		for _, s := range w.Acquisition {
			t.Row(s.Source, number(s.Read), number(s.Parsed), number(s.Unparsed))
		}
		tables = append(tables, t)
	}
	if len(w.Parsers) > 0 {
		t := table.Full(fancy)
		t.Title("Parser Metrics")
		t.Header("Source", "Parser", "Parsed", "Unparsed")
		for _, p := range w.Parsers {
			t.Row(p.Source, p.Stage+"/"+p.Parser, number(p.Parsed), number(p.Unparsed))
		}
		tables = append(tables, t)
	}
	return tables
}

func number(n int64) string { return strconv.FormatInt(n, 10) }
