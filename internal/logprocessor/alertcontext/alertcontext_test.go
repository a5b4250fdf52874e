package alertcontext_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"shieldwall/internal/expression"
	"shieldwall/internal/logprocessor/alertcontext"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/wire"
)

// item is an installed item with this context.
func item(path, context string) alertcontext.File {
	text := "name: test/" + path + "\ndescription: ignored\ncontext:\n" + indent(context)
	return alertcontext.File{Path: path, Text: []byte(text)}
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") + "\n" }

func load(tb testing.TB, files ...alertcontext.File) (*alertcontext.Set, *bytes.Buffer) {
	tb.Helper()
	log := new(bytes.Buffer)
	set, err := alertcontext.Load(files, deps(log, 4000))
	if err != nil {
		tb.Fatal(err)
	}
	return set, log
}

func deps(log *bytes.Buffer, limit int) alertcontext.Deps {
	return alertcontext.Deps{
		Log: slog.New(slog.NewTextHandler(log, nil)), Expressions: expression.New(expression.Deps{}), MaxLength: limit,
	}
}

// events have one meta value each, "key=value".
func events(pairs ...string) []*event.Event {
	var queue []*event.Event
	for _, pair := range pairs {
		evt := event.New(event.Line{}, event.Live)
		key, value, _ := strings.Cut(pair, "=")
		evt.Meta[key] = value
		queue = append(queue, evt)
	}
	return queue
}

// lines writes context as "key value".
func lines(items []wire.MetaItem) string {
	var texts []string
	for _, item := range items {
		texts = append(texts, item.Key+" "+item.Value)
	}
	return strings.Join(texts, "\n")
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	queue := events("user=root", "user=admin", "user=root", "path=/a&b")
	queue[0].Unmarshaled["n"] = map[string]any{"list": []any{"x", 1}, "zero": 0.0, "half": 0.5, "yes": true, "no": false}
	for _, test := range []struct{ expr, want string }{
		{"evt.Meta.user", `["root","admin"]`},
		{"evt.Meta.path", `["/a\u0026b"]`},
		{"evt.Meta.nope", ``},
		{"''", ``},
		{"nil", ``},
		{"true", `["true"]`},
		{"false", ``},
		{"evt.Unmarshaled.n?.yes", `["true"]`},
		{"evt.Unmarshaled.n?.no", ``},
		{"evt.Unmarshaled.n?.half", `["0.5"]`},
		{"evt.Unmarshaled.n?.zero", ``},
		{"evt.Unmarshaled.n?.list", `["[x 1]"]`},
		{"0", `["0"]`},
		{"7", `["7"]`},
		{"1.5", `["1.5"]`},
		{"evt.Appsec.GetRuleIDs()", ``},
		{"evt.Appsec.GetMatchedZones()", ``},
		{"Split('a,b,,a', ',')", `["a","b"]`},
		{"[1, 2]", `["[1 2]"]`},
		{"evt.GetMeta('user')", `["root","admin"]`},
		{"evt.GetType()", `["log"]`},
		{"evt.Time.Year()", `["1"]`},
		{"match.uri != nil ? match.uri : ''", ``},
		{"match.internal != true ? 'external' : ''", `["external"]`},
		{"req.Method != '' ? JA4H(req) : ''", ``},
		{"req != nil ? req.Host : ''", ``},
		{"req.UserAgent()", ``},
	} {
		t.Run(test.expr, func(t *testing.T) {
			t.Parallel()
			set, log := load(t, item("a.yaml", fmt.Sprintf("k: [%q]", test.expr)))
			want := ""
			if test.want != "" {
				want = "k " + test.want
			}
			if got := lines(set.Meta(queue)); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if log.Len() > 0 {
				t.Errorf("log: %s", log)
			}
		})
	}
}

func TestNumbersOfRules(t *testing.T) {
	t.Parallel()
	queue := events("a=b")
	queue[0].Appsec.MatchedRules = event.MatchedRules{{"id": 7}, {"id": 0}, {"id": 7}}
	set, _ := load(t, item("a.yaml", "ids: [evt.Appsec.GetRuleIDs()]"))
	if got := lines(set.Meta(queue)); got != `ids ["7","0"]` {
		t.Errorf("got %s", got)
	}
}

func TestFilesAreJoined(t *testing.T) {
	t.Parallel()
	set, log := load(t,
		item("a.yaml", "user: [evt.Meta.user, evt.Meta.login]\nzone: [evt.Meta.zone]"),
		item("b.yaml", "user: [evt.Meta.login, evt.Meta.user]\nage: [\"'7'\"]"),
		alertcontext.File{Path: "context.yaml", Local: true, Text: []byte("context: [evt.Meta.user]\nuser: [\"'local'\"]\n")},
	)
	want := "age [\"7\"]\ncontext [\"root\"]\nuser [\"root\",\"local\",\"daemon\"]\nzone [\"dmz\"]"
	if got := lines(set.Meta(events("user=root", "login=daemon", "zone=dmz"))); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if log.Len() > 0 {
		t.Errorf("log: %s", log)
	}
}

func TestItemsWithoutContext(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "name: a/b\n", "context:\n", "context: {}\n", "# nothing\n"} {
		set, log := load(t, alertcontext.File{Path: "a.yaml", Text: []byte(text)})
		if got := set.Meta(events("a=b")); got != nil {
			t.Errorf("%q: got %v", text, got)
		}
		if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "file=a.yaml") {
			t.Errorf("%q: log: %s", text, log)
		}
	}
	if _, log := load(t, alertcontext.File{Path: "context.yaml", Local: true}); log.Len() > 0 {
		t.Errorf("an empty local file is no problem, but: %s", log)
	}
	var nothing *alertcontext.Set
	if got := nothing.Meta(events("a=b")); got != nil {
		t.Errorf("a nil set knows %v", got)
	}
}

func TestOneBrokenExpressionCostsItsAnswerOnly(t *testing.T) {
	t.Parallel()
	set, log := load(t, item("a.yaml", "bad: [evt.Unmarshaled.a.b, evt.Meta.user]\ngood: [evt.Meta.user]"))
	if got, want := lines(set.Meta(events("user=root", "user=bob"))), "bad [\"root\",\"bob\"]\ngood [\"root\",\"bob\"]"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := strings.Count(log.String(), "level=WARN"); got != 2 || !strings.Contains(log.String(), "key=bad") {
		t.Errorf("%d warnings: %s", got, log)
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text, want string
		local      bool
	}{
		{"context:\n  user:\n  - evt.Meta.user\n  - evt.Nope\n", "a.yaml: line 4: context user: ", false},
		{"context:\n  user:\n  - Nope()\n", "a.yaml: line 3: context user: ", false},
		{"context:\n  user:\n  - '1 +'\n", "a.yaml: line 3: context user: ", false},
		{"context:\n  user: evt.Meta.user\n", "a.yaml: line 2: ", false},
		{"context: evt.Meta.user\n", "a.yaml: line 1: ", false},
		{"context:\n  user: [a]\n  user: [b]\n", "a.yaml: line 3: mapping key \"user\" already defined", false},
		{"context: [\n", "a.yaml: line ", false},
		{"user:\n- evt.Nope\n", "a.yaml: line 2: context user: ", true},
		{"context:\n  user: [evt.Meta.user]\n", "a.yaml: line 2: ", true},
	} {
		_, err := alertcontext.Load([]alertcontext.File{{Path: "a.yaml", Text: []byte(test.text), Local: test.local}}, deps(new(bytes.Buffer), 4000))
		if err == nil || !strings.HasPrefix(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %v, want %s…", test.text, err, test.want)
		}
	}
}

func TestLongValuesAreCut(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		limit int
		texts []string
		want  string
	}{
		{9, []string{"a", "b"}, `["a","b"]`},
		{8, []string{"a", "b"}, `["a"]`},
		{9, []string{"a", "b", "c"}, `["a","b"]`},
		{9, []string{"a", "12345", "c"}, `["a"]`}, // the list ends where it does not fit
		{24, []string{"01234567890123456789"}, `["01234567890123456789"]`},
		{23, []string{"01234567890123456789"}, `["0123456789..."]`},
		{16, []string{"01234567890123456789", "b"}, `["012345..."]`},
		{12, []string{"01234567890123456789"}, `["0123..."]`},
		{10, []string{"éééé"}, `["é..."]`},
		{4, []string{"01234567890123456789"}, ``}, // nothing of it fits
	} {
		set, err := alertcontext.Load([]alertcontext.File{item("a.yaml", "k: [evt.Meta.k]")}, deps(new(bytes.Buffer), test.limit))
		if err != nil {
			t.Fatal(err)
		}
		want := ""
		if test.want != "" {
			want = "k " + test.want
		}
		pairs := slices.Clone(test.texts)
		for i := range pairs {
			pairs[i] = "k=" + pairs[i]
		}
		if got := lines(set.Meta(events(pairs...))); got != want {
			t.Errorf("%d bytes of %q: got %s, want %s", test.limit, test.texts, got, want)
		}
	}
}

// naive is the published rule, word by word.
func naive(texts []string, limit int) string {
	var list []string
	for _, text := range texts {
		if text != "" && !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	for len(list) > 0 {
		encoded, _ := json.Marshal(list)
		switch {
		case len(encoded) <= limit:
			return string(encoded)
		case len(list) > 1:
			list = list[:len(list)-1]
		default:
			half := list[0][:len(list[0])/2] + "..."
			if len(half) >= len(list[0]) {
				return ""
			}
			list[0] = half
		}
	}
	return ""
}

func TestCuttingIsThePublishedRule(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 120).Draw(t, "limit")
		texts := rapid.SliceOfN(rapid.StringMatching(`[a-z&"]{0,60}`), 0, 8).Draw(t, "texts")
		set, err := alertcontext.Load([]alertcontext.File{item("a.yaml", "k: [evt.Meta.k]")}, deps(new(bytes.Buffer), limit))
		if err != nil {
			t.Fatal(err)
		}
		pairs := make([]string, len(texts))
		for i := range texts {
			pairs[i] = "k=" + texts[i]
		}
		got := strings.TrimPrefix(lines(set.Meta(events(pairs...))), "k ")
		if want := naive(texts, limit); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	})
}

// A bucket may hold any number of events: those that cannot add anything are not asked.
func TestFullListsAskNoFurther(t *testing.T) {
	t.Parallel()
	pairs := make([]string, 1000)
	for i := range pairs {
		pairs[i] = fmt.Sprintf("k=value %d", i)
	}
	set, log := load(t, item("a.yaml", "k: [evt.Meta.k]"))
	items := set.Meta(append(events(pairs...), nil)) // asking nothing would fail
	if len(items) != 1 || len(items[0].Value) > 4000 || len(items[0].Value) < 3900 {
		t.Errorf("got %v", items)
	}
	if log.Len() > 0 {
		t.Errorf("log: %s", log)
	}
}

// TestFootprint: what Meta says of an event does not change when the rest of it is gone.
func TestFootprint(t *testing.T) {
	t.Parallel()
	evt := event.New(event.Line{Raw: "raw"}, event.Live)
	evt.Meta["k"], evt.Parsed["p"], evt.Enriched["e"], evt.Unmarshaled["u"] = "1", "2", "3", map[string]any{"v": "4"}
	for _, text := range []string{
		`evt.Meta.k`, `evt.Parsed.p + evt.Enriched.e + evt.Line.Raw`, `evt.Unmarshaled.u.v`, `ToJsonString(evt.Parsed)`, `ToJsonString(evt)`,
		`evt.Parsed[evt.Meta.k] + 'x'`, `match.x ?? evt.Parsed.p`, `req.URL?.Path ?? evt.GetMeta('k')`,
	} {
		set, _ := load(t, item("a.yaml", fmt.Sprintf("k: [%q]", text)))
		want := set.Meta([]*event.Event{evt})
		packed := event.NewPacker(set.Footprint()).Pack(evt)
		got := set.Meta([]*event.Event{packed.Unpack()})
		if len(want) == 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
		var unpacker event.Unpacker // as overflows do
		if got := set.Meta(unpacker.Unpack([]event.Packed{packed})); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v in fields, want %v", text, got, want)
		}
	}
	set, _ := load(t, item("a.yaml", "k: [evt.Meta.k, evt.Parsed.p]"))
	if got := event.NewPacker(set.Footprint()).Pack(evt).Unpack(); got.Line.Raw != "" || len(got.Enriched) > 0 || got.Parsed["p"] != "2" {
		t.Errorf("kept %+v", got)
	}
	var none *alertcontext.Set
	if !reflect.DeepEqual(none.Footprint(), event.Footprint{}) {
		t.Error("nothing asks for something")
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte("context:\n  user: [evt.Meta.user]\n"), false, "root", 40)
	f.Add([]byte("user: [evt.Meta.user, \"req.Host\"]\n"), true, "\xffé", 9)
	f.Add([]byte("context: {a: [match.uri], b: [1.5, '[1]']}"), false, "", 0)
	f.Fuzz(func(t *testing.T, text []byte, local bool, user string, limit int) {
		limit = min(max(limit, 1), 4000)
		set, err := alertcontext.Load([]alertcontext.File{{Path: "f", Text: text, Local: local}}, deps(new(bytes.Buffer), limit))
		if err != nil {
			return
		}
		for _, item := range set.Meta(events("user="+user, "user="+user+user)) {
			var list []string
			if err := json.Unmarshal([]byte(item.Value), &list); err != nil || len(list) == 0 || len(item.Value) > limit || !utf8.ValidString(item.Value) {
				t.Fatalf("%s has %q: %v", item.Key, item.Value, err)
			}
		}
	})
}

func TestTextsAreThoseOfAllFilesOnce(t *testing.T) {
	t.Parallel()
	set, _ := load(t, item("a", "user: [evt.Meta.user, evt.Meta.path]"), item("b", "user: [evt.Meta.user]\npath: ['evt.Meta.path']"),
		alertcontext.File{Path: "local", Text: []byte("user: [upper(evt.Meta.user)]"), Local: true})
	want := map[string][]string{"user": {"evt.Meta.user", "evt.Meta.path", "upper(evt.Meta.user)"}, "path": {"evt.Meta.path"}}
	if got := set.Texts(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	var none *alertcontext.Set
	if got := none.Texts(); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}
