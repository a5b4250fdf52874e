package explain

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"shieldwall/internal/logprocessor/dump"
)

// FuzzDraw explains dumps that others wrote. What they hold cannot steer a terminal.
func FuzzDraw(f *testing.F) {
	f.Add("s00-raw:\n  a/p:\n    - {idx: 1, success: true, evt: {Line: {Raw: x, time: 2026-03-14T09:26:53Z}, Parsed: {a: \"\\e[2J\"}}}\nsuccess: {'': []}\n",
		"OK:\n  - {Line: {Raw: x, time: 2026-03-14T09:26:53Z}}\na/s:\n  - {Line: {Raw: x, time: 2026-03-14T09:26:53Z}}\n")
	f.Add("s00-raw: {a/p: [{evt: {Unmarshaled: {a: [1, {b: .inf}]}, Whitelisted: true}, success: true}, {}]}\n", "{}")
	f.Fuzz(func(t *testing.T, parsers, pours string) {
		dir := t.TempDir()
		for name, text := range map[string]string{dump.ParserFile: parsers, dump.PourFile: pours} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		drawn, err := View{Verbose: true}.Draw(dir)
		if err == nil && strings.ContainsAny(drawn, "\x00\x07\x08\x0d\x1b\x7f") {
			t.Errorf("drew %q", drawn)
		}
	})
}
