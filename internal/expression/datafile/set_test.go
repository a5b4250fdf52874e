package datafile_test

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/expression/datafile"
)

func newSet() *datafile.Set { return datafile.New(slog.New(slog.DiscardHandler), time.Now) }

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		content string
		want    []string
	}{
		"comments and empty lines": {"#a\none\n\n# b\ntwo\n", []string{"one", "two"}},
		"nothing is trimmed":       {" one \n\ttwo\n #three\n", []string{" one ", "\ttwo", " #three"}},
		"no last newline":          {"one\ntwo", []string{"one", "two"}},
		"carriage returns":         {"one\r\n\r\ntwo\r\n", []string{"one", "two"}},
		"duplicates stay":          {"one\none\n", []string{"one", "one"}},
		"empty":                    {"", []string{}},
		"longest line":             {strings.Repeat("x", 64<<10-1), []string{strings.Repeat("x", 64<<10-1)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, set := t.TempDir(), newSet()
			write(t, dir, "f", test.content)
			if err := set.Load(datafile.Entry{DestFile: "f", Type: "string"}, dir); err != nil {
				t.Fatal(err)
			}
			if got, ok := set.Strings("f"); !ok || !slices.Equal(got, test.want) {
				t.Errorf("lines %q, %v, want %q", got, ok, test.want)
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, kind, content, want string
	}{
		{"unknown type", "list", "a", `reading data file "f": unknown type "list"`},
		{"line too long", "string", "a\n" + strings.Repeat("x", 64<<10), `reading data file "f": line 2: bufio.Scanner: token too long`},
		{"bad regexp", "regexp", "#\na\n(\n", "reading data file \"f\": line 3: error parsing regexp: missing closing ): `(`"},
		{"bad regex", "regex", "a{2,1}", "reading data file \"f\": line 1: error parsing regexp: invalid repeat count: `{2,1}`"},
		{"no json", "map", "x", `reading data file "f": line 1: invalid character 'x' looking for beginning of value`},
		{"number in row", "map", `{"pattern":1}`, `reading data file "f": line 1: json: cannot unmarshal number into Go value of type string`},
		{"null row", "map", `null`, `reading data file "f": line 1: pattern or tag is missing`},
		{"no tag", "map", `{"pattern":"a","type":"equals"}`, `reading data file "f": line 1: pattern or tag is missing`},
		{"no pattern", "map", `{"tag":"a","type":"equals","pattern":""}`, `reading data file "f": line 1: pattern or tag is missing`},
		{"no row type", "map", `{"tag":"a","pattern":"b"}`, `reading data file "f": line 1: type "" is none of equals, contains, regex`},
		{"bad row regex", "map", `{"tag":"a","pattern":"[","type":"regex"}`, "reading data file \"f\": line 1: error parsing regexp: missing closing ]: `[`"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir, set := t.TempDir(), newSet()
			write(t, dir, "f", test.content)
			err := set.Load(datafile.Entry{DestFile: "f", Type: test.kind}, dir)
			if err == nil || err.Error() != test.want {
				t.Fatalf("error %v, want %s", err, test.want)
			}
			_, isString := set.Strings("f")
			_, isRegexp := set.Regexps("f")
			_, isMap := set.Rows("f")
			if isString || isRegexp || isMap {
				t.Error("a part of the file is loaded")
			}
		})
	}
}

func TestPathsStayInside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	inside := filepath.Join(dir, "data")
	if err := os.MkdirAll(filepath.Join(inside, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "secret", "x")
	write(t, inside, "sub/ok", "x")
	set := newSet()
	for _, name := range []string{"../secret", "sub/../../secret", filepath.Join(dir, "secret"), "", "/", ".."} {
		if err := set.Load(datafile.Entry{DestFile: name, Type: "string"}, inside); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: error %v", name, err)
		}
	}
	for _, name := range []string{"sub/ok", "./sub/ok", "sub/../sub//ok"} {
		if err := set.Load(datafile.Entry{DestFile: name, Type: "string"}, inside); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if _, ok := set.Strings(name); !ok {
			t.Errorf("%q is not found by the name it was given", name)
		}
	}
}

func TestOnlyRegularFiles(t *testing.T) {
	t.Parallel()
	dir, set := t.TempDir(), newSet()
	if err := os.Mkdir(filepath.Join(dir, "dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"dir", "pipe"} {
		if err := set.Load(datafile.Entry{DestFile: name, Type: "string"}, dir); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if err := set.Load(datafile.Entry{DestFile: "gone", Type: "string"}, dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("gone: error %v", err)
	}
}

func TestLoadOnceByNameAndType(t *testing.T) {
	t.Parallel()
	dir, set := t.TempDir(), newSet()
	load := func(kind string) {
		t.Helper()
		if err := set.Load(datafile.Entry{DestFile: "f", Type: kind}, dir); err != nil {
			t.Fatal(err)
		}
	}
	load("") // there is no such file, and nobody looks
	write(t, dir, "f", "a.c")
	load("string")
	load("regexp")
	write(t, dir, "f", "changed")
	load("string")
	load("regex")
	if lines, _ := set.Strings("f"); !slices.Equal(lines, []string{"a.c"}) {
		t.Errorf("lines %q", lines)
	}
	if list, ok := set.Regexps("f"); !ok || !list.Match("abc") || list.Match("changed") {
		t.Error("regexps were loaded twice or not at all")
	}
}

func TestRegexpResultsAreCached(t *testing.T) {
	t.Parallel()
	no, yes := false, true
	for name, entry := range map[string]datafile.Entry{
		"no option":        {},
		"allowed only":     {Cache: &yes},
		"size":             {Size: 2},
		"ttl":              {TTL: time.Second},
		"strategy":         {Strategy: "ARC"},
		"forbidden":        {Size: 2, Cache: &no},
		"unknown strategy": {Strategy: "FIFO"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := new(bytes.Buffer)
			now := time.Unix(1000, 0)
			set := datafile.New(slog.New(slog.NewTextHandler(log, nil)), func() time.Time { return now })
			dir := t.TempDir()
			write(t, dir, "f", "^b[0-9]+$")
			entry.DestFile, entry.Type = "f", "regexp"
			if err := set.Load(entry, dir); err != nil {
				t.Fatal(err)
			}
			list, _ := set.Regexps("f")
			for range 3 {
				for text, want := range map[string]bool{"b1": true, "b2": true, "b": false, "": false} {
					if list.Match(text) != want {
						t.Errorf("Match(%q) is not %v", text, want)
					}
				}
				now = now.Add(time.Second)
			}
			if logged := log.Len() > 0; logged != (name == "unknown strategy") {
				t.Errorf("log is %q", log)
			}
		})
	}
}

func TestLookUp(t *testing.T) {
	t.Parallel()
	dir, set := t.TempDir(), newSet()
	write(t, dir, "f", `{"pattern":"/a","tag":"first","type":"equals"}
{"pattern":"/a","tag":"last","type":"equals"}
{"pattern":"bcd","tag":"long","type":"contains"}
{"pattern":"bc","tag":"short","type":"contains"}
{"pattern":"xb","tag":"left","type":"contains"}
{"pattern":"^/(?i)q\\d","tag":"one","type":"regex"}
{"pattern":"q","tag":"two","type":"regex"}
`)
	if err := set.Load(datafile.Entry{DestFile: "f", Type: "map"}, dir); err != nil {
		t.Fatal(err)
	}
	rows, _ := set.Rows("f")
	for text, want := range map[string]string{
		"/a":     "last",
		"/a/":    "",
		"":       "",
		"abcd":   "long",
		"abc":    "short",
		"xbcd":   "left",
		"q bc":   "short",
		"/q1":    "one",
		"/Q1":    "one",
		"/q":     "two",
		"/aq bx": "two",
	} {
		if got := rows.LookUp(text); got != want {
			t.Errorf("LookUp(%q) is %q, want %q", text, got, want)
		}
	}
	if all := rows.All(); len(all) != 7 || all[0]["tag"] != "first" || all[6]["tag"] != "two" {
		t.Errorf("rows are %v", all)
	}
}

func TestReadersDoNotWaitForLoading(t *testing.T) {
	t.Parallel()
	dir, set := t.TempDir(), newSet()
	names := []string{"a", "b", "c", "d"}
	var group sync.WaitGroup
	for _, name := range names {
		write(t, dir, name, name)
		group.Go(func() {
			if err := set.Load(datafile.Entry{DestFile: name, Type: "string"}, dir); err != nil {
				t.Error(err)
			}
		})
		group.Go(func() {
			for range 100 {
				if lines, ok := set.Strings(name); ok && !slices.Equal(lines, []string{name}) {
					t.Errorf("%s holds %q", name, lines)
				}
			}
		})
	}
	group.Wait()
	for _, name := range names {
		if _, ok := set.Strings(name); !ok {
			t.Errorf("%s was lost by a concurrent load", name)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("string", "#a\nb\r\n", "b")
	f.Add("regexp", "(?i)bot\n\\bx\\b\n[^a]{2,3}k", "Bot K")
	f.Add("map", `{"pattern":"a","tag":"t","type":"contains"}`+"\n"+`{"pattern":"\\d","tag":"n","type":"regex"}`, "a1")
	f.Fuzz(func(t *testing.T, kind, content, text string) {
		dir, set := t.TempDir(), newSet()
		write(t, dir, "f", content)
		if err := set.Load(datafile.Entry{DestFile: "f", Type: kind}, dir); err != nil {
			return
		}
		if lines, ok := set.Strings("f"); ok {
			for _, line := range lines {
				if line == "" || line[0] == '#' || strings.Contains(line, "\n") || !strings.Contains(content, line) {
					t.Fatalf("line %q of %q", line, content)
				}
			}
		}
		if list, ok := set.Regexps("f"); ok && list.Match(text) != matchesAny(t, dir, text) {
			t.Fatalf("regexps %q, text %q: Match is %v", content, text, list.Match(text))
		}
		if rows, ok := set.Rows("f"); ok {
			if tag := rows.LookUp(text); tag != lookUp(rows.All(), text) {
				t.Fatalf("rows %q, text %q: tag %q", content, text, tag)
			}
		}
	})
}

// matchesAny tries every line of the file, without short cuts.
func matchesAny(t *testing.T, dir, text string) bool {
	t.Helper()
	set := newSet()
	if err := set.Load(datafile.Entry{DestFile: "f", Type: "string"}, dir); err != nil {
		t.Fatal(err)
	}
	lines, _ := set.Strings("f")
	return slices.ContainsFunc(lines, func(line string) bool { return regexp.MustCompile(line).MatchString(text) })
}

// lookUp is the definition of LookUp, without short cuts.
func lookUp(rows []map[string]string, text string) string {
	for _, row := range slices.Backward(rows) {
		if row["type"] == "equals" && row["pattern"] == text {
			return row["tag"]
		}
	}
	for at := range len(text) {
		for _, row := range rows {
			if row["type"] == "contains" && strings.HasPrefix(text[at:], row["pattern"]) {
				return row["tag"]
			}
		}
	}
	for _, row := range rows {
		if row["type"] == "regex" && regexp.MustCompile(row["pattern"]).MatchString(text) {
			return row["tag"]
		}
	}
	return ""
}
