package alertcontext

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// answers are the different texts that were found for one key, as far as their JSON list fits in limit.
type answers struct {
	limit    int
	elements []string // in JSON
	length   int      // of the list
	seen     map[string]bool
	full     bool // further answers would be left out
}

func newAnswers(limit int) *answers {
	return &answers{limit: limit, length: len("["), seen: map[string]bool{}}
}

func (a *answers) add(text string) {
	if a.full || text == "" || a.seen[text] {
		return
	}
	a.seen[text] = true
	element, room := encode(text), a.limit-a.length-len("]")
	if len(element) > room {
		a.full = true
		element = ""
		if len(a.elements) == 0 {
			element = shorten(text, room)
		}
	}
	if element != "" {
		a.elements = append(a.elements, element)
		a.length += len(element) + len(",")
	}
}

// list returns the JSON list, "" when it is empty.
func (a *answers) list() string {
	if len(a.elements) == 0 {
		return ""
	}
	return "[" + strings.Join(a.elements, ",") + "]"
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

func encode(text string) string {
	element, err := json.Marshal(text)
	if err != nil {
		return `""` // every text has a JSON form
	}
	return string(element)
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
