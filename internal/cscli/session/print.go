package session

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"shieldwall/internal/cscli/table"
	"shieldwall/internal/wire"
)

// ReloadHint is the published sentence after a change that a running engine does not know of yet.
const ReloadHint = "Run 'sudo systemctl reload crowdsec' for the new configuration to be effective."

// Print writes text to standard output as it is.
func (s *Session) Print(text string) error {
	if _, err := io.WriteString(s.Stdout, text); err != nil {
		return fmt.Errorf("writing output: %w", err)
	}
	return nil
}

// Printf formats to standard output.
func (s *Session) Printf(format string, args ...any) error {
	return s.Print(fmt.Sprintf(format, args...))
}

// PrintJSON writes value with the given indentation and no newline at the end.
func (s *Session) PrintJSON(value any, indent string) error {
	text, err := json.MarshalIndent(value, "", indent)
	if err != nil {
		return fmt.Errorf("encoding output: %w", err)
	}
	return s.Print(string(text))
}

// PrintJSONLine writes value indented by two, and a newline at the end.
func (s *Session) PrintJSONLine(value any) error {
	if err := s.PrintJSON(value, "  "); err != nil {
		return err
	}
	return s.Print("\n")
}

// PrintCSV writes the header and rows.
func (s *Session) PrintCSV(header []string, rows [][]string) error {
	w := csv.NewWriter(s.Stdout)
	if err := w.WriteAll(append([][]string{header}, rows...)); err != nil {
		return fmt.Errorf("writing output: %w", err)
	}
	return nil
}

// PrintTables draws tables one below the other, each so that it fits the terminal.
func (s *Session) PrintTables(tables ...*table.Table) error {
	var text strings.Builder
	for _, t := range tables {
		text.WriteString(t.Fit(s.Columns) + "\n")
	}
	return s.Print(text.String())
}

// Unsupported returns the error of a command that cannot print in the chosen format.
func (s *Session) Unsupported() error {
	return fmt.Errorf("output format '%s' not supported for this command", s.Output)
}

// PrintAlerts writes alerts as JSON the way scripts know it: indented by one, no newline at the end except
// after an empty list.
func (s *Session) PrintAlerts(alerts []wire.Alert) error {
	if len(alerts) == 0 {
		return s.Print("[]\n")
	}
	return s.PrintJSON(alerts, " ")
}

// Printable keeps what an attacker wrote into a log from steering the terminal.
func Printable(text string) string {
	var safe strings.Builder
	for _, r := range text {
		if r == '\t' || unicode.IsPrint(r) {
			safe.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		safe.WriteString(quoted[1 : len(quoted)-1])
	}
	return safe.String()
}
