package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"shieldwall/internal/hub"
)

// marker is the line of the manual below which everything is written by this program.
const marker = "<!-- What follows is written by `go generate ./content`. -->\n"

// currentManual returns the page of the manual with its lists as the items are.
func currentManual(root string) ([]byte, error) {
	page, err := os.ReadFile(filepath.Join(root, manualFile)) //nolint:gosec // part of the sources
	if err != nil {
		return nil, fmt.Errorf("reading the manual: %w", err)
	}
	prose, _, found := bytes.Cut(page, []byte(marker))
	if !found {
		return nil, fmt.Errorf("%s has no line %q", manualFile, marker)
	}
	text := bytes.NewBuffer(append(bytes.Clone(prose), marker...))
	for _, kind := range kinds() {
		items, err := readItems(root, kind)
		if err != nil {
			return nil, err
		}
		writeList(text, kind, sorted(items))
	}
	return text.Bytes(), nil
}

// writeList writes a table of the items of a kind.
func writeList(text *bytes.Buffer, kind hub.Kind, items []item) {
	title := strings.ToUpper(string(kind[:1])) + string(kind[1:])
	_, _ = fmt.Fprintf(text, "\n## %s: %d\n\n", title, len(items))
	switch kind {
	case hub.Parsers:
		_, _ = fmt.Fprint(text, "| name | stage | |\n|---|---|---|\n")
	case hub.Scenarios:
		_, _ = fmt.Fprint(text, "| name | | fires | |\n|---|---|---|---|\n")
	default:
		_, _ = fmt.Fprint(text, "| name | | with |\n|---|---|---|\n")
	}
	for i := range items {
		_, _ = fmt.Fprintln(text, items[i].row(kind))
	}
}

func (it *item) row(kind hub.Kind) string {
	switch kind {
	case hub.Parsers:
		return fmt.Sprintf("| %s | %s | %s |", it.Name, it.Stage, it.Description)
	case hub.Scenarios:
		return fmt.Sprintf("| %s | %s | %s | %s |", it.Name, it.Description, it.threshold(), it.consequence())
	default:
		return fmt.Sprintf("| %s | %s | %s |", it.Name, it.Description, it.contents())
	}
}

// threshold says what it takes for a scenario to fire.
func (it *item) threshold() string {
	if it.Type == "trigger" {
		return "at once"
	}
	return fmt.Sprintf("more than %d, one in %s is forgiven", it.Capacity, it.LeakSpeed)
}

// consequence says what an alert leads to with the profiles as delivered.
func (it *item) consequence() string {
	if it.Labels["remediation"] == true {
		return ""
	}
	return "is reported only"
}

// contents says what a collection installs: other collections by name, everything else by number.
func (it *item) contents() string {
	var parts []string
	for _, name := range it.Collections {
		parts = append(parts, strings.TrimPrefix(name, author+"/"))
	}
	for _, group := range []struct {
		what  string
		names []string
	}{{"parser", it.Parsers}, {"scenario", it.Scenarios}} {
		switch len(group.names) {
		case 0:
		case 1:
			parts = append(parts, "1 "+group.what)
		default:
			parts = append(parts, fmt.Sprintf("%d %ss", len(group.names), group.what))
		}
	}
	return strings.Join(parts, ", ")
}
