package tutorial

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// step is something that a document tells its reader to do: a command to type, or a file to change.
type step struct {
	line    int    // of the document
	chapter string // "" before the first

	host   string
	typed  string   // the command
	input  []string // what is typed into the command, line by line
	prints []string // what it prints, nil: not told

	files  []place
	change change
	text   string   // of the files
	keys   []string // that a change takes away
}

// place is a file on a host.
type place struct{ host, path string }

// change is what happens to a file.
type change int

const (
	none  change = iota // the step is a command
	whole               // the file has the text
	gets                // the keys of the text are put into it
	loses               // keys are taken out
)

// A document is Markdown. Its fenced blocks are what is done:
//
//	```console
//	agent-1$ sudo cscli machines list
//	…what this prints…
//	```
//
// and files, each below a line of its own that says where it is: `agent-1:/etc/crowdsec/config.yaml.local`, several
// with commas between them, and after them the word "gets" if the file stays and only gets the keys of the block. Without
// a block, "loses `api.server`" takes keys away. There are no other blocks, so that nothing in a document is not tried.
var (
	prompt  = regexp.MustCompile(`^([a-z][a-z0-9-]*)\$ (.*)$`)
	inner   = regexp.MustCompile(`^(?:MariaDB \[[^]]*\]|mysql)> (.*)$`)
	caption = regexp.MustCompile("^(`[a-z0-9-]+:/[^`]+`(?:, )?)+(?: gets:?|:| loses ((?:`[a-z0-9_.]+`(?:, )?)+)\\.?)?$")
	quoted  = regexp.MustCompile("`([^`]+)`")
)

// document is a list of steps that is being read.
type document struct {
	steps   []step
	chapter string
	caption string // the last line that is not empty, outside of blocks
}

// parse returns the steps of a document.
func parse(text string) ([]step, error) {
	var d document
	rest := strings.Split(text, "\n")
	for n := 0; n < len(rest); n++ {
		language, fenced := strings.CutPrefix(rest[n], "```")
		if !fenced {
			d.prose(n+1, rest[n])
			continue
		}
		length := slices.Index(rest[n+1:], "```")
		if length < 0 {
			return nil, fmt.Errorf("line %d: the block has no end", n+1)
		}
		block := rest[n+1 : n+1+length]
		var err error
		if language == "console" {
			err = d.console(n+2, block)
		} else {
			err = d.file(n+2, strings.Join(block, "\n")+"\n")
		}
		if err != nil {
			return nil, err
		}
		n += length + 1
	}
	return d.steps, nil
}

// prose looks for what a line outside of blocks says about files.
func (d *document) prose(line int, text string) {
	if strings.TrimSpace(text) == "" {
		return
	}
	d.caption = text
	if title, ok := strings.CutPrefix(text, "## "); ok {
		d.chapter = title
	}
	found := caption.FindStringSubmatch(text)
	if found == nil || found[2] == "" {
		return
	}
	s := step{line: line, chapter: d.chapter, change: loses}
	for _, key := range quoted.FindAllStringSubmatch(found[2], -1) {
		s.keys = append(s.keys, key[1])
	}
	s.files = places(strings.TrimSuffix(strings.TrimSuffix(text, "."), found[2]))
	d.steps = append(d.steps, s)
}

func places(text string) []place {
	var list []place
	for _, found := range quoted.FindAllStringSubmatch(text, -1) {
		if host, path, ok := strings.Cut(found[1], ":/"); ok {
			list = append(list, place{host, "/" + path})
		}
	}
	return list
}

func (d *document) file(line int, text string) error {
	if !caption.MatchString(d.caption) {
		return fmt.Errorf("line %d: nothing says which file this is: %q", line, d.caption)
	}
	s := step{line: line, chapter: d.chapter, change: whole, text: text, files: places(d.caption)}
	if strings.Contains(d.caption, " gets") {
		s.change = gets
	}
	d.steps = append(d.steps, s)
	return nil
}

func (d *document) console(line int, block []string) error {
	first := len(d.steps)
	for i := 0; i < len(block); i++ {
		if found := prompt.FindStringSubmatch(block[i]); found != nil {
			s := step{line: line + i, chapter: d.chapter, host: found[1], typed: found[2]}
			for i+1 < len(block) && strings.HasSuffix(s.typed, `\`) {
				i++
				s.typed += "\n" + block[i]
			}
			d.steps = append(d.steps, s)
			continue
		}
		if len(d.steps) == first {
			return fmt.Errorf("line %d: no command comes before %q", line+i, block[i])
		}
		last := &d.steps[len(d.steps)-1]
		if found := inner.FindStringSubmatch(block[i]); found != nil {
			last.input = append(last.input, found[1])
		} else {
			last.prints = append(last.prints, block[i])
		}
	}
	for i := first; i < len(d.steps); i++ {
		d.steps[i].prints = trimEmpty(d.steps[i].prints)
	}
	return nil
}

// trimEmpty removes empty lines at both ends: they are there for the eye.
func trimEmpty(lines []string) []string {
	for len(lines) > 0 && strings.TrimSpace(lines[0]) == "" {
		lines = lines[1:]
	}
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// read returns the steps of the document in a file.
func read(t *testing.T, path string) []step {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	steps, err := parse(string(text))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return steps
}

func TestParse(t *testing.T) {
	t.Parallel()
	steps, err := parse("Text with `agent-1:/etc/x` in it.\n\n```console\nagent-1$ one \\\n  two\n\nprinted\n\n" +
		"agent-2$ sudo mysql\nmysql> SELECT 1;\n```\n\n## Two\n`agent-1:/etc/a`, `agent-2:/etc/a` gets\n\n```yaml\na: 1\n```\n" +
		"`agent-1:/etc/a` loses `api.server`, `b`.\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"{4  agent-1 one \\\n  two [] [printed] [] 0  []}",
		"{9  agent-2 sudo mysql [SELECT 1;] [] [] 0  []}",
		"{17 Two   [] [] [{agent-1 /etc/a} {agent-2 /etc/a}] 2 a: 1\n []}",
		"{19 Two   [] [] [{agent-1 /etc/a}] 3  [api.server b]}",
	}
	for i, s := range steps {
		if got := fmt.Sprint(s); i >= len(want) || got != want[i] {
			t.Errorf("step %d is %q", i, got)
		}
	}
	if len(steps) != len(want) {
		t.Errorf("%d steps", len(steps))
	}
	for _, wrong := range []string{"```yaml\na: 1\n```\n", "```console\nls\n```\n", "```console\na$ ls\n"} {
		if _, err := parse(wrong); err == nil {
			t.Errorf("no error for %q", wrong)
		}
	}
}
