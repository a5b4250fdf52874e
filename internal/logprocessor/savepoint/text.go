package savepoint

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Logs hold any bytes and JSON holds Unicode: a text that is no UTF-8 is written as a NUL and its bytes in
// base64, and so is one that begins with a NUL itself.
const escape = "\x00"

const hexDigits = "0123456789abcdef"

// appendText appends a text as JSON.
func appendText(dst []byte, text string) []byte {
	for i := range len(text) {
		if b := text[i]; b < ' ' || b >= utf8.RuneSelf || b == '"' || b == '\\' {
			return appendOddText(dst, text, i)
		}
	}
	return append(append(append(dst, '"'), text...), '"')
}

// appendOddText appends a text of which only the first bytes are known to stand for themselves.
func appendOddText(dst []byte, text string, known int) []byte {
	if strings.HasPrefix(text, escape) || !utf8.ValidString(text[known:]) {
		return append(base64.StdEncoding.AppendEncode(append(dst, `"\u0000`...), []byte(text)), '"')
	}
	dst = append(append(dst, '"'), text[:known]...)
	for i := known; i < len(text); i++ {
		switch b := text[i]; {
		case b < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[b>>4], hexDigits[b&15])
		case b == '"' || b == '\\':
			dst = append(dst, '\\', b)
		default:
			dst = append(dst, b)
		}
	}
	return append(dst, '"')
}

// plain undoes the escape of a text that JSON has been undone of.
func plain(text string) (string, error) {
	encoded, escaped := strings.CutPrefix(text, escape)
	if !escaped {
		return text, nil
	}
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	return string(decoded), err
}

func appendList[E any](dst []byte, elements []E, appendOne func([]byte, E) []byte) []byte {
	dst = append(dst, '[')
	for i, element := range elements {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendOne(dst, element)
	}
	return append(dst, ']')
}

// appendMap appends a map of anything, in no order.
func appendMap[V any](dst []byte, values map[string]V, appendOne func([]byte, V) []byte) []byte {
	dst = append(dst, '{')
	for key, value := range values {
		dst = appendOne(append(appendText(dst, key), ':'), value)
		dst = append(dst, ',')
	}
	if len(values) > 0 {
		dst = dst[:len(dst)-1]
	}
	return append(dst, '}')
}

// appendTime appends a time with its offset; one that RFC 3339 has no words for becomes the zero time.
func appendTime(dst []byte, t time.Time) []byte {
	if year := t.Year(); year < 0 || year > 9999 {
		t = time.Time{}
	}
	return append(t.AppendFormat(append(dst, '"'), time.RFC3339Nano), '"')
}

// Values that rules unpack from a line keep their types: what is neither null, true, false, a text, a number
// with a fraction nor a list is written as an object with its type as the only key.
const (
	typeInt     = "int"
	typeFloat   = "float" // those that JSON has no words for
	typeTexts   = "texts" // []string
	typeTextMap = "text_map"
	typeMap     = "map"
)

// maxDepth bounds how deep values may nest, far below what reading them back can bear.
const maxDepth = 1000

// appendValue appends any value that a helper of rules makes; anything else, and what is nested too deep,
// becomes null.
func appendValue(dst []byte, value any) []byte { return appendNested(dst, value, maxDepth) }

func appendNested(dst []byte, value any, depth int) []byte {
	if depth == 0 {
		return append(dst, "null"...)
	}
	deeper := func(dst []byte, value any) []byte { return appendNested(dst, value, depth-1) }
	switch value := value.(type) {
	case bool:
		return strconv.AppendBool(dst, value)
	case string:
		return appendText(dst, value)
	case float64:
		return appendFloat(dst, value)
	case int:
		return append(strconv.AppendInt(append(dst, `{"`+typeInt+`":"`...), int64(value), 10), `"}`...)
	case []string:
		return append(appendList(append(dst, `{"`+typeTexts+`":`...), value, appendText), '}')
	case map[string]string:
		return append(appendMap(append(dst, `{"`+typeTextMap+`":`...), value, appendText), '}')
	case map[string]any:
		return append(appendMap(append(dst, `{"`+typeMap+`":`...), value, deeper), '}')
	case []any:
		return appendList(dst, value, deeper)
	}
	return append(dst, "null"...)
}

func appendFloat(dst []byte, value float64) []byte {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return append(strconv.AppendFloat(append(dst, `{"`+typeFloat+`":"`...), value, 'g', -1, 64), `"}`...)
	}
	return strconv.AppendFloat(dst, value, 'g', -1, 64)
}

var errValue = errors.New("value of no known type")

// valueOf undoes appendValue for what package json has read.
func valueOf(read any) (any, error) {
	switch read := read.(type) {
	case nil, bool, float64:
		return read, nil
	case string:
		return plain(read)
	case []any:
		for i := range read {
			var err error
			if read[i], err = valueOf(read[i]); err != nil {
				return nil, err
			}
		}
		return read, nil
	case map[string]any:
		for name, content := range read {
			if len(read) == 1 {
				return typedValue(name, content)
			}
		}
	}
	return nil, errValue
}

func typedValue(name string, content any) (any, error) {
	switch content := content.(type) {
	case string:
		switch name {
		case typeInt:
			return strconv.Atoi(content)
		case typeFloat:
			return strconv.ParseFloat(content, 64)
		}
	case []any:
		if name == typeTexts {
			return textsOf(content)
		}
	case map[string]any:
		switch name {
		case typeTextMap:
			return mapOf(content, textOf)
		case typeMap:
			return mapOf(content, valueOf)
		}
	}
	return nil, fmt.Errorf("%w: %q", errValue, name)
}

func textsOf(read []any) ([]string, error) {
	texts := make([]string, 0, len(read))
	for _, element := range read {
		text, err := textOf(element)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, nil
}

func textOf(read any) (string, error) {
	text, ok := read.(string)
	if !ok {
		return "", errValue
	}
	return plain(text)
}

// mapOf converts keys and values; nil stays nil.
func mapOf[From, To any](read map[string]From, convert func(From) (To, error)) (map[string]To, error) {
	if read == nil {
		return nil, nil //nolint:nilnil // a map that was nil
	}
	converted := make(map[string]To, len(read))
	for name, value := range read {
		key, err := plain(name)
		if err != nil {
			return nil, err
		}
		if converted[key], err = convert(value); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	return converted, nil
}
