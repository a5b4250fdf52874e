// Command report reads the output of `go test -json` and says what a person wants to know: which packages
// passed, why a test failed, what was measured, and which tests were left out and why.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// event is one line of `go test -json`.
type event struct {
	Action  string  `json:"Action"`
	Package string  `json:"Package"`
	Test    string  `json:"Test"`
	Elapsed float64 `json:"Elapsed"` // seconds
	Output  string  `json:"Output"`
}

// report collects what has to be said at the end.
type report struct {
	out                     io.Writer
	output                  map[string][]string // of tests and packages that are still running
	passed, failed, skipped int
	leftOut, measured       []string
}

// measuredMark begins the text of t.Log lines that a person should see even when the test passes.
const measuredMark = "measured: "

func main() {
	r := &report{out: os.Stdout, output: map[string][]string{}}
	if err := r.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "reading test events:", err)
		os.Exit(1)
	}
	r.finish()
}

func (r *report) read(in io.Reader) error {
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		var e event
		if err := json.Unmarshal(scanner.Bytes(), &e); err != nil {
			r.say("%s\n", scanner.Text()) // a build error, printed as it came
			continue
		}
		r.handle(e)
	}
	return scanner.Err()
}

func (r *report) handle(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "build-output":
		r.say("%s", e.Output)
		return
	case "output":
		r.output[key] = append(r.output[key], e.Output)
		if _, text, ok := strings.Cut(e.Output, measuredMark); ok {
			r.measured = append(r.measured, strings.TrimSpace(text))
		}
		return
	case "pass", "fail", "skip":
	default:
		return
	}
	if e.Test == "" {
		r.endPackage(e, key)
	} else {
		r.endTest(e, key)
	}
	delete(r.output, key)
}

func (r *report) endPackage(e event, key string) {
	if e.Action == "fail" {
		r.say("FAIL  %s\n%s", e.Package, strings.Join(r.output[key], ""))
		return
	}
	if e.Action == "pass" {
		r.say("ok    %s  %.1fs\n", e.Package, e.Elapsed)
	}
}

func (r *report) endTest(e event, key string) {
	switch e.Action {
	case "pass":
		r.passed++
	case "fail":
		r.failed++
		r.say("%s", strings.Join(r.output[key], ""))
	case "skip":
		r.skipped++
		r.leftOut = append(r.leftOut, fmt.Sprintf("%s %s: %s", e.Package, e.Test, reason(r.output[key])))
	}
}

// reason returns what a test said when it skipped itself.
func reason(lines []string) string {
	for _, line := range lines {
		if _, text, ok := strings.Cut(line, "_test.go:"); ok {
			_, text, _ = strings.Cut(text, ": ")
			return strings.TrimSpace(text)
		}
	}
	return "no reason given"
}

// say prints; a report that cannot be written has nobody to complain to.
func (r *report) say(format string, args ...any) {
	_, _ = fmt.Fprintf(r.out, format, args...)
}

func (r *report) finish() {
	for _, line := range r.measured {
		r.say("measured: %s\n", line)
	}
	slices.Sort(r.leftOut)
	for _, line := range r.leftOut {
		r.say("left out: %s\n", line)
	}
	r.say("%d passed, %d failed, %d skipped\n", r.passed, r.failed, r.skipped)
}
