package hubtest

import (
	"encoding/base64"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"shieldwall/internal/logprocessor/dump"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/wire"
)

// script is assertions being written, one a line.
type script struct{ strings.Builder }

func (s *script) add(format string, args ...any) { _, _ = fmt.Fprintf(s, format+"\n", args...) }

// equal asserts that an expression yields a text, of which only the name counts when it is the path of a log.
func (s *script) equal(left, key, value string) {
	if key == "datasource_path" {
		left, value = "basename("+left+")", filepath.Base(value)
	}
	s.add("%s == %s", left, quote(value))
}

// ParserAsserts returns assertions that hold over results and say all that matters of them, as published ones do: a text
// that is empty, of a part of a pattern that found nothing say, does not.
func ParserAsserts(results dump.ParserResults) string {
	var s script
	s.add("len(results) == %d", len(results))
	stages := results.Stages()
	for _, stage := range slices.Sorted(maps.Keys(stages)) {
		for _, parser := range slices.Sorted(maps.Keys(stages[stage])) {
			outcomes := stages[stage][parser]
			path := fmt.Sprintf("results[%s][%s]", quote(stage), quote(parser))
			s.add("len(%s) == %d", path, len(outcomes))
			for i := range outcomes {
				s.parsed(fmt.Sprintf("%s[%d]", path, i), &outcomes[i])
			}
		}
	}
	if len(stages) < len(results) { // there is the entry that is no stage, and always the same
		s.add(`len(results["success"][""]) == 0`)
	}
	return s.String()
}

// parsed says what a parser made of an event, if it understood it.
func (s *script) parsed(path string, result *dump.ParserResult) {
	s.add("%s.Success == %t", path, result.Success)
	if !result.Success {
		return
	}
	s.texts(path+".Evt.Parsed", result.Evt.Parsed)
	s.texts(path+".Evt.Meta", result.Evt.Meta)
	s.texts(path+".Evt.Enriched", result.Evt.Enriched)
	s.object(path+".Evt.Unmarshaled", result.Evt.Unmarshaled)
	s.add("%s.Evt.Whitelisted == %t", path, result.Evt.Whitelisted)
	if result.Evt.WhitelistReason != "" {
		s.add("%s.Evt.WhitelistReason == %s", path, quote(result.Evt.WhitelistReason))
	}
}

func (s *script) texts(path string, texts map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		if texts[key] == "" {
			continue
		}
		s.equal(fmt.Sprintf("%s[%s]", path, quote(key)), key, texts[key])
	}
}

func (s *script) object(path string, object map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(object)) {
		s.value(fmt.Sprintf("%s[%s]", path, quote(key)), object[key])
	}
}

// value asserts what came out of a document. Kinds of values that no expression can write are left out.
func (s *script) value(path string, value any) {
	switch value := value.(type) {
	case nil:
		s.add("%s == nil", path)
	case string:
		s.add("%s == %s", path, quote(value))
	case bool:
		s.add("%s == %t", path, value)
	case int, int64:
		s.add("%s == %d", path, value)
	case float64:
		s.number(path, value)
	case map[string]any:
		s.object(path, value)
	case []any:
		s.add("len(%s) == %d", path, len(value))
		for i, element := range value {
			s.value(fmt.Sprintf("%s[%d]", path, i), element)
		}
	}
}

// number leaves the last digits of a fraction open.
func (s *script) number(path string, value float64) {
	text := strconv.FormatFloat(value, 'g', -1, 64)
	if strings.ContainsAny(text, "IN") { // infinite, or not a number
		return
	}
	if !strings.ContainsAny(text, ".e") {
		text += ".0" // the helper takes no integers
	}
	s.add("FloatApproxEqual(%s, %s)", path, text)
}

// ScenarioAsserts is ParserAsserts for overflows in the order of Sort.
func ScenarioAsserts(overflows []event.Event) string {
	var s script
	s.add("len(results) == %d", len(overflows))
	for i := range overflows {
		s.overflow(fmt.Sprintf("results[%d].Overflow", i), &overflows[i].Overflow)
	}
	return s.String()
}

func (s *script) overflow(path string, overflow *event.RuntimeAlert) {
	for _, key := range slices.Sorted(maps.Keys(overflow.Sources)) {
		s.add("%s in %s.GetSources()", quote(key), path)
		s.source(fmt.Sprintf("%s.Sources[%s]", path, quote(key)), overflow.Sources[key])
	}
	alert := overflow.Alert
	if alert == nil {
		return
	}
	for i := range alert.Events {
		for _, item := range alert.Events[i].Meta {
			left := fmt.Sprintf("%s.Alert.Events[%d].GetMeta(%s)", path, i, quote(item.Key))
			s.equal(left, item.Key, alert.Events[i].GetMeta(item.Key))
		}
	}
	s.add("%s.Alert.GetScenario() == %s", path, quote(alert.Scenario))
	s.add("%s.Alert.Remediation == %t", path, alert.Remediation)
	s.add("%s.Alert.GetEventsCount() == %d", path, alert.EventsCount)
}

func (s *script) source(path string, source *wire.Source) {
	if source == nil {
		return
	}
	s.add("%s.IP == %s", path, quote(source.IP))
	s.add("%s.Range == %s", path, quote(source.Range))
	s.add("%s.GetScope() == %s", path, quote(source.Scope))
	s.add("%s.GetValue() == %s", path, quote(source.Value))
}

// quote writes a text as an expression. The escapes of expressions are those of Go, but they name characters
// and no bytes, so what is no UTF-8 takes another way.
func quote(text string) string {
	if utf8.ValidString(text) {
		return strconv.Quote(text)
	}
	return `fromBase64("` + base64.StdEncoding.EncodeToString([]byte(text)) + `")`
}
