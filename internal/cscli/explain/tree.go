package explain

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/logprocessor/dump"
)

// View says what of an explanation is drawn.
type View struct {
	Verbose        bool // every changed value
	Failures       bool // only lines that were not understood
	OnlySuccessful bool // only parsers that understood the line
	Fancy          bool // colors
}

// The marks of what did and did not understand a line.
const (
	green = "🟢"
	red   = "🔴"
)

// Draw returns the explanation of a run that left its dump files in dir.
func (v View) Draw(dir string) (string, error) {
	parsers, err := dump.ReadParsers(dir)
	if err != nil {
		return "", err
	}
	if len(parsers.Stages()) == 0 {
		return "", errors.New("unable to load parser dump result: no parser found. Please install the appropriate parser and retry")
	}
	pours, err := dump.ReadPours(dir)
	if err != nil {
		return "", err
	}
	return v.drawAll(traces(parsers, pours)), nil
}

func (v View) drawAll(traces []*trace) string {
	d := drawing{view: v}
	for _, t := range traces {
		if !v.Failures || !t.understood() {
			d.line(t)
		}
	}
	return d.String()
}

// drawing is a tree being drawn.
type drawing struct {
	strings.Builder

	view View
}

func (d *drawing) row(format string, args ...any) { _, _ = fmt.Fprintf(d, format+"\n", args...) }

func (d *drawing) line(t *trace) {
	d.row("line: %s", session.Printable(t.raw))
	for _, s := range t.stages {
		d.stage(s)
	}
	switch {
	case !t.understood():
		d.row("\t└-------- parser failure %s", red)
	case t.whitelisted():
		d.row("\t├-------- parser success, ignored by whitelist (%s) %s", session.Printable(t.last.WhitelistReason), green)
	default:
		d.row("\t├-------- parser success %s", green)
		d.scenarios(t.scenarios)
	}
	d.row("")
}

func (d *drawing) stage(s stage) {
	d.row("\t├ %s", s.name)
	visits := s.visits
	if d.view.OnlySuccessful {
		visits = slices.DeleteFunc(slices.Clone(visits), func(v visit) bool { return !v.success })
	}
	for i, visit := range visits {
		branch := branchOf(i, len(visits))
		if !visit.success {
			d.row("\t|\t%s %s %s", branch, red, visit.parser)
			continue
		}
		d.row("\t|\t%s %s %s (%s)", branch, green, visit.parser, d.summary(visit))
		d.details(visit.changes)
	}
}

func (d *drawing) scenarios(names []string) {
	d.row("\t├ Scenarios")
	for i, name := range names {
		d.row("\t\t%s %s %s", branchOf(i, len(names)), green, name)
	}
}

func branchOf(i, n int) string {
	if i == n-1 {
		return "└"
	}
	return "├"
}

// summary counts what a parser changed.
func (d *drawing) summary(v visit) string {
	counts := map[verb]int{}
	for _, c := range v.changes {
		counts[c.verb]++
	}
	var parts []string
	for _, kind := range []verb{create, update, remove} {
		if counts[kind] > 0 {
			parts = append(parts, d.colored(kind, kind.sign()+strconv.Itoa(counts[kind])))
		}
	}
	if v.whitelisted {
		parts = append(parts, "[whitelisted]")
	}
	if len(parts) == 0 {
		return "unchanged"
	}
	return strings.Join(parts, " ")
}

func (d *drawing) details(changes []change) {
	if !d.view.Verbose {
		return
	}
	for _, c := range changes {
		label := d.colored(c.verb, string(c.verb)) + " " + session.Printable(c.path)
		switch c.verb {
		case create:
			label += " : " + session.Printable(c.new)
		case update:
			label += " : " + session.Printable(c.old) + " -> " + session.Printable(c.new)
		case remove:
		}
		d.row("\t|\t\t└ %s", label)
	}
}

func (v verb) sign() string {
	switch v {
	case create:
		return "+"
	case update:
		return "~"
	case remove:
		return "-"
	}
	return ""
}

func (d *drawing) colored(kind verb, label string) string {
	if !d.view.Fancy {
		return label
	}
	switch kind {
	case create:
		return text.FgGreen.Sprint(label)
	case update:
		return text.FgYellow.Sprint(label)
	case remove:
		return text.FgRed.Sprint(label)
	}
	return label
}
