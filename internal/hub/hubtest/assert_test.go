package hubtest

import (
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"shieldwall/internal/expression"
	"shieldwall/internal/logprocessor/dump"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/wire"
)

func TestComparison(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		left, right string
		ok          bool
	}{
		`len(results) == 3`:        {`len(results) `, ` 3`, true},
		`a["x == y"] == "z"`:       {`a["x == y"] `, ` "z"`, true},
		`a['=='] == "z"`:           {`a['=='] `, ` "z"`, true},
		"a[`\\` ] == `==`":         {"a[`\\` ] ", " `==`", true},
		`a["\""] == "== \" =="`:    {`a["\""] `, ` "== \" =="`, true},
		`"1.2.3.4" in results`:     {"", "", false},
		`"never closed == "`:       {"", "", false},
		`"ends with a backslash\`:  {"", "", false},
		`results[0].Success`:       {"", "", false},
		`a == b == c`:              {`a `, ` b == c`, true},
		``:                         {"", "", false},
		`FloatApproxEqual(a, 1.0)`: {"", "", false},
	} {
		left, right, ok := comparison(text)
		if left != want.left || right != want.right || ok != want.ok {
			t.Errorf("%s: got %q, %q, %t", text, left, right, ok)
		}
	}
}

func TestPortable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`a.Evt.Meta["datasource_path"] == "x.log"`:           `basename(a.Evt.Meta["datasource_path"]) == "x.log"`,
		`a.GetMeta("datasource_path") == "x.log"`:            `basename(a.GetMeta("datasource_path")) == "x.log"`,
		`basename(a.Evt.Meta["datasource_path"]) == "x.log"`: `basename(a.Evt.Meta["datasource_path"]) == "x.log"`,
		`"datasource_path" in a.Evt.Meta`:                    `"datasource_path" in a.Evt.Meta`,
		`a.Evt.Meta["machine"] == "x.log"`:                   `a.Evt.Meta["machine"] == "x.log"`,
	} {
		if got := portable(text); got != want {
			t.Errorf("%s: got %s", text, got)
		}
	}
}

func TestParseAsserts(t *testing.T) {
	t.Parallel()
	got := parseAsserts("x.assert", "\n  a == 1 \r\n\n\tb\n   \nc")
	want := []Assert{{"x.assert", 2, "a == 1"}, {"x.assert", 4, "b"}, {"x.assert", 6, "c"}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func newTestJudge() *Judge { return NewJudge(expression.New(expression.Deps{})) }

func parsed(fields map[string]string) dump.ParserResults {
	evt := event.Event{
		Parsed: fields, Meta: map[string]string{"datasource_path": "/somewhere/x.log"},
		Unmarshaled: map[string]any{"doc": map[string]any{"n": 4, "f": 1.25}},
	}
	return dump.ParserResults{
		"s01-parse": {"a/p": {{Idx: 1, Evt: evt, Success: true}}},
		"success":   {"": {}},
	}
}

func TestJudgeParsers(t *testing.T) {
	t.Parallel()
	results := parsed(map[string]string{"program": "sshd", "empty": ""})
	for text, want := range map[string]string{
		`len(results) == 2`:                                                            "",
		`len(results["s01-parse"]["a/p"]) == 1`:                                        "",
		`results["s01-parse"]["a/p"][0].Success == true`:                               "",
		`results["s01-parse"]["a/p"][0].Evt.Parsed["program"] == "sshd"`:               "",
		`results["s01-parse"]["a/p"][0].Evt.Parsed["empty"] == ""`:                     "",
		`results["s01-parse"]["a/p"][0].Evt.Parsed["program"][2:] == "hd"`:             "",
		`results["s01-parse"]["a/p"][0].Evt.Meta["datasource_path"] == "x.log"`:        "",
		`results["s01-parse"]["a/p"][0].Evt.Unmarshaled["doc"]["n"] == 4`:              "",
		`FloatApproxEqual(results["s01-parse"]["a/p"][0].Evt.Unmarshaled.doc.f, 1.25)`: "",
		`Upper(results["s01-parse"]["a/p"][0].Evt.Parsed["program"]) == "SSHD"`:        "",
		`results["s01-parse"]["a/p"][0].Evt.Parsed["program"] == "cron"`:               `"sshd"`,
		`results["s01-parse"]["a/p"][0].Success == false`:                              "true",
		`len(filter(results["s01-parse"]["a/p"], .Success == false)) == 7`:             "0",
		`results["s01-parse"]["a/p"][1].Success == true`:                               "out of range",
		`results["s01-parse"]["a/other"][0].Success == true`:                           "out of range",
		`results["s01-parse"]["a/p"][0].Nope == true`:                                  "Nope",
		`len(results)`: "bool",
		`nonsense(`:    "unexpected",
	} {
		failures := newTestJudge().Parsers([]Assert{{"parser.assert", 1, text}}, results)
		if want == "" {
			if len(failures) != 0 {
				t.Errorf("%s: got %+v", text, failures)
			}
			continue
		}
		if len(failures) != 1 || !strings.Contains(failures[0].Actual+" "+errorText(failures[0].Err), want) {
			t.Errorf("%s: got %+v, want %q", text, failures, want)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// overflow returns one of a scenario with the addresses as its sources.
func overflow(scenario string, addresses ...string) event.Event {
	sources := map[string]*wire.Source{}
	for _, address := range addresses {
		sources[address] = &wire.Source{Scope: "Ip", Value: address, IP: address}
	}
	return event.Event{Type: event.Overflow, Overflow: event.RuntimeAlert{
		Sources: sources,
		Alert: &wire.Alert{
			Scenario: scenario, EventsCount: 6, Remediation: true,
			Events: []wire.Event{{Meta: []wire.MetaItem{{Key: "datasource_path", Value: "/somewhere/x.log"}}}},
		},
	}}
}

func TestJudgeOverflows(t *testing.T) {
	t.Parallel()
	results := []event.Event{overflow("a/bf", "192.0.2.1", "2001:db8::1")}
	for text, holds := range map[string]bool{
		`len(results) == 1`: true,
		`"192.0.2.1" in results[0].Overflow.GetSources()`:                              true,
		`results[0].Overflow.Sources["2001:db8::1"].IP == "2001:db8::1"`:               true,
		`results[0].Overflow.Sources["192.0.2.1"].GetScope() == "Ip"`:                  true,
		`results[0].Overflow.Sources["192.0.2.1"].Range == ""`:                         true,
		`results[0].Overflow.Alert.Events[0].GetMeta("datasource_path") == "x.log"`:    true,
		`results[0].Overflow.Alert.GetScenario() == "a/bf"`:                            true,
		`results[0].Overflow.Alert.Remediation == true`:                                true,
		`results[0].Overflow.Alert.GetEventsCount() == 6`:                              true,
		`"192.0.2.2" in results[0].Overflow.GetSources()`:                              false,
		`results[0].Overflow.Sources["192.0.2.2"].IP == "192.0.2.2"`:                   false,
		`results[1].Overflow.Alert.GetScenario() == "a/bf"`:                            false,
		`results[0].Overflow.Alert.GetScenario() == "a/bf" && len(results) == 2`:       false,
		`results[0].Overflow.Alert.Events[0].GetMeta("datasource_path") == "y.log"`:    false,
		`FloatApproxEqual(1.0, 1.0) && results[0].Overflow.Alert.GetEventsCount() > 5`: true,
	} {
		failures := newTestJudge().Overflows([]Assert{{"scenario.assert", 1, text}}, results)
		if (len(failures) == 0) != holds {
			t.Errorf("%s: got %+v", text, failures)
		}
	}
}

func TestSort(t *testing.T) {
	t.Parallel()
	overflows := []event.Event{
		overflow("a/bf", "192.0.2.1"), overflow("a/bf_user-enum", "192.0.2.1"), overflow("a/bf", "192.0.2.2"),
		overflow("a/bf", "192.0.2.10"), overflow("b/bf"), overflow("a/bf", "192.0.2.1", "1.1.1.1"),
	}
	overflows[0].MarshaledTime = "first"
	again := overflow("a/bf", "192.0.2.1")
	overflows = append(overflows, again)
	Sort(overflows)
	var got []string
	for _, o := range overflows {
		sources := o.Overflow.GetSources()
		slices.Sort(sources)
		got = append(got, strings.TrimSpace(o.Overflow.Alert.Scenario+" "+strings.Join(sources, " ")+" "+o.MarshaledTime))
	}
	want := []string{
		"b/bf", "a/bf_user-enum 192.0.2.1", "a/bf 192.0.2.2", "a/bf 192.0.2.10", "a/bf 192.0.2.1 first", "a/bf 192.0.2.1",
		"a/bf 1.1.1.1 192.0.2.1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestSortOfManyEquals: the order of published assertions is that of Go's sort, which is not stable beyond twelve.
func TestSortOfManyEquals(t *testing.T) {
	t.Parallel()
	var overflows []event.Event
	for i := range 40 {
		one := overflow([]string{"a/bf", "b/bf"}[i/3%2], "192.0.2.1")
		one.MarshaledTime = strconv.Itoa(i)
		overflows = append(overflows, one)
	}
	want := slices.Clone(overflows)
	sort.Slice(want, func(i, j int) bool { return rank(want[i]) > rank(want[j]) })
	Sort(overflows)
	for i := range overflows {
		if overflows[i].MarshaledTime != want[i].MarshaledTime {
			t.Fatalf("place %d: got %s, want %s", i, overflows[i].MarshaledTime, want[i].MarshaledTime)
		}
	}
}

func FuzzAsserts(f *testing.F) {
	f.Add("len(results) == 2\n\n  results[\"s01-parse\"][\"a/p\"][0].Evt.Parsed[\"program\"] == \"a \\\" == b\"\r\n")
	f.Add("basename(results['x'][`y`][0].Evt.Meta[\"datasource_path\"]) == 'x'")
	f.Add("\"a\\")
	judge, results := newTestJudge(), parsed(map[string]string{"program": "sshd"})
	f.Fuzz(func(t *testing.T, text string) {
		asserts := parseAsserts("x.assert", text)
		lines := strings.Split(text, "\n")
		for _, assert := range asserts {
			if assert.Line > len(lines) || strings.TrimSpace(lines[assert.Line-1]) != assert.Text || assert.Text == "" {
				t.Fatalf("%+v is not in the text", assert)
			}
			if left, right, ok := comparison(assert.Text); ok && left+"=="+right != assert.Text {
				t.Fatalf("%q was split into %q and %q", assert.Text, left, right)
			}
			if once := portable(assert.Text); portable(once) != once {
				t.Fatalf("%q becomes %q and then %q", assert.Text, once, portable(once))
			}
		}
		judge.Parsers(asserts, results)
	})
}
