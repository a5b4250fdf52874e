package event

import "shieldwall/internal/wire"

// Direct returns how expressions read a member of an event or call a method of it without reflection, see
// expression.Direct; nil for the members that they seldom ask for.
func (Env) Direct(path []string) any {
	if len(path) < 2 || path[0] != "evt" {
		return nil
	}
	switch name, below := path[1], path[2:]; len(below) {
	case 0:
		return directField(name)
	case 1:
		return directMember(name, below[0])
	default:
		return directBelow(name, below)
	}
}

// Ready reports whether env is an *Env with an event: reading members of it cannot go wrong.
func (Env) Ready(env any) bool {
	of, ok := env.(*Env)
	return ok && of != nil && of.Evt != nil
}

// Settle makes the maps of the event ready for reflection.
func (Env) Settle(env any) {
	if of, ok := env.(*Env); ok && of != nil && of.Evt != nil {
		of.Evt.Maps()
	}
}

// texts is a map of texts as a member of an environment.
type texts struct{ in group }

// All returns the map.
func (t texts) All(env any) map[string]string {
	evt := eventOf(env)
	evt.Maps()
	return *evt.mapOf(t.in)
}

// Has reports whether the map has a key.
func (t texts) Has(env any, key string) bool {
	_, found := eventOf(env).find(t.in, key)
	return found
}

// labels is the map of labels.
type labels struct{}

// All returns the map.
func (labels) All(env any) map[string]string { return eventOf(env).Line.Labels }

// Has reports whether the map has a key.
func (labels) Has(env any, key string) bool {
	_, has := eventOf(env).Line.Labels[key]
	return has
}

func ofField(field Field) func(env any) string {
	return func(env any) string { return field.Of(eventOf(env)) }
}

func eventOf(env any) *Event {
	return env.(*Env).Evt //nolint:forcetypeassert,errcheck // where it panics, reflection is asked
}

func directField(name string) any {
	switch name {
	case "Stage":
		return func(env any) string { return eventOf(env).Stage }
	case "StrTime":
		return func(env any) string { return eventOf(env).StrTime }
	case "StrTimeFormat":
		return func(env any) string { return eventOf(env).StrTimeFormat }
	case "MarshaledTime":
		return func(env any) string { return eventOf(env).MarshaledTime }
	case "WhitelistReason":
		return func(env any) string { return eventOf(env).WhitelistReason }
	case "Whitelisted":
		return func(env any) bool { return eventOf(env).Whitelisted }
	case "Process":
		return func(env any) bool { return eventOf(env).Process }
	case "Parsed":
		return texts{inParsed}
	case "Meta":
		return texts{inMeta}
	case "Enriched":
		return texts{inEnriched}
	case "Unmarshaled":
		return func(env any) map[string]any { return eventOf(env).Unmarshaled }
	case "GetType":
		return func(env any) string { return eventOf(env).GetType() }
	case "GetMeta":
		return func(env any, key string) string { return eventOf(env).GetMeta(key) }
	}
	return nil
}

func directMember(name, member string) any {
	switch name {
	case "Parsed":
		return ofField(ParsedField(member))
	case "Meta":
		return ofField(MetaField(member))
	case "Enriched":
		return ofField(EnrichedField(member))
	case "Unmarshaled":
		return func(env any) any { return eventOf(env).Unmarshaled[member] }
	case "Line":
		return directLine(member)
	case "Appsec":
		return directAppsec(member)
	}
	return nil
}

func directAppsec(member string) any {
	switch member {
	case "HasInBandMatches":
		return func(env any) bool { return eventOf(env).Appsec.HasInBandMatches }
	case "HasOutBandMatches":
		return func(env any) bool { return eventOf(env).Appsec.HasOutBandMatches }
	}
	return nil
}

func directLine(member string) any {
	switch member {
	case "Raw":
		return func(env any) string { return eventOf(env).Line.Raw }
	case "Src":
		return func(env any) string { return eventOf(env).Line.Src }
	case "Module":
		return func(env any) string { return eventOf(env).Line.Module }
	case "Labels":
		return labels{}
	}
	return nil
}

func directBelow(name string, path []string) any {
	switch {
	case name == "Line" && path[0] == "Labels" && len(path) == 2:
		return func(env any) string { return eventOf(env).Line.Labels[path[1]] }
	case name == "Overflow" && path[0] == "Alert":
		return directAlert(path[1:])
	}
	return nil
}

// directAlert reads what only an overflow has.
func directAlert(path []string) any {
	switch {
	case len(path) == 1 && path[0] == "Remediation":
		return ofAlert(func(alert *wire.Alert) bool { return alert.Remediation })
	case len(path) == 1 && path[0] == "GetScenario":
		return ofAlert((*wire.Alert).GetScenario)
	case len(path) == 1 && path[0] == "GetScope":
		return ofAlert((*wire.Alert).GetScope)
	case len(path) == 2 && path[0] == "Source":
		return directSource(path[1])
	}
	return nil
}

func ofAlert[T any](get func(*wire.Alert) T) func(any) (T, bool) {
	return func(env any) (value T, ok bool) {
		if alert := eventOf(env).Overflow.Alert; alert != nil {
			return get(alert), true
		}
		return value, false
	}
}

func directSource(member string) any {
	switch member {
	case "IP":
		return ofSource(func(source *wire.Source) string { return source.IP })
	case "Range":
		return ofSource(func(source *wire.Source) string { return source.Range })
	case "Cn":
		return ofSource(func(source *wire.Source) string { return source.Cn })
	}
	return nil
}

func ofSource(get func(*wire.Source) string) func(any) (string, bool) {
	return func(env any) (string, bool) {
		if alert := eventOf(env).Overflow.Alert; alert != nil && alert.Source != nil {
			return get(alert.Source), true
		}
		return "", false
	}
}
