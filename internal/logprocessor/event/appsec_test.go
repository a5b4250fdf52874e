package event_test

import (
	"fmt"
	"testing"

	"shieldwall/internal/logprocessor/event"
)

var (
	sqli = map[string]any{
		"id": 1, "name": "sqli", "kind": "inband", "uri": "/a", "method": "GET", "hash": "h", "version": "v", "accuracy": "8",
		"severity": "error", "severity_int": 3, "disruptive": true, "tags": []string{"attack-sqli", "crs"}, "matched_zones": []string{"ARGS", "BODY"},
	}
	probe = map[string]any{
		"id": 2, "name": "probe", "kind": "outofband", "severity": "critical", "severity_int": 2, "disruptive": false,
		"tags": []string{"crs"}, "matched_zones": []string{"URI"},
	}
	odd = map[string]any{"id": "x", "name": 7, "kind": nil, "tags": "crs", "severity": "emergency", "severity_int": "0", "matched_zones": "ARGS"}
)

func TestMatchedRules(t *testing.T) {
	t.Parallel()
	appsec := event.Appsec{MatchedRules: event.MatchedRules{sqli, probe, odd}, Vars: map[string]string{"a": "b"}}
	for what, test := range map[string]struct{ got, want any }{
		"name":           {appsec.GetName(), "sqli"},
		"uri":            {appsec.GetURI(), "/a"},
		"method":         {appsec.GetMethod(), "GET"},
		"hash":           {appsec.GetHash(), "h"},
		"version":        {appsec.GetVersion(), "v"},
		"names":          {appsec.GetNames(), []string{"sqli", "probe"}},
		"ids":            {appsec.GetRuleIDs(), []int{1, 2}},
		"kinds":          {appsec.Kinds(), []string{"inband", "outofband"}},
		"zones":          {appsec.GetMatchedZones(), []string{"ARGS", "BODY", "URI"}},
		"field":          {appsec.GetField("id"), []any{1, 2, "x"}},
		"unknown field":  {appsec.GetField("nope"), []any{}},
		"severity":       {appsec.GetHighestSeverity(), "critical"},
		"variable":       {appsec.GetVar("a"), "b"},
		"unset variable": {appsec.GetVar("c"), ""},
	} {
		if fmt.Sprintf("%#v", test.got) != fmt.Sprintf("%#v", test.want) {
			t.Errorf("%s: got %#v, want %#v", what, test.got, test.want)
		}
	}
}

func TestMatchedRulesAreFiltered(t *testing.T) {
	t.Parallel()
	rules := event.MatchedRules{sqli, probe, odd}
	for what, test := range map[string]struct {
		got  event.MatchedRules
		want string
	}{
		"id":             {rules.ByID(2), "[probe]"},
		"kind":           {rules.ByKind("inband"), "[sqli]"},
		"severity":       {rules.BySeverity("critical"), "[probe]"},
		"accuracy":       {rules.ByAccuracy("8"), "[sqli]"},
		"disruptive":     {rules.ByDisruptiveness(true), "[sqli]"},
		"not disruptive": {rules.ByDisruptiveness(false), "[probe]"},
		"tag":            {rules.ByTag("crs"), "[sqli probe]"},
		"any tag":        {rules.ByTags([]string{"attack-sqli", "other"}), "[sqli]"},
		"tag expression": {rules.ByTagRx("^attack-"), "[sqli]"},
		"no expression":  {rules.ByTagRx("("), "[]"},
		"twice":          {rules.ByTag("crs").ByID(1), "[sqli]"},
	} {
		if got := fmt.Sprint(test.got.GetNames()); got != test.want {
			t.Errorf("%s: got %s, want %s", what, got, test.want)
		}
	}
}

func TestNoMatchedRules(t *testing.T) {
	t.Parallel()
	var appsec event.Appsec
	if appsec.GetName() != "" || len(appsec.GetRuleIDs()) != 0 || appsec.GetHighestSeverity() != "" || appsec.GetVar("a") != "" {
		t.Error("nothing was found, but something is told")
	}
}
