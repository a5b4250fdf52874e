package event

import (
	"regexp"
	"slices"
)

// Appsec is what a web application firewall found in a request. It is zero in every other event; items of
// the hub read it all the same.
type Appsec struct {
	HasInBandMatches  bool
	HasOutBandMatches bool
	MatchedRules
	Vars     map[string]string
	HookVars map[string]string
}

// GetVar returns a variable of the request, "" when it is not set.
func (a Appsec) GetVar(name string) string { return a.Vars[name] }

// MatchedRules are the rules that a request matched, each by its published keys ("id", "name", ...).
type MatchedRules []map[string]any

// GetField returns the values of a key, of all rules that have it.
func (m MatchedRules) GetField(key string) []any {
	values := make([]any, 0, len(m))
	for _, rule := range m {
		if value, ok := rule[key]; ok {
			values = append(values, value)
		}
	}
	return values
}

// GetName returns the name of the first rule, "" without one.
func (m MatchedRules) GetName() string { return m.first("name") }

// GetURI returns the URI that the first rule matched, "" without one.
func (m MatchedRules) GetURI() string { return m.first("uri") }

// GetMethod returns the HTTP method that the first rule matched, "" without one.
func (m MatchedRules) GetMethod() string { return m.first("method") }

// GetHash returns the hash of the first rule, "" without one.
func (m MatchedRules) GetHash() string { return m.first("hash") }

// GetVersion returns the version of the first rule, "" without one.
func (m MatchedRules) GetVersion() string { return m.first("version") }

// GetNames returns the names of all rules that have one.
func (m MatchedRules) GetNames() []string { return valuesOf[string](m, "name") }

// GetRuleIDs returns the numbers of all rules that have one.
func (m MatchedRules) GetRuleIDs() []int { return valuesOf[int](m, "id") }

// Kinds returns the kinds of all rules that have one.
func (m MatchedRules) Kinds() []string { return valuesOf[string](m, "kind") }

// GetMatchedZones returns the parts of the request that any rule matched.
func (m MatchedRules) GetMatchedZones() []string {
	return slices.Concat(valuesOf[[]string](m, "matched_zones")...)
}

// GetHighestSeverity returns the severity of the worst rule, "" without one. The lowest number is the worst.
func (m MatchedRules) GetHighestSeverity() string {
	highest, level := "", 0
	for _, rule := range m {
		name, named := rule["severity"].(string)
		number, numbered := rule["severity_int"].(int)
		if named && numbered && (highest == "" || number < level) {
			highest, level = name, number
		}
	}
	return highest
}

// ByID returns the rules of a number.
func (m MatchedRules) ByID(id int) MatchedRules { return having(m, "id", id) }

// ByKind returns the rules of a kind.
func (m MatchedRules) ByKind(kind string) MatchedRules { return having(m, "kind", kind) }

// BySeverity returns the rules of a severity.
func (m MatchedRules) BySeverity(severity string) MatchedRules {
	return having(m, "severity", severity)
}

// ByAccuracy returns the rules of an accuracy.
func (m MatchedRules) ByAccuracy(accuracy string) MatchedRules {
	return having(m, "accuracy", accuracy)
}

// ByDisruptiveness returns the rules that do, or do not, stop a request.
func (m MatchedRules) ByDisruptiveness(disruptive bool) MatchedRules {
	return having(m, "disruptive", disruptive)
}

// ByTag returns the rules with a tag.
func (m MatchedRules) ByTag(tag string) MatchedRules { return m.ByTags([]string{tag}) }

// ByTags returns the rules with any of some tags.
func (m MatchedRules) ByTags(tags []string) MatchedRules {
	return m.tagged(func(tag string) bool { return slices.Contains(tags, tag) })
}

// ByTagRx returns the rules with a tag that an expression matches; none when it is no expression.
func (m MatchedRules) ByTagRx(expr string) MatchedRules {
	compiled, err := regexp.Compile(expr)
	if err != nil {
		return nil
	}
	return m.tagged(compiled.MatchString)
}

func (m MatchedRules) first(key string) string {
	if len(m) == 0 {
		return ""
	}
	text, _ := m[0][key].(string)
	return text
}

func (m MatchedRules) tagged(wanted func(tag string) bool) MatchedRules {
	return m.where(func(rule map[string]any) bool {
		tags, _ := rule["tags"].([]string)
		return slices.ContainsFunc(tags, wanted)
	})
}

func (m MatchedRules) where(wanted func(rule map[string]any) bool) MatchedRules {
	var found MatchedRules
	for _, rule := range m {
		if wanted(rule) {
			found = append(found, rule)
		}
	}
	return found
}

func having[T comparable](m MatchedRules, key string, value T) MatchedRules {
	return m.where(func(rule map[string]any) bool { return rule[key] == any(value) })
}

// valuesOf leaves out the rules whose value is of another type.
func valuesOf[T any](m MatchedRules, key string) []T {
	values := make([]T, 0, len(m))
	for _, rule := range m {
		if value, ok := rule[key].(T); ok {
			values = append(values, value)
		}
	}
	return values
}
