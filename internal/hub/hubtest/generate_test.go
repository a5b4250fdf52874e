package hubtest

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"shieldwall/internal/logprocessor/dump"
	"shieldwall/internal/logprocessor/event"
)

func TestParserAssertsSayAllThatMatters(t *testing.T) {
	t.Parallel()
	results := parsed(map[string]string{"program": "ss\"hd", "empty": ""})
	results["s01-parse"]["a/p"] = append(results["s01-parse"]["a/p"], dump.ParserResult{Idx: 1})
	want := `len(results) == 2
len(results["s01-parse"]["a/p"]) == 2
results["s01-parse"]["a/p"][0].Success == true
results["s01-parse"]["a/p"][0].Evt.Parsed["program"] == "ss\"hd"
basename(results["s01-parse"]["a/p"][0].Evt.Meta["datasource_path"]) == "x.log"
FloatApproxEqual(results["s01-parse"]["a/p"][0].Evt.Unmarshaled["doc"]["f"], 1.25)
results["s01-parse"]["a/p"][0].Evt.Unmarshaled["doc"]["n"] == 4
results["s01-parse"]["a/p"][0].Evt.Whitelisted == false
results["s01-parse"]["a/p"][1].Success == false
len(results["success"][""]) == 0
`
	if got := ParserAsserts(results); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestScenarioAssertsSayAllThatMatters(t *testing.T) {
	t.Parallel()
	want := `len(results) == 1
"192.0.2.1" in results[0].Overflow.GetSources()
results[0].Overflow.Sources["192.0.2.1"].IP == "192.0.2.1"
results[0].Overflow.Sources["192.0.2.1"].Range == ""
results[0].Overflow.Sources["192.0.2.1"].GetScope() == "Ip"
results[0].Overflow.Sources["192.0.2.1"].GetValue() == "192.0.2.1"
basename(results[0].Overflow.Alert.Events[0].GetMeta("datasource_path")) == "x.log"
results[0].Overflow.Alert.GetScenario() == "a/bf"
results[0].Overflow.Alert.Remediation == true
results[0].Overflow.Alert.GetEventsCount() == 6
`
	if got := ScenarioAsserts([]event.Event{overflow("a/bf", "192.0.2.1")}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// document generates what a decoder of JSON may leave in an event.
func document(depth int) *rapid.Generator[any] {
	leaf := rapid.OneOf(
		rapid.Map(rapid.String(), func(s string) any { return s }),
		rapid.Map(rapid.Float64().Filter(func(f float64) bool { return math.Abs(f) > 1e-6 && math.Abs(f) < 1e12 }), func(f float64) any { return f }),
		rapid.Map(rapid.IntRange(-1000, 1000), func(n int) any { return n }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Just[any](nil),
	)
	if depth == 0 {
		return leaf
	}
	return rapid.OneOf(leaf,
		rapid.Map(rapid.MapOfN(rapid.String(), document(depth-1), 0, 3), func(m map[string]any) any { return m }),
		rapid.Map(rapid.SliceOfN(document(depth-1), 0, 3), func(s []any) any { return s }),
	)
}

// What is proposed for a run holds over that very run, whatever is in it.
func TestGeneratedAssertsHold(t *testing.T) {
	t.Parallel()
	judge := newTestJudge()
	anything := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
	texts := rapid.MapOfN(rapid.String(), anything, 0, 3)
	rapid.Check(t, func(t *rapid.T) {
		evt := event.Event{
			Parsed: texts.Draw(t, "parsed"), Meta: texts.Draw(t, "meta"), Enriched: texts.Draw(t, "enriched"),
			Unmarshaled: rapid.MapOfN(rapid.String(), document(2), 0, 2).Draw(t, "unmarshaled"),
			Whitelisted: rapid.Bool().Draw(t, "whitelisted"), WhitelistReason: rapid.String().Draw(t, "reason"),
		}
		results := dump.ParserResults{
			rapid.StringN(1, 8, -1).Draw(t, "stage"): {rapid.String().Draw(t, "parser"): {{Idx: 1, Evt: evt, Success: true}}},
			"success":                                {"": {}},
		}
		check(t, judge.Parsers(parseAsserts("parser.assert", ParserAsserts(results)), results))
		overflows := []event.Event{overflow(rapid.String().Draw(t, "scenario"), rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "sources")...)}
		check(t, judge.Overflows(parseAsserts("scenario.assert", ScenarioAsserts(overflows)), overflows))
	})
}

func check(t *rapid.T, failures []Failure) {
	t.Helper()
	var texts []string
	for _, failure := range failures {
		texts = append(texts, failure.Text+" => "+failure.Actual+" "+errorText(failure.Err))
	}
	if len(texts) > 0 {
		t.Fatalf("does not hold:\n%s", strings.Join(texts, "\n"))
	}
}
