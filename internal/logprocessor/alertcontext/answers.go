package alertcontext

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"
)

// answers are the different texts that were found for one key, as far as their JSON list fits in limit.
type answers struct {
	limit int
	json  []byte // the list without its end
	few   []string
	many  map[string]bool // the same as few, once they are too many to look through
	full  bool            // further answers would be left out
}

// manyAnswers are more than few.
const manyAnswers = 16

// reset makes a new, in the memory that it has.
func (a *answers) reset() {
	*a = answers{limit: a.limit, json: append(a.json[:0], '['), few: a.few[:0]}
}

func (a *answers) add(text string) {
	if a.full || text == "" || !a.isNew(text) {
		return
	}
	before := len(a.json)
	if before > len("[") {
		a.json = append(a.json, ',')
	}
	a.json = appendText(a.json, text)
	if len(a.json)+len("]") <= a.limit {
		return
	}
	a.full = true
	a.json = a.json[:before]
	if before == len("[") {
		a.json = append(a.json, shorten(text, a.limit-len("[]"))...)
	}
}

func (a *answers) isNew(text string) bool {
	if a.many[text] || a.many == nil && slices.Contains(a.few, text) {
		return false
	}
	switch {
	case a.many != nil:
		a.many[text] = true
	case len(a.few) < manyAnswers:
		a.few = append(a.few, text)
	default:
		a.many = map[string]bool{text: true}
		for _, known := range a.few {
			a.many[known] = true
		}
	}
	return true
}

// list returns the JSON list, "" when it is empty.
func (a *answers) list() string {
	if len(a.json) == len("[") {
		return ""
	}
	return string(append(a.json, ']'))
}

// shorten halves a text and marks the cut until it fits, as published. It returns JSON, "" when nothing of
// the text fits.
func shorten(text string, room int) string {
	const mark = "..."
	for {
		cut := len(text) / 2
		for cut > 0 && !utf8.RuneStart(text[cut]) {
			cut--
		}
		if cut+len(mark) >= len(text) {
			return ""
		}
		text = text[:cut] + mark
		if element := encode(text); len(element) <= room {
			return element
		}
	}
}

func encode(text string) string { return string(appendText(nil, text)) }

// appendText appends the JSON form of a text.
func appendText(to []byte, text string) []byte {
	if isPlain(text) {
		return append(append(append(to, '"'), text...), '"')
	}
	element, err := json.Marshal(text)
	if err != nil {
		return append(to, `""`...) // every text has a JSON form
	}
	return append(to, element...)
}

// isPlain reports whether JSON, as package encoding/json writes it, has the text as it is.
func isPlain(text string) bool {
	for i := range len(text) {
		switch b := text[i]; {
		case b < ' ', b >= utf8.RuneSelf, b == '"', b == '\\', b == '<', b == '>', b == '&':
			return false
		}
	}
	return true
}

// texts turns what an expression yields into answers. What is zero is none, but for numbers.
func texts(result any) []string {
	switch result := result.(type) {
	case nil:
		return nil
	case string:
		return []string{result}
	case []string:
		return result
	case int:
		return []string{strconv.Itoa(result)}
	case []int:
		list := make([]string, len(result))
		for i, number := range result {
			list[i] = strconv.Itoa(number)
		}
		return list
	}
	if reflect.ValueOf(result).IsZero() {
		return nil
	}
	return []string{fmt.Sprint(result)}
}
