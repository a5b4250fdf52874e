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
			vars := drawVariables(t)
			for range 3 { // what is found in long texts is remembered
				compareSelected(t, selector, slow, texts, vars)
			}
		}
		compareSelected(t, selector, slow, texts, nil)
	})
}

// routedFilter is what filters of scenarios look like: which lines, and what is in them.
func routedFilter() *rapid.Generator[string] {
	kind := rapid.OneOf(pattern("labels.a == %s", constant()), pattern("labels.a in [%s, %s]", constant(), constant()), pattern("Upper(labels.a) == Upper(%s)", constant()),
		pattern("labels.a == %s && labels.a in [%s, %s]", constant(), constant(), constant()),
		pattern("(labels.a == %s && text == %s || labels.a == %s) && labels.a == %s", constant(), constant(), constant(), constant()))
	content := rapid.OneOf(pattern("text contains %s", constant()), pattern("Lower(text) contains Lower(%s)", constant()), pattern("Upper(other) endsWith Upper(%s)", constant()),
		pattern("text matches '(?i)%s'", rapid.SampledFrom([]string{"a.b", "7|8", "lines?", "[xy]b", "k"})), pattern("any(['b', 'a7', 'é'], {Lower(text) contains #})"),
		pattern("(other == %s || other contains %s)", constant(), constant()), pattern("any(File('lines.txt'), {text contains #})"),
		pattern("(let x = Lower(text); x contains %s or x startsWith %s)", constant(), constant()), pattern("thing.Rename(%s, 'x')", constant()),
		pattern("QueryUnescape(text) contains %s", constant()), pattern("Upper(PathUnescape(other)) startsWith %s", constant()), pattern("Lower(QueryUnescape(text)) == %s", constant()),
		rapid.SampledFrom([]string{
			"RegexpInFile(text, 'lines.re')", "RegexpInFile(Lower(text), 'all.re')", "RegexpInFile(PathUnescape(text), 'literal.re')", "any(File('lines.txt'), {Upper(other) endsWith Upper(#)})",
			"any(File('missing.txt'), {text contains #})", "any(File('lines.txt'), {text == # or Lower(other) contains Lower(#)})", "any(File('letters.txt'), {Lower(QueryUnescape(text)) contains #})",
			`text contains "\xff"`, "any(File('letters.txt'), {text startsWith #})",
		}),
		pattern("(let x = labels.a; x == %s && (let y = Lower(text); y contains 'b' && x != y))", constant()), pattern("(let n = int(text); labels.a == %s && n > 3)", constant()),
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

// What is settled on the way to a filter is left out of it, unless there is a way to it on which it is not.
func TestSelectorSettlesOnAllWays(t *testing.T) {
	t.Parallel()
	texts := []string{"labels.a in ['x', 'ab', 'b'] && labels.b == '1'", "labels.a in ['b', 'ab', 'x'] && labels.b == '1' && text == 'b'"}
	for i := range 8 {
		texts = append(texts, fmt.Sprintf("labels.a == 'x' && labels.b == '%d'", i%3))
	}
	p := newPair(t)
	fast, slow := compileFilters(t, p.fast, texts), compileFilters(t, p.slow, texts)
	selector := expression.NewSelector(fast)
	for _, a := range []string{"", "x", "b", "ab"} {
		for _, b := range []string{"", "1", "2"} {
			compareSelected(t, selector, slow, texts, func() *variables {
				return &variables{Text: "b", Labels: map[string]string{"a": a, "b": b}}
			})
		}
	}
}

// A text that is unescaped has literals that are not in what it is made from.
func TestSelectorSearchesBehindEscapes(t *testing.T) {
	t.Parallel()
	var texts []string
	for _, function := range []string{"QueryUnescape", "PathUnescape"} {
		for _, literal := range []string{"ab", "a b", "/etc/passwd", "éa", "AB"} {
			texts = append(texts, fmt.Sprintf("%s(text) contains '%s'", function, literal), fmt.Sprintf("Upper(%s(text)) endsWith Upper('%s')", function, literal))
		}
	}
	p := newPair(t)
	fast, slow := compileFilters(t, p.fast, texts), compileFilters(t, p.slow, texts)
	selector := expression.NewSelector(fast)
	for _, text := range []string{"", "ab", "%61b", "a+b", "a%20b", "%2fetc%2Fpasswd", "%zzab", "a%62%zz", "%C3%A9a", "éA", "%41B", "AB+"} {
		compareSelected(t, selector, slow, texts, func() *variables { return &variables{Text: text} })
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
