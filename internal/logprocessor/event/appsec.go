package event

// Appsec is what a web application firewall found in a request. It is zero in every other event; items of
// the hub read it all the same.
type Appsec struct {
	HasInBandMatches  bool
	HasOutBandMatches bool
	MatchedRules
}

// MatchedRules are the rules that a request matched, each by its published keys ("id", "name", ...).
type MatchedRules []map[string]any

// GetName returns the name of the first rule, "" without one.
func (m MatchedRules) GetName() string {
	if len(m) == 0 {
		return ""
	}
	name, _ := m[0]["name"].(string)
	return name
}

// GetRuleIDs returns the numbers of all rules that have one.
func (m MatchedRules) GetRuleIDs() []int {
	ids := make([]int, 0, len(m))
	for _, rule := range m {
		if id, ok := rule["id"].(int); ok {
			ids = append(ids, id)
		}
	}
	return ids
}
