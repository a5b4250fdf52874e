package content_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"shieldwall/content"
	"shieldwall/internal/logprocessor/grok"
)

func patterns(tb testing.TB) *grok.Library {
	tb.Helper()
	l := grok.New()
	for _, f := range content.Patterns() {
		if err := l.AddFile(f.Name, strings.NewReader(f.Text)); err != nil {
			tb.Fatal(err)
		}
	}
	return l
}

func captured(tb testing.TB, l *grok.Library, pattern, subject string) map[string]string {
	tb.Helper()
	p, err := l.Compile(pattern)
	if err != nil {
		tb.Fatal(err)
	}
	values := make([]string, len(p.Fields()))
	if !p.Match(subject, values) {
		return nil
	}
	out := map[string]string{}
	for i, field := range p.Fields() {
		if values[i] != "" {
			out[field] = values[i]
		}
	}
	return out
}

// TestPublishedNames holds the names that users refer to in their own parsers.
func TestPublishedNames(t *testing.T) {
	t.Parallel()
	l := patterns(t)
	for _, line := range lines(t, os.DirFS("testdata"), "names.txt") {
		file, names, _ := strings.Cut(line, ":")
		for _, name := range strings.Fields(names) {
			if _, ok := l.Lookup(name); !ok {
				t.Errorf("%s: %s is not defined", file, name)
			}
		}
	}
}

func TestPatternFilesCanBeReplacedByName(t *testing.T) {
	t.Parallel()
	files := content.Patterns()
	if files[0].Name != "base" {
		t.Errorf("the first file is %s", files[0].Name)
	}
	for _, f := range files {
		if strings.Contains(f.Name, ".") {
			t.Errorf("%s: a pattern directory ignores files with a dot", f.Name)
		}
	}
}

// TestEveryDefinitionMatchesBytes compiles every definition in both of its forms.
func TestEveryDefinitionMatchesBytes(t *testing.T) {
	t.Parallel()
	l := patterns(t)
	definition := regexp.MustCompile(`(?m)^(\w+) `)
	for _, f := range content.Patterns() {
		for _, found := range definition.FindAllStringSubmatch(f.Text, -1) {
			captured(t, l, "%{"+found[1]+":x}", "\xff not UTF-8")
		}
	}
}

type fields = map[string]string

func TestDefinitionsCapture(t *testing.T) {
	t.Parallel()
	for name, tests := range captureTests() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := patterns(t)
			for _, tt := range tests {
				if got := captured(t, l, tt.pattern, tt.subject); !maps.Equal(got, tt.want) {
					t.Errorf("%s on %q:\n got %v\nwant %v", tt.pattern, tt.subject, got, tt.want)
				}
			}
		})
	}
}

// documents decodes every document of a YAML file.
func documents[T any](tb testing.TB, fsys fs.FS, name string, strict bool) []T {
	tb.Helper()
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		tb.Fatal(err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(strict)
	var out []T
	for {
		var v T
		err := decoder.Decode(&v)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			tb.Fatalf("%s: %v", name, err)
		}
		out = append(out, v)
	}
}

func lines(tb testing.TB, fsys fs.FS, name string) []string {
	tb.Helper()
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		tb.Fatal(err)
	}
	return slices.DeleteFunc(strings.Split(string(text), "\n"), func(line string) bool {
		return line == "" || strings.HasPrefix(line, "#")
	})
}

func glob(tb testing.TB, fsys fs.FS, pattern string) []string {
	tb.Helper()
	names, err := fs.Glob(fsys, pattern)
	if err != nil || len(names) == 0 {
		tb.Fatalf("%s: %v, %v", pattern, names, err)
	}
	return names
}

type item struct {
	Name, Description, Filter string
	Labels                    map[string]any
	Data                      []struct {
		DestFile  string `yaml:"dest_file"`
		SourceURL string `yaml:"source_url"`
		Type      string
	}
	Rest map[string]any `yaml:",inline"`
}

func TestItems(t *testing.T) {
	t.Parallel()
	items := content.Items()
	names := append(parserFiles(t), scenarioFiles(t)...)
	seen := map[string]bool{}
	for _, name := range names {
		all := documents[item](t, items, name, false)
		if want := "shieldwall/" + strings.TrimSuffix(path.Base(name), ".yaml"); all[0].Name != want {
			t.Errorf("%s: the first name is %q", name, all[0].Name)
		}
		for _, it := range all {
			if seen[it.Name] || it.Description == "" || it.Filter == "" {
				t.Errorf("%s: %q is there twice or has no description or filter", name, it.Name)
			}
			seen[it.Name] = true
			for _, data := range it.Data {
				if _, err := fs.Stat(content.Data(), data.DestFile); err != nil || data.SourceURL != "" {
					t.Errorf("%s: data %s: %v, source %q", it.Name, data.DestFile, err, data.SourceURL)
				}
			}
		}
	}
}

// TestCollections wants every item in a collection, and what reads headers and dates in all of them.
func TestCollections(t *testing.T) {
	t.Parallel()
	collections := map[string]collection{}
	for _, name := range glob(t, content.Items(), "collections/shieldwall/*.yaml") {
		c := documents[collection](t, content.Items(), name, true)[0]
		if want := "shieldwall/" + strings.TrimSuffix(path.Base(name), ".yaml"); c.Name != want || c.Description == "" {
			t.Errorf("%s: the name is %q, the description %q", name, c.Name, c.Description)
		}
		collections[c.Name] = c
	}
	unused := map[string]bool{}
	for _, file := range append(parserFiles(t), scenarioFiles(t)...) {
		unused[documents[item](t, content.Items(), file, false)[0].Name] = true
	}
	known := maps.Clone(unused)
	for name := range collections {
		all := contents(t, collections, name)
		for _, needed := range []string{"shieldwall/syslog-logs", "shieldwall/dateparse-enrich"} {
			if !slices.Contains(all, needed) {
				t.Errorf("%s does not bring %s", name, needed)
			}
		}
		for _, it := range all {
			if !known[it] {
				t.Errorf("%s: there is no %s", name, it)
			}
			delete(unused, it)
		}
	}
	if len(unused) > 0 {
		t.Errorf("in no collection: %v", unused)
	}
}

type collection struct {
	Name, Description, Author             string
	Collections, Parsers, Scenarios, Tags []string
}

// contents returns the items of a collection and of those that it asks for.
func contents(t *testing.T, collections map[string]collection, name string) []string {
	t.Helper()
	c, known := collections[name]
	if !known {
		t.Fatalf("there is no collection %s", name)
	}
	all := slices.Concat(c.Parsers, c.Scenarios)
	for _, below := range c.Collections {
		all = append(all, contents(t, collections, below)...)
	}
	return all
}

func parserFiles(t *testing.T) []string {
	t.Helper()
	return glob(t, content.Items(), "parsers/*/shieldwall/*.yaml")
}

func scenarioFiles(t *testing.T) []string {
	t.Helper()
	return glob(t, content.Items(), "scenarios/shieldwall/*.yaml")
}

// TestScenariosAreLabelled also wants a reason not to ban: there is nobody to ban, or addresses are easily forged.
func TestScenariosAreLabelled(t *testing.T) {
	t.Parallel()
	for _, name := range scenarioFiles(t) {
		s := documents[item](t, content.Items(), name, false)[0]
		for _, key := range []string{"service", "behavior", "label", "classification", "confidence", "spoofable"} {
			if s.Labels[key] == nil {
				t.Errorf("%s: no label %s", name, key)
			}
		}
		remediation, ok := s.Labels["remediation"].(bool)
		spoofable, _ := s.Labels["spoofable"].(int)
		if !ok || !remediation && s.Rest["scope"] == nil && spoofable < 3 {
			t.Errorf("%s: remediation is %v", name, s.Labels["remediation"])
		}
	}
}

func TestData(t *testing.T) {
	t.Parallel()
	for _, name := range glob(t, content.Data(), "*") {
		all := lines(t, content.Data(), name)
		if sorted := slices.Compact(slices.Sorted(slices.Values(all))); len(sorted) != len(all) {
			t.Errorf("%s: a line is there twice", name)
		}
		for _, line := range all {
			if strings.TrimSpace(line) != line {
				t.Errorf("%s: %q: white space at an end would be compared", name, line)
			}
			if strings.Contains(name, "user_agents") {
				if _, err := regexp.Compile(line); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			} else if strings.ToLower(line) != line {
				t.Errorf("%s: %q can never match: the request is lowered", name, line)
			}
		}
	}
}

func TestDefaultConfig(t *testing.T) {
	t.Parallel()
	config := content.DefaultConfig()
	profiles := documents[map[string]any](t, config, "profiles.yaml", true)
	if len(profiles) != 2 || profiles[0]["name"] != "default_ip_remediation" || profiles[1]["name"] != "default_range_remediation" {
		t.Errorf("profiles: %v", profiles)
	}
	simulation := documents[map[string]any](t, config, "simulation.yaml", true)[0]
	if simulation["simulation"] != false {
		t.Errorf("simulation: %v", simulation)
	}
	want := map[string]any{
		"share_manual_decisions": false, "share_tainted": true, "share_custom": true,
		"console_management": false, "share_context": false,
	}
	if console := documents[map[string]any](t, config, "console.yaml", true)[0]; !maps.Equal(console, want) {
		t.Errorf("console: %v", console)
	}
	for _, source := range documents[item](t, config, "acquis.yaml", false) {
		if source.Labels["type"] == nil {
			t.Errorf("acquis: a source without a type: %v", source)
		}
	}
}

// hubTest is the part of a test case that is looked at here.
type hubTest struct {
	Parsers, Scenarios []string
	LogType            string `yaml:"log_type"`
	LogFile            string `yaml:"log_file"`
	Labels             map[string]string
	IgnoreParsers      bool `yaml:"ignore_parsers"`
}

// cases returns our test cases by name; dir has them all.
func cases(t *testing.T) (dir fs.FS, found map[string]hubTest) {
	t.Helper()
	dir, found = os.DirFS("items/.tests"), map[string]hubTest{}
	for _, name := range glob(t, dir, "*/config.yaml") {
		c := documents[hubTest](t, dir, name, true)[0]
		if c.LogType == "" || len(lines(t, dir, path.Join(path.Dir(name), c.LogFile))) == 0 {
			t.Errorf("%s: no type or an empty log", name)
		}
		found[path.Dir(name)] = c
	}
	return dir, found
}

// TestEveryScenarioIsTestedBothWays wants a test that says of whom a scenario warns, and one that says of whom not.
func TestEveryScenarioIsTestedBothWays(t *testing.T) {
	t.Parallel()
	dir, tests := cases(t)
	fires, rests := map[string]bool{}, map[string]bool{}
	for name, c := range tests {
		if len(c.Scenarios) == 0 {
			continue
		}
		asserts := strings.Join(lines(t, dir, name+"/scenario.assert"), "\n")
		for _, s := range c.Scenarios {
			fires[s] = fires[s] || strings.Contains(asserts, `GetScenario() == "`+s+`"`)
			rests[s] = rests[s] || strings.Contains(asserts, `in .Overflow.GetSources()) == true`)
		}
	}
	for _, file := range scenarioFiles(t) {
		name := documents[item](t, content.Items(), file, false)[0].Name
		if !fires[name] || !rests[name] {
			t.Errorf("%s: asserted to fire: %v, to rest: %v", name, fires[name], rests[name])
		}
	}
}

// TestEveryParserIsTestedBothWays wants a line that it understands and, of those that read messages, one that it leaves.
func TestEveryParserIsTestedBothWays(t *testing.T) {
	t.Parallel()
	dir, tests := cases(t)
	outcome := regexp.MustCompile(`\["([^"]+)"\]\[\d+\]\.(Success == true|Success == false|Evt\.Enriched)`)
	asserted := map[string]map[string]bool{"Success == true": {}, "Success == false": {}, "Evt.Enriched": {}}
	for name, c := range tests {
		if c.IgnoreParsers {
			continue
		}
		for _, line := range lines(t, dir, name+"/parser.assert") {
			if found := outcome.FindStringSubmatch(line); found != nil {
				asserted[found[2]][found[1]] = true
			}
		}
	}
	for _, file := range parserFiles(t) {
		name := documents[item](t, content.Items(), file, false)[0].Name
		if !asserted["Success == true"][name] && !asserted["Evt.Enriched"][name] {
			t.Errorf("%s: no test asserts what it understands", name)
		}
		if strings.Contains(file, "/s01-parse/") && !asserted["Success == false"][name] {
			t.Errorf("%s: no test asserts what it leaves", name)
		}
	}
}

// TestLogsUseNobodysAddresses wants addresses kept for documentation, or of networks that everybody has.
func TestLogsUseNobodysAddresses(t *testing.T) {
	t.Parallel()
	nobodys := []netip.Prefix{
		netip.MustParsePrefix("100.64.0.0/10"),
		netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"),
		netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("2001:db8::/32"),
	}
	address := regexp.MustCompile(`\b\d+\.\d+\.\d+\.\d+\b|\b[0-9a-f]+:[0-9a-f:]*::[0-9a-f:]+`)
	tests, _ := cases(t)
	for _, name := range glob(t, tests, "*/*.log") {
		for _, line := range lines(t, tests, name) {
			for _, text := range address.FindAllString(line, -1) {
				addr, err := netip.ParseAddr(text)
				if err != nil || addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() {
					continue
				}
				if !slices.ContainsFunc(nobodys, func(p netip.Prefix) bool { return p.Contains(addr) }) {
					t.Errorf("%s: %s", name, addr)
				}
			}
		}
	}
}
