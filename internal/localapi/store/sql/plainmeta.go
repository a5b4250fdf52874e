package sql

import (
	"strings"

	"shieldwall/internal/domain"
)

// plainMeta reads meta data in exactly the form that encodeMeta gives it where no character needs escaping, which is nearly
// always: a list of alerts has dozens of them an alert. The texts share the memory of text. Anything else is not ok.
func plainMeta(text string) (meta []domain.KeyValue, ok bool) {
	rest, ok := strings.CutPrefix(text, "[")
	if !ok || !isPlain(text) {
		return nil, false
	}
	meta = make([]domain.KeyValue, 0, strings.Count(text, `{"key":`))
	for {
		var item domain.KeyValue
		if item.Key, rest, ok = plainMember(rest, `{"key":"`); !ok {
			return nil, false
		}
		if item.Value, rest, ok = plainMember(rest, `,"value":"`); !ok {
			return nil, false
		}
		meta = append(meta, item)
		if rest == "}]" {
			return meta, true
		}
		if rest, ok = strings.CutPrefix(rest, "},"); !ok {
			return nil, false
		}
	}
}

// plainMember returns the text that follows name, and what follows its closing quote.
func plainMember(text, name string) (value, rest string, ok bool) {
	rest, ok = strings.CutPrefix(text, name)
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, `"`)
}

// isPlain reports whether every character of a JSON document stands for itself.
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '\\' {
			return false
		}
	}
	return true
}
