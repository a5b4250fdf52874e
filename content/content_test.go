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
	names := append(glob(t, items, "parsers/*/shieldwall/*.yaml"), glob(t, items, "scenarios/shieldwall/*.yaml")...)
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

func TestScenariosAreLabelled(t *testing.T) {
	t.Parallel()
	items := content.Items()
	for _, name := range glob(t, items, "scenarios/shieldwall/*.yaml") {
		labels := documents[item](t, items, name, false)[0].Labels
		for _, key := range []string{"service", "behavior", "label", "classification", "confidence", "spoofable"} {
			if labels[key] == nil {
				t.Errorf("%s: no label %s", name, key)
			}
		}
		if labels["remediation"] != true {
			t.Errorf("%s: remediation is %v, and only true is true", name, labels["remediation"])
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

// expectation is the form described in tests/README.md.
type expectation struct {
	LogType string `yaml:"log_type"`
	LogFile string `yaml:"log_file"`
	Expect  []struct {
		Scenario string
		Source   string
		Events   int
	}
	Silent []string
}

func TestEveryScenarioIsTestedBothWays(t *testing.T) {
	t.Parallel()
	fires, rests := map[string]bool{}, map[string]bool{}
	tests := os.DirFS("tests")
	for _, name := range glob(t, tests, "*/expect.yaml") {
		x := documents[expectation](t, tests, name, true)[0]
		if x.LogType == "" || len(lines(t, tests, path.Join(path.Dir(name), x.LogFile))) == 0 {
			t.Errorf("%s: no type or an empty log", name)
		}
		for _, e := range x.Expect {
			fires[e.Scenario] = true
		}
		for _, s := range x.Silent {
			rests[s] = rests[s] || len(x.Expect) == 0
		}
	}
	for _, name := range glob(t, content.Items(), "scenarios/shieldwall/*.yaml") {
		for _, s := range documents[item](t, content.Items(), name, false) {
			if !fires[s.Name] || !rests[s.Name] {
				t.Errorf("%s: expected by a test: %v, silent in another: %v", s.Name, fires[s.Name], rests[s.Name])
			}
			delete(fires, s.Name)
			delete(rests, s.Name)
		}
	}
	if len(fires)+len(rests) > 0 {
		t.Errorf("tests name scenarios that do not exist: %v %v", fires, rests)
	}
}

func TestLogsUseDocumentationAddresses(t *testing.T) {
	t.Parallel()
	documentation := []netip.Prefix{
		netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"),
		netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("2001:db8::/32"),
	}
	address := regexp.MustCompile(`\b\d+\.\d+\.\d+\.\d+\b|\b[0-9a-f]+:[0-9a-f:]*::[0-9a-f:]+`)
	tests := os.DirFS("tests")
	for _, name := range glob(t, tests, "*/*.log") {
		for _, line := range lines(t, tests, name) {
			for _, text := range address.FindAllString(line, -1) {
				addr, err := netip.ParseAddr(text)
				if err != nil {
					continue
				}
				if !slices.ContainsFunc(documentation, func(p netip.Prefix) bool { return p.Contains(addr) }) {
					t.Errorf("%s: %s", name, addr)
				}
			}
		}
	}
}
