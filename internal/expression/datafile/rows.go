package datafile

import (
	"encoding/json"
	"strings"

	"shieldwall/internal/domain/fault"
)

// Rows is a list of tagged patterns. It is safe for concurrent use.
type Rows struct {
	all      []map[string]string
	equals   map[string]string // pattern to tag
	contains []tagged
	regexps  []taggedRegexp
}

type tagged struct{ pattern, tag string }

type taggedRegexp struct {
	pattern
	tag string
}

func newRows(lines []line) (*Rows, error) {
	rows := &Rows{all: make([]map[string]string, 0, len(lines)), equals: map[string]string{}}
	for _, line := range lines {
		if err := rows.add(line.text); err != nil {
			return nil, fault.Errorf(fault.Invalid, "line %d: %w", line.number, err)
		}
	}
	return rows, nil
}

func (r *Rows) add(text string) error {
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
		p, err := newPattern(wanted)
		if err != nil {
			return err
		}
		r.regexps = append(r.regexps, taggedRegexp{pattern: p, tag: tag})
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
	return r.firstRegexp(text)
}

func (r *Rows) leftmost(text string) string {
	tag, before := "", len(text)+1
	for _, candidate := range r.contains {
		if before == 0 {
			break
		}
		// Only a row that begins further left can win, so nothing further right is searched.
		window := text[:min(len(text), before-1+len(candidate.pattern))]
		if at := strings.Index(window, candidate.pattern); at >= 0 {
			tag, before = candidate.tag, at
		}
	}
	return tag
}

func (r *Rows) firstRegexp(text string) string {
	if len(r.regexps) == 0 {
		return ""
	}
	lower := lowerASCII(text)
	for _, candidate := range r.regexps {
		if candidate.match(text, lower) {
			return candidate.tag
		}
	}
	return ""
}
