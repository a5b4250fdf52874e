package profile_test

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/expr-lang/expr"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/profile"
	"shieldwall/internal/wire"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "profiles.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// helpers are functions as another package would hand them in.
func helpers() []expr.Option {
	return []expr.Option{
		expr.Function("Fail", func(...any) (any, error) { return nil, errors.New("no data") }, new(func() bool)),
		expr.Function("Anything", func(params ...any) (any, error) { return params[0], nil }, new(func(any) any)),
	}
}

func alert() *wire.Alert {
	return &wire.Alert{
		Scenario: "acme/ssh-bf", Remediation: true, EventsCount: 7,
		Source: &wire.Source{Scope: "Ip", Value: "192.0.2.1", Cn: "FR"},
	}
}

func TestEvaluate(t *testing.T) {
	t.Parallel()
	const ban = "decisions: [{type: ban, duration: 4h}]\n"
	for _, test := range []struct {
		name, profiles string
		want           []string // type scope duration origin
		wantErr        string
	}{
		{"match", "name: a\nfilters: ['Alert.Remediation && Alert.GetScope() == \"Ip\"']\n" + ban, []string{"ban Ip 4h crowdsec"}, ""},
		{"no match", "name: a\nfilters: ['Alert.Source.Cn == \"DE\"']\n" + ban, nil, ""},
		{"no filters", "name: a\n" + ban, nil, ""},
		{
			"every filter that holds yields a set",
			"name: a\nfilters: ['true', 'false', 'Alert.EventsCount > 5']\ndecisions: [{type: ban, duration: 1h}, {type: captcha, duration: 2d, scope: range, origin: x}]\n",
			[]string{"ban Ip 1h crowdsec", "captcha Range 2d crowdsec/x", "ban Ip 1h crowdsec", "captcha Range 2d crowdsec/x"},
			"",
		},
		{"default duration", "name: a\nfilters: ['true']\ndecisions: [{type: ban}]\n", []string{"ban Ip 4h0m0s crowdsec"}, ""},
		{"computed duration of text", "name: a\nfilters: ['true']\nduration_expr: 'string(Alert.GetEventsCount() * 2) + \"h\"'\n" + ban, []string{"ban Ip 14h crowdsec"}, ""},
		{"computed duration is nonsense", "name: a\nfilters: ['true']\nduration_expr: '\"soon\"'\n" + ban, []string{"ban Ip 4h crowdsec"}, ""},
		{"computed duration is a number", "name: a\nfilters: ['true']\nduration_expr: '5'\n" + ban, []string{"ban Ip 4h crowdsec"}, ""},
		{"computed duration fails", "name: a\nfilters: ['true']\nduration_expr: 'Fail() ? \"1h\" : \"2h\"'\n" + ban, []string{"ban Ip 4h crowdsec"}, ""},
		{
			"the first that decides wins",
			"name: a\nfilters: ['true']\n---\nname: b\nfilters: ['true']\ndecisions: [{type: one}]\n---\nname: c\nfilters: ['true']\ndecisions: [{type: two}]\n",
			[]string{"one Ip 4h0m0s crowdsec"},
			"",
		},
		{
			"break stops",
			"name: a\nfilters: ['true']\non_success: break\n---\nname: b\nfilters: ['true']\n" + ban, nil, "",
		},
		{
			"break without match goes on",
			"name: a\nfilters: ['false']\non_success: break\n---\nname: b\nfilters: ['true']\n" + ban,
			[]string{"ban Ip 4h crowdsec"},
			"",
		},
		{
			"later profiles see the decisions",
			"name: a\nfilters: ['true']\n" + ban + "---\nname: b\nfilters: ['Alert.Decisions[0].Type == \"ban\"']\n",
			[]string{"ban Ip 4h crowdsec"},
			"",
		},
		{"error refuses", "name: a\nfilters: ['Fail()']\n" + ban, nil, "profile 'a': filter \"Fail()\": "},
		{"error of an unknown policy refuses", "name: a\non_error: shrug\nfilters: ['Fail()']\n" + ban, nil, "profile 'a'"},
		{"not a bool", "name: a\nfilters: ['Anything(1)']\n" + ban, nil, "invalid operation: bool(int)"},
		{"error, continue", "name: a\non_error: continue\nfilters: ['true', 'Fail()']\n" + ban + "---\nname: b\nfilters: ['true']\ndecisions: [{type: b}]\n", []string{"b Ip 4h0m0s crowdsec"}, ""},
		{"error, ignore", "name: a\non_error: ignore\nfilters: ['Fail()']\n" + ban, nil, ""},
		{"error, apply", "name: a\non_error: apply\non_success: break\nfilters: ['Fail()']\n" + ban + "---\nname: b\nfilters: ['true']\n" + ban, nil, ""},
		{"error, apply without break", "name: a\non_error: apply\nfilters: ['Fail()']\n" + ban + "---\nname: b\nfilters: ['true']\n" + ban, []string{"ban Ip 4h crowdsec"}, ""},
		{"error, break after a hit", "name: a\non_error: break\nfilters: ['true', 'Fail()']\n---\nname: b\nfilters: ['true']\n" + ban, nil, ""},
		{"error, break without a hit", "name: a\non_error: break\nfilters: ['Fail()', 'true']\n---\nname: b\nfilters: ['true']\n" + ban, []string{"ban Ip 4h crowdsec"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			profiles, err := profile.Load(write(t, test.profiles), helpers()...)
			if err != nil {
				t.Fatal(err)
			}
			subject := alert()
			decisions, err := profile.NewEvaluator(profiles, slog.New(slog.DiscardHandler)).Evaluate(t.Context(), subject)
			if test.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), test.wantErr) || !fault.Is(err, fault.Internal) {
					t.Fatalf("error %v, want %q", err, test.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range decisions {
				if d.Value != "192.0.2.1" || d.Scenario != "acme/ssh-bf" {
					t.Errorf("about %s because of %s", d.Value, d.Scenario)
				}
				got = append(got, strings.Join([]string{d.Type, d.Scope, d.Duration, d.Origin}, " "))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if subject.Decisions != nil {
				t.Error("the alert was changed")
			}
		})
	}
}

func TestDebugLogsFilters(t *testing.T) {
	t.Parallel()
	profiles, err := profile.Load(write(t, "name: a\ndebug: yes\nfilters: ['true', 'false']\nduration_expr: '\"1h\"'\ndecisions: [{type: ban}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	evaluator := profile.NewEvaluator(profiles, slog.New(slog.NewTextHandler(&out, nil)))
	if _, err := evaluator.Evaluate(t.Context(), alert()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"filter=true holds=true", "filter=false holds=false", "duration=1h"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

func TestLocalProfilesComeFirst(t *testing.T) {
	t.Parallel()
	path := write(t, "name: main\nnotifications: [mail]\n")
	if err := os.WriteFile(path+".local", []byte("name: one\n---\nname: two\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	profiles, err := profile.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range profiles {
		names = append(names, p.Name)
	}
	if want := []string{"one", "two", "main"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
	if !slices.Equal(profiles[2].Notifications, []string{"mail"}) {
		t.Errorf("notifications %v", profiles[2].Notifications)
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                   "zero profiles loaded for LAPI",
		"# nothing\n---\n":   "zero profiles loaded for LAPI",
		"name: a\nfoo: 1\n":  "line 2: field foo not found",
		"name: [\n":          "line ",
		"name: a\nname: b\n": "line 2: mapping key \"name\" already defined",
		"name: a\ndecisions: [{type: ban, foo: 1}]\n":                           "line 2: field foo not found",
		"name: a\ndecisions: [{duration: 4h}]\n":                                "line 1: decision 1 of profile 'a' has no type",
		"decisions: [{duration: 4h}]\n":                                         ": decision 1 of profile '' has no type",
		"name: a\ndecisions:\n- type: ban\n  duration: 4x\n":                    "line 4: duration of profile 'a'",
		"name: a\non_success: foo\n":                                            "line 2: invalid 'on_success' for 'a': foo",
		"name: a\non_failure: foo\n":                                            "line 2: invalid 'on_failure' for 'a': foo",
		"name: a\nfilters:\n- 'true'\n- Alert.Nope\n":                           "line 4: filter of profile 'a'",
		"name: a\nfilters:\n- Alert.Scenario\n":                                 "line 3: filter of profile 'a'",
		"name: a\nfilters:\n- 1 +\n":                                            "line 3: filter of profile 'a'",
		"name: a\nfilters: [Unknown()]\n":                                       "line 2: filter of profile 'a'",
		"name: a\nfilters: ['true']\nduration_expr: Alert.Nope\n":               "line 3: duration_expr of profile 'a'",
		"name: a\n---\nname: b\n---\nname: c\nfilters:\n- Alert.GetNothing()\n": "line 7: filter of profile 'c'",
	} {
		path := write(t, text)
		_, err := profile.Load(path, helpers()...)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("Load(%q): error %v, want %q and the file", text, err, want)
		}
	}
	if _, err := profile.Load(filepath.Join(t.TempDir(), "none.yaml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

func TestPublishedTemplateKeysAreAccepted(t *testing.T) {
	t.Parallel()
	_, err := profile.Load(write(t, "name: a\ndecisions:\n- {type: ban, simulated: true, value: x, scenario: y, id: 3, uuid: z, until: later}\n"))
	if err != nil {
		t.Error(err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("name: a\nfilters: ['Alert.Remediation']\ndecisions: [{type: ban}]\n---\nname: b\n")
	f.Add("name: &a b\nfilters: *a\n")
	f.Fuzz(func(t *testing.T, text string) {
		path := write(t, text)
		profiles, err := profile.Load(path)
		if err != nil {
			if !strings.Contains(err.Error(), path) {
				t.Errorf("%v does not name the file", err)
			}
			return
		}
		// Whatever loads can be evaluated, or fails without blaming the alert.
		_, err = profile.NewEvaluator(profiles, slog.New(slog.DiscardHandler)).Evaluate(t.Context(), alert())
		if err != nil && !fault.Is(err, fault.Internal) {
			t.Error(err)
		}
	})
}
