package sql

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"shieldwall/internal/domain"
)

// The published limits, in bytes. They are the widths of the columns in MariaDB.
const (
	maxEventMeta = 8191
	maxMetaKey   = 255
	maxMetaValue = 4095

	typicalMeta = 1024 // bytes of what an event has; more grows

	uncut     = math.MaxInt / 2
	firstCut  = 2048
	cutSuffix = "<stripped>"
)

// metaItem is an item of the JSON list that the events table keeps.
type metaItem struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// encodeMeta writes the meta data of an event into the memory of text. What does not fit is shortened, the longest values
// first; when the keys alone do not fit, the text is empty.
func encodeMeta(text []byte, meta []domain.KeyValue) ([]byte, error) {
	text, err := marshalMeta(text, meta, uncut)
	for limit := firstCut; err == nil && len(text) > maxEventMeta && limit > 0; limit /= 2 {
		text, err = marshalMeta(text, meta, limit)
	}
	if len(text) > maxEventMeta {
		return text[:0], err
	}
	return text, err
}

// marshalMeta cuts values that are longer than twice the limit to the limit.
func marshalMeta(text []byte, meta []domain.KeyValue, limit int) ([]byte, error) {
	text = text[:0]
	for i, item := range meta {
		value := item.Value
		if len(value) > 2*limit {
			value = cut(value, limit) + cutSuffix
		}
		text = append(text, `,{"key":`...)
		if i == 0 {
			text[0] = '['
		}
		var err error
		if text, err = appendJSON(text, item.Key); err != nil {
			return text, err
		}
		text = append(text, `,"value":`...)
		if text, err = appendJSON(text, value); err != nil {
			return text, err
		}
		text = append(text, '}')
	}
	if len(meta) == 0 {
		return append(text, "[]"...), nil
	}
	return append(text, ']'), nil
}

// appendJSON writes s as encoding/json does, which it asks only when there is something to escape.
func appendJSON(text []byte, s string) ([]byte, error) {
	for i := range len(s) {
		if !plain[s[i]] {
			escaped, err := json.Marshal(s)
			return append(text, escaped...), err
		}
	}
	return append(append(append(text, '"'), s...), '"'), nil
}

// plain are the bytes that stand for themselves in JSON as encoding/json writes it.
var plain = func() (plain [256]bool) {
	for c := ' '; c <= '~'; c++ {
		plain[c] = !strings.ContainsRune("\"\\<>&", c)
	}
	return plain
}()

// cut shortens text to at most size bytes, without cutting a character in two.
func cut(text string, size int) string {
	if len(text) <= size {
		return text
	}
	for size > 0 && !utf8.RuneStart(text[size]) {
		size--
	}
	return text[:size]
}

// decodeMeta reads what encodeMeta, or the replaced system, wrote.
func decodeMeta(text string) ([]domain.KeyValue, error) {
	if text == "" {
		return nil, nil
	}
	if meta, ok := plainMeta(text); ok {
		return meta, nil
	}
	var items []metaItem
	if err := json.Unmarshal([]byte(text), &items); err != nil {
		return nil, fmt.Errorf("decoding the meta data of an event: %w", err)
	}
	var meta []domain.KeyValue
	for _, item := range items {
		meta = append(meta, domain.KeyValue(item))
	}
	return meta, nil
}
