package explain

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"shieldwall/internal/logprocessor/dump"
	"shieldwall/internal/logprocessor/event"
)

// trace is what happened to one line.
type trace struct {
	raw       string
	at        time.Time
	stages    []stage
	last      event.Event // as the last parser that understood it left it
	reached   bool        // it came to the scenarios
	scenarios []string    // into which it was poured, sorted
}

// stage is one stage that a line came to.
type stage struct {
	name   string
	visits []visit
}

// visit is what one parser made of a line.
type visit struct {
	parser      string
	success     bool
	whitelisted bool // by this parser
	changes     []change
}

// identity tells lines apart: their times are distinct by contract.
type identity struct {
	at  int64
	raw string
}

func identify(evt event.Event) identity { return identity{evt.Line.Time.UnixNano(), evt.Line.Raw} }

// whitelisted reports whether the line was understood and then left out on purpose.
func (t *trace) whitelisted() bool {
	return t.last.Whitelisted && len(t.stages) > 0 &&
		slices.ContainsFunc(t.stages[len(t.stages)-1].visits, func(v visit) bool { return v.success })
}

func (t *trace) understood() bool { return t.reached || t.whitelisted() }

// traces follows every line of a run through its dumps, in the order of the log.
func traces(parsers dump.ParserResults, pours dump.Pours) []*trace {
	followed := map[identity]*trace{}
	stages := parsers.Stages()
	for _, name := range slices.Sorted(maps.Keys(stages)) {
		for _, parser := range inOrder(stages[name]) {
			for _, result := range stages[name][parser] {
				if result.Evt.Type == event.Log {
					follow(followed, name, parser, result)
				}
			}
		}
	}
	pour(followed, pours)
	return slices.SortedStableFunc(maps.Values(followed), func(a, b *trace) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.raw, b.raw))
	})
}

// inOrder returns the names of the parsers of a stage in the order in which they run.
func inOrder(parsers map[string][]dump.ParserResult) []string {
	rank := func(name string) int {
		if len(parsers[name]) == 0 {
			return 0
		}
		return parsers[name][0].Idx
	}
	return slices.SortedFunc(maps.Keys(parsers), func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
	})
}

func follow(followed map[identity]*trace, name, parser string, result dump.ParserResult) {
	id := identify(result.Evt)
	t := followed[id]
	if t == nil {
		t = &trace{raw: result.Evt.Line.Raw, at: result.Evt.Line.Time}
		followed[id] = t
	}
	if len(t.stages) == 0 || t.stages[len(t.stages)-1].name != name {
		t.stages = append(t.stages, stage{name: name})
	}
	current := &t.stages[len(t.stages)-1]
	if !result.Success {
		current.visits = append(current.visits, visit{parser: parser})
		return
	}
	current.visits = append(current.visits, visit{
		parser: parser, success: true, changes: diff(t.last, result.Evt),
		whitelisted: result.Evt.Whitelisted && !t.last.Whitelisted,
	})
	t.last = result.Evt
}

func pour(followed map[identity]*trace, pours dump.Pours) {
	for _, evt := range pours.Reached() {
		if t := followed[identify(evt)]; t != nil {
			t.reached = true
		}
	}
	scenarios := pours.Scenarios()
	for _, name := range slices.Sorted(maps.Keys(scenarios)) {
		for _, evt := range scenarios[name] {
			if t := followed[identify(evt)]; t != nil && !slices.Contains(t.scenarios, name) {
				t.scenarios = append(t.scenarios, name)
			}
		}
	}
}
