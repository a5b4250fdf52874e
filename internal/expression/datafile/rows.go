package datafile

import (
	"encoding/json"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/expression/multimatch"
)

// Rows is a list of tagged patterns. It is safe for concurrent use.
type Rows struct {
	all      []map[string]string
	equals   map[string]string // pattern to tag
	contains []tagged
	parts    *multimatch.Set // of contains
	regexps  *patterns
	tags     []string // of regexps
}

type tagged struct{ pattern, tag string }

func newRows(lines []line) (*Rows, error) {
	rows := &Rows{all: make([]map[string]string, 0, len(lines)), equals: map[string]string{}}
	regexps := &draft{}
	for _, line := range lines {
		if err := rows.add(line.text, regexps); err != nil {
			return nil, fault.Errorf(fault.Invalid, "line %d: %w", line.number, err)
		}
	}
	parts := make([]string, len(rows.contains))
	for i := range parts {
		parts[i] = rows.contains[i].pattern
	}
	rows.parts, rows.regexps = multimatch.New(parts, false), regexps.finish()
	return rows, nil
}

func (r *Rows) add(text string, regexps *draft) error {
	var row map[string]string
	if err := json.Unmarshal([]byte(text), &row); err != nil {
		return err
	}
	wanted, tag := row["pattern"], row["tag"]
	if wanted == "" || tag == "" {
		return fault.Errorf(fault.Invalid, "pattern or tag is missing")
	}
	switch row["type"] {
	case "equals":
		r.equals[wanted] = tag
	case "contains":
		r.contains = append(r.contains, tagged{pattern: wanted, tag: tag})
	case "regex":
		if err := regexps.add(wanted); err != nil {
			return err
		}
		r.tags = append(r.tags, tag)
	default:
		return fault.Errorf(fault.Invalid, "type %q is none of equals, contains, regex", row["type"])
	}
	r.all = append(r.all, row)
	return nil
}

// All returns the rows in file order. Read only.
func (r *Rows) All() []map[string]string { return r.all }

// LookUp returns the tag of the pattern that text equals (the last of equal patterns), else of the one that
// it contains (leftmost in text, then first in the file), else of the first expression that it matches,
// else "".
func (r *Rows) LookUp(text string) string {
	if tag, ok := r.equals[text]; ok {
		return tag
	}
	if tag := r.leftmost(text); tag != "" {
		return tag
	}
	if number := r.regexps.first(text); number >= 0 {
		return r.tags[number]
	}
	return ""
}

func (r *Rows) leftmost(text string) string {
	best, leftmost := -1, len(text)
	r.parts.EachPlace(text, func(i, at int) bool {
		if at < leftmost || at == leftmost && i < best {
			best, leftmost = i, at
		}
		return true
	})
	if best < 0 {
		return ""
	}
	return r.contains[best].tag
}
