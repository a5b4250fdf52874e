package yamlfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"shieldwall/internal/platform/yamlfile"
)

func environment(pairs map[string]string) yamlfile.Env {
	return func(name string) (string, bool) {
		value, ok := pairs[name]
		return value, ok
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	env := environment(map[string]string{"A": "1", "B": "<$A>", "LOOP": "$LOOP"})
	for text, want := range map[string]string{
		"$A ${A} x": "1 1 x",
		"$UNSET":    "$UNSET",
		"$B":        "<1>",
		"$LOOP":     "$LOOP",
		"a$1 $":     "a$1 $",
	} {
		if got := yamlfile.Expand(text, env); got != want {
			t.Errorf("Expand(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, base, patch, want, wantErr string }{
		{"new and changed keys", "a: {b: 1, c: 2}\n", "a: {c: 3, d: 4}\n", "a: {b: 1, c: 3, d: 4}\n", ""},
		{"list replaced", "a: [1, 2]\n", "a: [3]\n", "a: [3]\n", ""},
		{"null replaces", "a: {b: 1}\n", "a: null\n", "a: null\n", ""},
		{"empty patch", "a: 1\n", "# nothing\n", "a: 1\n", ""},
		{"empty base", "# nothing\n", "a: 1\n", "a: 1\n", ""},
		{"kinds differ", "a: {b: 1}\n", "a: [1]\n", "", "a: line 1: can't merge a list into a mapping"},
	} {
		got, err := yamlfile.Merge([]byte(test.base), []byte(test.patch))
		if test.wantErr != "" {
			if err == nil || err.Error() != test.wantErr {
				t.Errorf("%s: error %v, want %q", test.name, err, test.wantErr)
			}
			continue
		}
		if err != nil || string(got) != test.want {
			t.Errorf("%s: got %q, %v, want %q", test.name, got, err, test.want)
		}
	}
}

func TestDecodeNamesFileAndLine(t *testing.T) {
	t.Parallel()
	var target struct {
		Known string `yaml:"known"`
	}
	for text, want := range map[string]string{
		"known: a\nstrange: b\n": "f.yaml: line 2: field strange not found",
		"known: a\nknown: b\n":   "f.yaml: line 2: mapping key \"known\" already defined at line 1",
		"known: [\n":             "f.yaml: line ",
	} {
		err := yamlfile.Decode("f.yaml", []byte(text), &target)
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("Decode(%q): error %v, want one line beginning with %q", text, err, want)
		}
	}
}

func TestDecodeAllLeavesEmptyDocumentsOut(t *testing.T) {
	t.Parallel()
	type document struct {
		Name string `yaml:"name"`
	}
	got, err := yamlfile.DecodeAll[document]("f", []byte("---\n# c\n---\nname: a\n---\n---\nname: b\n"))
	if err != nil || len(got) != 2 || got[0].Name != "a" || got[1].Name != "b" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestReadMergesLocalThenExpands(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config.yaml")
	write(t, path, "a: 1\nb: $HERE\n")
	write(t, path+".local", "a: ${HERE}\n")
	got, err := yamlfile.Read(path, environment(map[string]string{"HERE": "x"}))
	if err != nil || string(got) != "a: x\nb: x\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func FuzzMerge(f *testing.F) {
	f.Add("a: {b: 1}", "a: {b: [1]}")
	f.Add("- 1", "a: &x {b: *x}")
	f.Fuzz(func(_ *testing.T, base, patch string) {
		_, _ = yamlfile.Merge([]byte(base), []byte(patch))
	})
}

func FuzzExpand(f *testing.F) {
	f.Add("$A ${B} $C$", "${B}x", "$A")
	f.Add("${", "$A$A", "}")
	f.Fuzz(func(t *testing.T, text, a, b string) {
		if strings.Count(a, "$")+strings.Count(b, "$") > 2 {
			return // it would grow too much to be of interest
		}
		yamlfile.Expand(text, environment(map[string]string{"A": a, "B": b}))
		if got := yamlfile.Expand(text, environment(nil)); got != text {
			t.Errorf("%q became %q without any variable", text, got)
		}
	})
}
