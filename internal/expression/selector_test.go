package expression_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"shieldwall/internal/expression"
)

func TestSelectorIsOneByOne(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	filter := rapid.OneOf(flagExpression(2), routedFilter())
	rapid.Check(t, func(t *rapid.T) {
		texts := slices.DeleteFunc(rapid.SliceOfN(filter, 0, 70).Draw(t, "filters"), func(text string) bool {
			_, err := p.slow.CompileBool(text, variables{})
			return err != nil
		})
		fast, slow := compileFilters(t, p.fast, texts), compileFilters(t, p.slow, texts)
		selector := expression.NewSelector(fast)
		for range 3 {
			compareSelected(t, selector, slow, texts, drawVariables(t))
		}
		compareSelected(t, selector, slow, texts, nil)
	})
}

// routedFilter is what filters of scenarios look like: which lines, and what is in them.
func routedFilter() *rapid.Generator[string] {
	kind := rapid.OneOf(pattern("labels.a == %s", constant()), pattern("labels.a in [%s, %s]", constant(), constant()), pattern("Upper(labels.a) == Upper(%s)", constant()))
	content := rapid.OneOf(pattern("text contains %s", constant()), pattern("Lower(text) contains Lower(%s)", constant()), pattern("Upper(other) endsWith Upper(%s)", constant()),
		pattern("text matches '(?i)%s'", rapid.SampledFrom([]string{"a.b", "7|8", "lines?", "[xy]b", "k"})), pattern("any(['b', 'a7', 'é'], {Lower(text) contains #})"),
		pattern("(other == %s || other contains %s)", constant(), constant()), pattern("any(File('lines.txt'), {text contains #})"),
		pattern("(let x = Lower(text); x contains %s or x startsWith %s)", constant(), constant()), pattern("thing.Rename(%s, 'x')", constant()),
		pattern("labels.b == %s", constant()), pattern("int(text) > 3"), pattern("value.a == 'a'"), pattern("list == ['a']"))
	return rapid.OneOf(pattern("%s && %s", kind, content), pattern("%s and %s and (%s)", kind, content, content), pattern("(%s && %s) || %s", kind, content, kind), kind, content,
		pattern("%s && %s && %s", content, kind, content), pattern("%s ? %s : false", kind, content), pattern("thing.Name == %s && %s", constant(), content))
}

func compileFilters(t reporter, library *expression.Library, texts []string) []*expression.Bool {
	t.Helper()
	filters := make([]*expression.Bool, 0, len(texts))
	for _, text := range texts {
		filter, err := library.CompileBool(text, variables{})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		filters = append(filters, filter)
	}
	return filters
}

// compareSelected wants what the machine finds one by one: what is true, what fails, and what changes.
func compareSelected(t reporter, selector *expression.Selector, slow []*expression.Bool, texts []string, vars func() *variables) {
	t.Helper()
	var a, b *variables
	if vars != nil {
		a, b = vars(), vars()
	}
	var want, gotErrors, wantErrors []string
	var got []string
	for _, i := range selector.Select(a, nil, func(i int, err error) { gotErrors = append(gotErrors, fmt.Sprint(texts[i], err)) }) {
		got = append(got, texts[i])
	}
	for i, filter := range slow {
		is, err := filter.Eval(b)
		switch {
		case err != nil:
			wantErrors = append(wantErrors, fmt.Sprint(texts[i], err))
		case is:
			want = append(want, texts[i])
		}
	}
	if !slices.Equal(got, want) || !slices.Equal(gotErrors, wantErrors) {
		t.Fatalf("selects %q, errors %q\nwant %q, errors %q", got, gotErrors, want, wantErrors)
	}
	if a != nil && describe(*a) != describe(*b) {
		t.Fatalf("leaves %s\nwant %s", describe(*a), describe(*b))
	}
}

func TestSelectorIsShared(t *testing.T) {
	t.Parallel()
	var texts []string
	for i := range 40 {
		texts = append(texts, fmt.Sprintf("labels.a in ['%d', 'x'] && Lower(text) contains 'part%d'", i%5, i), fmt.Sprintf("text == 'part%d'", i))
	}
	p := newPair(t)
	fast, slow := compileFilters(t, p.fast, texts), compileFilters(t, p.slow, texts)
	selector := expression.NewSelector(fast)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for j := range 50 {
				compareSelected(t, selector, slow, texts, func() *variables {
					return &variables{Text: fmt.Sprintf("pArt%d", (i+j)%40), Labels: map[string]string{"a": fmt.Sprint(j % 7)}}
				})
			}
		})
	}
	group.Wait()
}

// forgotten is how much may be allocated because the race detector makes pools forget.
const forgotten = 20

func TestSelectAllocatesNothing(t *testing.T) {
	var texts []string
	for i := range 100 {
		texts = append(texts, fmt.Sprintf("labels.a in ['3', 'x'] && Lower(text) contains 'thing' && Upper(text) != 'X%d'", i))
	}
	selector := expression.NewSelector(compileFilters(t, expression.New(expression.Deps{}), texts))
	env := &variables{Text: "Nothing Of It", Labels: map[string]string{"a": "3"}}
	into := make([]int, 0, len(texts))
	allocations := testing.AllocsPerRun(100, func() { into = selector.Select(env, into[:0], nil) })
	if allocations > forgotten || len(into) != len(texts) {
		t.Errorf("%v allocations to find %d of %d", allocations, len(into), len(texts))
	}
}

func TestDirectAllocatesNothing(t *testing.T) {
	filter, err := expression.New(expression.Deps{}).CompileBool(
		`labels.a == 'x' && (let x = Lower(text); x contains 'b' || any(['c', 'd'], {x endsWith #})) && other in ['', 'z'] && Upper(other) != 'B' &&
			not (Lower(other) contains 'ab')`, variables{})
	if err != nil {
		t.Fatal(err)
	}
	env := &variables{Text: "abc", Other: "z", Labels: map[string]string{"a": "x"}}
	allocations := testing.AllocsPerRun(10, func() {
		for range 100 {
			if is, err := filter.Eval(env); err != nil || !is {
				t.Errorf("yields %v, %v", is, err)
			}
		}
	})
	if allocations > 3*forgotten {
		t.Errorf("%v allocations in 100 evaluations", allocations)
	}
}
