package sql

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"shieldwall/internal/domain"
)

// The published limits, in bytes. They are the widths of the columns in MariaDB.
const (
	maxEventMeta = 8191
	maxMetaKey   = 255
	maxMetaValue = 4095

	firstCut  = 2048
	cutSuffix = "<stripped>"
)

// metaItem is an item of the JSON list that the events table keeps.
type metaItem struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// encodeMeta writes the meta data of an event. What does not fit is shortened, the longest values first; when
// the keys alone do not fit, the text is empty.
func encodeMeta(meta []domain.KeyValue) (string, error) {
	text, err := marshalMeta(meta, func(value string) int { return len(value) })
	for limit := firstCut; err == nil && len(text) > maxEventMeta && limit > 0; limit /= 2 {
		text, err = marshalMeta(meta, func(value string) int {
			if len(value) > 2*limit {
				return limit
			}
			return len(value)
		})
	}
	if len(text) > maxEventMeta {
		return "", err
	}
	return text, err
}

// marshalMeta cuts each value to the length that keep says.
func marshalMeta(meta []domain.KeyValue, keep func(value string) int) (string, error) {
	items := make([]metaItem, len(meta))
	for i, item := range meta {
		kept := cut(item.Value, keep(item.Value))
		if kept != item.Value {
			kept += cutSuffix
		}
		items[i] = metaItem{Key: item.Key, Value: kept}
	}
	text, err := json.Marshal(items)
	return string(text), err
}

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
