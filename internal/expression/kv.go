package expression

import (
	"errors"
	"fmt"
	"strings"
)

var errNoPair = errors.New("text has no key=value pair")

func kvHelpers() []helper {
	return []helper{
		do3("ParseKV", func(text string, into map[string]any, key string) error {
			return storePairs(parsePairs(text), into, key)
		}),
		do3("ParseKVLax", func(text string, into map[string]any, key string) error {
			return storePairs(parseLaxPairs(text), into, key)
		}),
	}
}

type pair struct{ key, value string }

// storePairs adds pairs to the map[string]string at into[key], which it makes when there is none.
func storePairs(pairs []pair, into map[string]any, key string) error {
	if into == nil {
		return errNilMap
	}
	if len(pairs) == 0 {
		return errNoPair
	}
	values, ok := into[key].(map[string]string)
	if !ok && into[key] != nil {
		return fmt.Errorf("key %q holds %T, want map[string]string", key, into[key])
	}
	if values == nil {
		values = make(map[string]string, len(pairs))
		into[key] = values
	}
	for _, pair := range pairs {
		values[pair.key] = pair.value
	}
	return nil
}

// parsePairs reads key=value where neither side has "=" or blanks, or the value is in double quotes. Every
// quote that opens a value closes an unfinished one before it, so each byte is looked at a few times at most.
func parsePairs(text string) []pair {
	var pairs []pair
	for text != "" {
		key := text[:runLength(text)]
		text = text[len(key):]
		if key == "" || text == "" || text[0] != '=' {
			text = text[min(1, len(text)):] // a separator, or a run that is no key
			continue
		}
		value, length := pairValue(text[1:])
		pairs = append(pairs, pair{key: key, value: value})
		text = text[1+length:]
	}
	return pairs
}

// pairValue returns the value at the start of text and its length with quotes.
func pairValue(text string) (string, int) {
	if strings.HasPrefix(text, `"`) {
		if end := closingQuote(text); end > 0 {
			return text[1:end], end + 1
		}
	}
	length := runLength(text)
	return text[:length], length
}

// runLength counts the bytes before the first "=" or blank.
func runLength(text string) int {
	for i := range len(text) {
		if text[i] == '=' || isBlank(text[i]) {
			return i
		}
	}
	return len(text)
}

// closingQuote returns the index of the quote that closes the one at 0, stepping over escaped ones, or -1.
func closingQuote(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

func isBlank(b byte) bool {
	return b == ' ' || b == '\t' || b == '\n' || b == '\f' || b == '\r'
}

// parseLaxPairs reads key=value where a value goes on, blanks included, until the next key outside quotes.
func parseLaxPairs(text string) []pair {
	starts := laxKeys(text)
	pairs := make([]pair, 0, len(starts))
	for i, at := range starts {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1].start
		}
		value := unquote(strings.TrimSpace(text[at.equals+1 : end]))
		pairs = append(pairs, pair{key: text[at.start:at.equals], value: value})
	}
	return pairs
}

type laxKey struct{ start, equals int }

// laxKeys finds the words before "=" that look like a name. A quote that is never closed is an ordinary
// character.
func laxKeys(text string) []laxKey {
	var keys []laxKey
	quotes := true
	for i := 0; i < len(text); {
		if text[i] == '"' && quotes {
			end := closingQuote(text[i:])
			quotes = end > 0
			i += max(end, 0) + 1
			continue
		}
		length := nameLength(text[i:])
		atWord := i == 0 || isBlank(text[i-1])
		if equals := i + length; length > 0 && atWord && equals < len(text) && text[equals] == '=' {
			keys = append(keys, laxKey{start: i, equals: equals})
		}
		i += max(length, 1)
	}
	return keys
}

// nameLength counts the bytes of the name at the start of text: a letter or "_", then also digits, "." and "-".
func nameLength(text string) int {
	for i := range len(text) {
		b := text[i]
		letter := 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || b == '_'
		later := '0' <= b && b <= '9' || b == '.' || b == '-'
		if !letter && (i == 0 || !later) {
			return i
		}
	}
	return len(text)
}

// unquote takes surrounding quotes off and then undoes \\ before \", in this order.
func unquote(value string) string {
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return value
	}
	value = strings.ReplaceAll(value[1:len(value)-1], `\\`, `\`)
	return strings.ReplaceAll(value, `\"`, `"`)
}
