package event_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"shieldwall/internal/expression"
	"shieldwall/internal/logprocessor/event"
)

// TestSelectorIsOneByOne selects among the filters of all scenarios, and among some of them, and wants what the
// machine finds one by one: what is true, what fails, and what an event is like afterwards.
func TestSelectorIsOneByOne(t *testing.T) {
	t.Parallel()
	for name, corpus := range corpora(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			compareSelections(t, &corpus)
		})
	}
}

func compareSelections(t *testing.T, corpus *corpus) {
	t.Helper()
	pair := newPair(corpus.loaded())
	fast, slow := compileFilters(t, pair.fast, corpus.filters), compileFilters(t, pair.slow, corpus.filters)
	random := rand.New(rand.NewPCG(3, 4))
	var all tally
	selector := expression.NewSelector(fast)
	for range 200 {
		all.compare(t, selector, slow, filterEvent(random, corpus.filters))
	}
	all.compare(t, selector, slow, nil)
	for range 30 {
		var some, same []*expression.Bool
		var texts []string
		for range 1 + random.IntN(60) {
			i := random.IntN(len(fast))
			some, same, texts = append(some, fast[i]), append(same, slow[i]), append(texts, corpus.filters[i])
		}
		selector := expression.NewSelector(some)
		for range 20 {
			all.compare(t, selector, same, filterEvent(random, texts))
		}
	}
	t.Logf("measured: of %d filters asked %d were true and %d failed", all.asked, all.selected, all.failed)
	if all.selected == 0 {
		t.Error("no filter was true")
	}
}

// tally counts what was compared.
type tally struct{ asked, selected, failed int }

// filterEvent is an ordinary event with changes that some filters care about.
func filterEvent(random *rand.Rand, filters []string) *event.Event {
	var texts []string
	for range 1 + random.IntN(3) {
		texts = append(texts, filters[random.IntN(len(filters))])
	}
	evt := eventFor(random, strings.Join(texts, " "))
	if random.IntN(2) == 0 {
		ordinary := []func() *event.Event{nginxEvent, sshdEvent}[random.IntN(2)]()
		for key, value := range ordinary.Meta {
			if evt.Meta[key] == "" || random.IntN(3) == 0 {
				evt.Meta[key] = value
			}
		}
		for key, value := range ordinary.Parsed {
			if evt.Parsed[key] == "" || random.IntN(3) == 0 {
				evt.Parsed[key] = value
			}
		}
	}
	return evt
}

func (c *tally) compare(t *testing.T, selector *expression.Selector, slow []*expression.Bool, evt *event.Event) {
	t.Helper()
	a, b := evt, evt
	if evt != nil {
		a, b = copyOf(evt), copyOf(evt)
	}
	var got, want, gotErrors, wantErrors []string
	for _, i := range selector.Select(&event.Env{Evt: a}, nil, func(i int, err error) { gotErrors = append(gotErrors, fmt.Sprint(i, err)) }) {
		got = append(got, fmt.Sprint(i))
	}
	for i, filter := range slow {
		is, err := filter.Eval(&event.Env{Evt: b})
		switch {
		case err != nil:
			wantErrors = append(wantErrors, fmt.Sprint(i, err))
		case is:
			want = append(want, fmt.Sprint(i))
		}
	}
	if !slices.Equal(got, want) || !slices.Equal(gotErrors, wantErrors) {
		t.Fatalf("selects %v, errors %q\nwant %v, errors %q\nfor %+v", got, gotErrors, want, wantErrors, evt)
	}
	if evt != nil && fmt.Sprint(a.Meta, a.Parsed, a.Unmarshaled) != fmt.Sprint(b.Meta, b.Parsed, b.Unmarshaled) {
		t.Fatalf("the event is %+v, want %+v", a, b)
	}
	c.asked += len(slow)
	c.selected += len(got)
	c.failed += len(gotErrors)
}
