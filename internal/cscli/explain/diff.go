package explain

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"shieldwall/internal/logprocessor/event"
)

// verb is what a parser did to one value of an event.
type verb string

const (
	create verb = "create" // a key that was not in its map
	update verb = "update"
	remove verb = "delete"
)

// change is what a parser did to one value.
type change struct {
	verb     verb
	path     string // as expressions name it
	old, new string
}

// diff returns what differs between two states of an event: what was created, then updated, then deleted,
// each by path.
func diff(before, after event.Event) []change {
	old, now := values(before), values(after)
	var changes []change
	for path, value := range now {
		previous, existed := old[path]
		switch {
		case !existed:
			changes = append(changes, change{verb: create, path: path, new: value})
		case previous != value:
			changes = append(changes, change{verb: update, path: path, old: previous, new: value})
		}
	}
	for path, value := range old {
		if _, remains := now[path]; !remains {
			changes = append(changes, change{verb: remove, path: path, old: value})
		}
	}
	slices.SortFunc(changes, func(a, b change) int {
		return cmp.Or(cmp.Compare(a.verb.order(), b.verb.order()), cmp.Compare(a.path, b.path))
	})
	return changes
}

func (v verb) order() int { return slices.Index([]verb{create, update, remove}, v) }

// values returns the values of a line's event by path. The fields of an event always exist, keys of its
// maps do not.
func values(evt event.Event) map[string]string {
	found := map[string]string{
		"evt.ExpectMode":      fmt.Sprint(evt.ExpectMode),
		"evt.Whitelisted":     fmt.Sprint(evt.Whitelisted),
		"evt.WhitelistReason": evt.WhitelistReason,
		"evt.Stage":           evt.Stage,
		"evt.Line.Raw":        evt.Line.Raw,
		"evt.Line.Src":        evt.Line.Src,
		"evt.Line.Time":       instant(evt.Line.Time),
		"evt.Line.Process":    fmt.Sprint(evt.Line.Process),
		"evt.Line.Module":     evt.Line.Module,
		"evt.Time":            instant(evt.Time),
		"evt.StrTime":         evt.StrTime,
		"evt.StrTimeFormat":   evt.StrTimeFormat,
		"evt.MarshaledTime":   evt.MarshaledTime,
		"evt.Process":         fmt.Sprint(evt.Process),
	}
	for name, texts := range map[string]map[string]string{
		"evt.Line.Labels.": evt.Line.Labels, "evt.Parsed.": evt.Parsed, "evt.Enriched.": evt.Enriched, "evt.Meta.": evt.Meta,
	} {
		for key, text := range texts {
			found[name+key] = text
		}
	}
	maps.Copy(found, leaves("evt.Unmarshaled", evt.Unmarshaled))
	return found
}

// leaves returns the values within value by path.
func leaves(path string, value any) map[string]string {
	found := map[string]string{}
	switch value := value.(type) {
	case map[string]any:
		for key, element := range value {
			maps.Copy(found, leaves(path+"."+key, element))
		}
	case []any:
		for i, element := range value {
			maps.Copy(found, leaves(fmt.Sprintf("%s[%d]", path, i), element))
		}
	default:
		found[path] = fmt.Sprint(value)
	}
	return found
}

func instant(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Format(time.RFC3339Nano)
}
