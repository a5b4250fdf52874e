package decisions

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// row is a decision as imported files say it.
type row struct {
	Duration string `json:"duration"`
	Reason   string `json:"reason"`
	Scope    string `json:"scope"`
	Type     string `json:"type"`
	Value    string `json:"value"`
}

// complete fills in what a row does not say.
func (r *row) complete(defaults row) {
	r.Duration = cmp.Or(r.Duration, defaults.Duration)
	r.Reason = cmp.Or(r.Reason, defaults.Reason)
	r.Scope = cmp.Or(r.Scope, defaults.Scope)
	r.Type = cmp.Or(r.Type, defaults.Type)
}

func (r *row) checkDefaults() error {
	for _, field := range [][2]string{{"duration", r.Duration}, {"scope", r.Scope}, {"reason", r.Reason}, {"type", r.Type}} {
		if field[1] == "" {
			return fmt.Errorf("default %s cannot be empty", field[0])
		}
	}
	return nil
}

const (
	formatJSON   = "json"
	formatCSV    = "csv"
	formatValues = "values"
)

// chooseFormat returns the format that was asked for, or that the name of the file tells.
func chooseFormat(asked, input string) (string, error) {
	switch {
	case slices.Contains([]string{formatJSON, formatCSV, formatValues}, asked):
		return asked, nil
	case asked != "":
		return "", fmt.Errorf("invalid format '%s', expected one of 'json', 'csv', 'values'", asked)
	case strings.HasSuffix(input, ".csv"):
		return formatCSV, nil
	case strings.HasSuffix(input, ".json"):
		return formatJSON, nil
	}
	return "", errors.New("unable to guess format from file extension, please provide a format with --format flag")
}

func parseRows(format string, text []byte) ([]row, error) {
	switch format {
	case formatJSON:
		return parseJSON(text)
	case formatCSV:
		return parseCSV(text)
	}
	return parseValues(text), nil
}

func parseJSON(text []byte) ([]row, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	var rows []row
	err := json.Unmarshal(text, &rows)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field == "" && strings.HasPrefix(wrong.Type.String(), "[]") {
		// Scripts know the message with the name that the type had.
		return nil, fmt.Errorf("json: cannot unmarshal %s into Go value of type []clidecision.decisionRaw", wrong.Value)
	}
	return rows, err
}

func parseCSV(text []byte) ([]row, error) {
	lines := csv.NewReader(bytes.NewReader(text))
	lines.FieldsPerRecord, lines.ReuseRecord = -1, true
	header, err := lines.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("unable to parse csv: %w", err)
	}
	header = slices.Clone(header)
	var rows []row
	for {
		fields, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, fmt.Errorf("unable to parse csv: %w", err)
		}
		var r row
		for i, name := range header {
			if target := r.column(strings.TrimSpace(name)); target != nil && i < len(fields) {
				*target = strings.TrimSpace(fields[i])
			}
		}
		rows = append(rows, r)
	}
}

// column returns the field that a column is for, nil for an unknown one.
func (r *row) column(name string) *string {
	switch name {
	case "duration":
		return &r.Duration
	case "reason":
		return &r.Reason
	case "scope":
		return &r.Scope
	case "type":
		return &r.Type
	case "value":
		return &r.Value
	}
	return nil
}

func parseValues(text []byte) []row {
	var rows []row
	for line := range strings.Lines(string(text)) {
		if value := strings.TrimSpace(line); value != "" {
			rows = append(rows, row{Value: value})
		}
	}
	return rows
}
