package grok

import "strings"

// part is a stretch of literal regular expression, or a reference when name is set.
type part struct {
	text  string
	name  string
	field string // "" when the reference does not capture
}

// split cuts a pattern into parts. What looks like a reference but is not one, such as %{NAME:field:type}, is
// left in the text and means to the regular expression what it may.
func split(pattern string) []part {
	var parts []part
	text := 0
	for at := 0; ; {
		i := strings.Index(pattern[at:], "%{")
		if i < 0 {
			break
		}
		at += i
		reference, size := parseReference(pattern[at:])
		if size == 0 {
			at += len("%{")
			continue
		}
		if text < at {
			parts = append(parts, part{text: pattern[text:at]})
		}
		parts = append(parts, reference)
		at += size
		text = at
	}
	if text < len(pattern) {
		parts = append(parts, part{text: pattern[text:]})
	}
	return parts
}

// parseReference reads the reference with which s starts and says how many bytes it takes, 0 when there is none.
func parseReference(s string) (part, int) {
	p := part{}
	end := len("%{")
	p.name = leadingWord(s[end:])
	end += len(p.name)
	if rest, more := strings.CutPrefix(s[end:], ":"); more {
		if p.field = leadingWord(rest); p.field == "" {
			return part{}, 0
		}
		end += len(":") + len(p.field)
	}
	if p.name == "" || !strings.HasPrefix(s[end:], "}") {
		return part{}, 0
	}
	return p, end + len("}")
}

// leadingWord returns the letters, digits and underscores with which s starts.
func leadingWord(s string) string {
	for i := range len(s) {
		if !isWord(s[i]) {
			return s[:i]
		}
	}
	return s
}

// isWord reports whether c is what \w matches: an ASCII letter, a digit or an underscore.
func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}
