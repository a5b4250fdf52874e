package expression

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/buger/jsonparser"
)

var (
	errNilMap    = errors.New("destination map is nil")
	errNoJSONKey = errors.New("no key given")
)

func (l *Library) jsonHelpers() []helper {
	return []helper{
		of2("JsonExtract", func(text, path string) string { return rawJSON(text, splitPath(path)...) }),
		tryRest("JsonExtractLib", func(text string, keys ...string) (string, error) {
			return rawJSON(text, keys...), nil
		}),
		of2("JsonExtractObject", func(text, path string) map[string]any {
			return decodeAt[map[string]any](l, text, path)
		}),
		of2("JsonExtractSlice", func(text, path string) []any { return decodeAt[[]any](l, text, path) }),
		tryRest("JsonExtractUnescape", unescapedJSON),
	}
}

func decodeHelpers() []helper { return []helper{do3("UnmarshalJSON", unmarshalJSON)} }

// splitPath cuts "a.b[0].c" into the keys "a", "b", "[0]", "c".
func splitPath(path string) []string {
	keys := make([]string, 0, strings.Count(path, ".")+strings.Count(path, "[")+1)
	for part := range strings.SplitSeq(path, ".") {
		name, indexes, indexed := strings.Cut(part, "[")
		if name != "" || !indexed {
			keys = append(keys, name)
		}
		for indexed {
			var index string
			index, indexes, indexed = strings.Cut(indexes, "[")
			keys = append(keys, "["+index)
		}
	}
	return keys
}

// rawJSON returns the value at keys as it is written, but for the quotes of a text; "" when it is missing.
func rawJSON(text string, keys ...string) string {
	value, kind, _, err := jsonparser.Get([]byte(text), keys...)
	if err != nil || kind == jsonparser.NotExist {
		return ""
	}
	return string(value)
}

// unescapedJSON looks at the first key only, which is how the helper is known, and yields "" for what is not
// a text.
func unescapedJSON(text string, keys ...string) (string, error) {
	if len(keys) == 0 {
		return "", errNoJSONKey
	}
	value, err := jsonparser.GetString([]byte(text), keys[0])
	if err != nil {
		return "", nil //nolint:nilerr // missing and not a text are the same to expressions
	}
	return value, nil
}

func decodeAt[T any](l *Library, text, path string) T {
	var value T
	err := json.Unmarshal([]byte(rawContainer(text, path)), &value)
	if err != nil {
		l.log.Error("no such value in json", "path", path, "want", fmt.Sprintf("%T", value), "error", err)
		var none T
		return none
	}
	return value
}

// rawContainer is rawJSON for objects and arrays: a text that looks like one is none.
func rawContainer(text, path string) string {
	value, kind, _, err := jsonparser.Get([]byte(text), splitPath(path)...)
	if err != nil || kind != jsonparser.Object && kind != jsonparser.Array {
		return ""
	}
	return string(value)
}

func unmarshalJSON(text string, into map[string]any, key string) error {
	if into == nil {
		return errNilMap
	}
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return fmt.Errorf("decoding json: %w", err)
	}
	into[key] = value
	return nil
}
