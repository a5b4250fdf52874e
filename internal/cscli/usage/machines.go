package usage

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"shieldwall/internal/domain"
	"shieldwall/internal/wire"
)

// Work is what one log processor has reported.
type Work struct {
	Acquisition []Source `json:"acquisition,omitempty"` // by source
	Parsers     []Parser `json:"parsers,omitempty"`     // by source, stage and name
}

// Source counts the lines of one source.
type Source struct {
	Source   string `json:"source"` // type:source (acquis_type)
	Read     int64  `json:"read"`
	Parsed   int64  `json:"parsed"`
	Unparsed int64  `json:"unparsed"`
}

// Parser counts what one parser did with the lines of one source.
type Parser struct {
	Source   string `json:"source"`
	Parser   string `json:"parser"`
	Stage    string `json:"stage"`
	Parsed   int64  `json:"parsed"`
	Unparsed int64  `json:"unparsed"`
}

// Machines sums up what log processors have reported, by their names.
func Machines(reports []domain.UsageReport) map[string]Work {
	bySender := map[string]*tally{}
	for i := range reports {
		report := &reports[i]
		if report.Kind != domain.UsageLogProcessor {
			continue
		}
		if bySender[report.From] == nil {
			bySender[report.From] = &tally{map[string]*Source{}, map[parserKey]*Parser{}}
		}
		for _, window := range wire.StoredUsage(report.Payload) {
			for _, item := range window.Items {
				bySender[report.From].add(item)
			}
		}
	}
	machines := make(map[string]Work, len(bySender))
	for name, t := range bySender {
		machines[name] = t.work()
	}
	return machines
}

// tally is work under way.
type tally struct {
	sources map[string]*Source
	parsers map[parserKey]*Parser
}

type parserKey struct{ source, stage, parser string }

func (t *tally) add(item wire.UsageItem) {
	value := Whole(item.Value)
	switch item.Name {
	case "read":
		t.source(item).Read += value
	case "global_parsed":
		t.source(item).Parsed += value
	case "global_unparsed":
		t.source(item).Unparsed += value
	case "parsed":
		t.parser(item).Parsed += value
	case "unparsed":
		t.parser(item).Unparsed += value
	}
}

func (t *tally) source(item wire.UsageItem) *Source {
	name := sourceOf(item)
	if t.sources[name] == nil {
		t.sources[name] = &Source{Source: name}
	}
	return t.sources[name]
}

func (t *tally) parser(item wire.UsageItem) *Parser {
	key := parserKey{sourceOf(item), item.Labels["parser_stage"], item.Labels["parser_name"]}
	if t.parsers[key] == nil {
		t.parsers[key] = &Parser{Source: key.source, Parser: key.parser, Stage: key.stage}
	}
	return t.parsers[key]
}

func (t *tally) work() (w Work) {
	for _, name := range slices.SortedFunc(maps.Keys(t.sources), compareSources) {
		w.Acquisition = append(w.Acquisition, *t.sources[name])
	}
	for _, key := range slices.SortedFunc(maps.Keys(t.parsers), compareParsers) {
		w.Parsers = append(w.Parsers, *t.parsers[key])
	}
	return w
}

// postoverflows stands for a source where what is parsed are overflows.
const postoverflows = "Postoverflows"

func sourceOf(item wire.UsageItem) string {
	if item.Labels["datasource_type"] == "" && item.Labels["source"] == "" {
		return postoverflows
	}
	name := item.Labels["datasource_type"] + ":" + item.Labels["source"]
	if kind := item.Labels["acquis_type"]; kind != "" {
		name += " (" + kind + ")"
	}
	return name
}

// compareSources puts overflows after all lines.
func compareSources(a, b string) int {
	switch {
	case a == b:
		return 0
	case a == postoverflows:
		return 1
	case b == postoverflows:
		return -1
	}
	return cmp.Compare(a, b)
}

func compareParsers(a, b parserKey) int {
	return cmp.Or(compareSources(a.source, b.source), cmp.Compare(a.stage, b.stage), cmp.Compare(a.parser, b.parser))
}

// mostExact is up to where every whole number has a float of its own.
const mostExact = 1 << 53

// Whole cuts a number off to a whole one, small enough that many can be added. What is no number is zero.
func Whole(value float64) int64 {
	if math.IsNaN(value) {
		return 0
	}
	return int64(max(-mostExact, min(value, mostExact)))
}
