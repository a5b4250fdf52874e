package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// effort bounds the search for the place of a mistake, which reads the text again for each line behind it: the bytes of
// the text times its lines. An item of 500 lines of 60 bytes is half of that.
const effort = 32 << 20

var (
	saidLine = regexp.MustCompile(`^line [0-9]+: `)
	anyKey   = regexp.MustCompile(`(?m)^[ \t-]*["']?([\w./@-]+)["']?[ \t]*:`)
)

// misspelt adds to what the library says about a text that is no YAML the line and the key where that begins. The library
// knows the place where it understood it, and often only where the mapping around that begins.
func misspelt(text []byte, problem string) string {
	line, key := breaks(text)
	if line == 0 {
		return problem
	}
	problem = saidLine.ReplaceAllLiteralString(problem, "")
	if key == "" {
		return fmt.Sprintf("line %d: %s", line, problem)
	}
	return fmt.Sprintf("line %d: %s: %s", line, key, problem)
}

// breaks returns the first line from which on a text is no YAML, however soon it ends, and the last key up to there;
// 0 when there is none, or the text is too long to look.
func breaks(text []byte) (line int, key string) {
	text = bytes.TrimRight(text, "\r\n")
	line = bytes.Count(text, []byte("\n")) + 1
	if len(text)*line > effort || parses(text) {
		return 0, ""
	}
	end := len(text) // of the line
	for begin := bytes.LastIndexByte(text, '\n') + 1; begin > 0 && !parses(text[:begin]); begin = bytes.LastIndexByte(text[:begin-1], '\n') + 1 {
		line, end = line-1, begin
	}
	return line, lastKey(text[:end])
}

func lastKey(text []byte) string {
	found := anyKey.FindAllSubmatch(text, -1)
	if len(found) == 0 {
		return ""
	}
	return string(found[len(found)-1][1])
}

func parses(text []byte) bool {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var node yaml.Node
		if err := decoder.Decode(&node); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}

// isSyntax reports whether an error of the library is about the text itself, not about what is in it.
func isSyntax(err error) bool {
	var typed *yaml.TypeError
	return !errors.As(err, &typed) && strings.HasPrefix(err.Error(), "yaml: ")
}
