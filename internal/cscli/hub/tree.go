package hub

import (
	"fmt"
	"slices"
	"strings"

	"shieldwall/internal/cscli/table"
	"shieldwall/internal/hub"
)

// tree draws installed collections with what is in them, and then what belongs to none.
type tree struct {
	table    *table.Table
	holdings *hub.Holdings
	full     bool // every item, not only those with trouble
	shown    map[*hub.Holding]bool
}

func (t tree) draw() {
	roots := 0
	for _, collection := range t.holdings.Installed(hub.Collections) {
		if !t.belongs(collection) {
			t.collection(collection, "", "", nil)
			roots++
		}
	}
	separated := roots == 0
	for _, kind := range hub.Kinds() {
		for _, item := range t.holdings.Installed(kind) {
			if t.shown[item] {
				continue
			}
			if !separated {
				t.table.Separate()
				separated = true
			}
			t.row(item, "", "")
		}
	}
}

// belongs reports whether an installed collection has the item in it.
func (t tree) belongs(item *hub.Holding) bool {
	for _, name := range item.BelongsTo {
		if owner := t.holdings.Find(hub.Ref{Kind: hub.Collections, Name: name}); owner != nil && owner.Installed {
			return true
		}
	}
	return false
}

// collection draws one below those of path, with the guides before it and before what is in it.
func (t tree) collection(c *hub.Holding, before, within string, path []*hub.Holding) {
	t.shown[c] = true
	children, clean := t.parts(c, append(path, c))
	details := []string{trouble(c)}
	for _, kind := range hub.Kinds() {
		if clean[kind] > 0 {
			details = append(details, fmt.Sprintf("%d %s(s)", clean[kind], kind.Singular()))
		}
	}
	if details[0] == "" {
		details = details[1:]
	}
	t.row(c, before, strings.Join(details, " / "))
	for i, child := range children {
		guide, next := "├─ ", "│  "
		if i == len(children)-1 {
			guide, next = "└─ ", "   "
		}
		if child.Kind == hub.Collections {
			t.collection(child, within+guide, within+next, append(path, c))
			continue
		}
		t.row(child, within+guide, trouble(child))
	}
}

// parts returns what is drawn below a collection, its collections first, and counts the rest. What the path is made of is
// not drawn again.
func (t tree) parts(c *hub.Holding, path []*hub.Holding) (children []*hub.Holding, clean map[hub.Kind]int) {
	var leaves []*hub.Holding
	clean = map[hub.Kind]int{}
	for _, need := range c.Needs {
		part := t.holdings.Find(need)
		if part == nil || !part.Installed || slices.Contains(path, part) {
			continue
		}
		t.shown[part] = true
		switch {
		case need.Kind == hub.Collections:
			children = append(children, part)
		case t.full || part.Tainted || part.Outdated() || part.Local:
			leaves = append(leaves, part)
		default:
			clean[need.Kind]++
		}
	}
	return append(children, leaves...), clean
}

func (t tree) row(item *hub.Holding, guide, details string) {
	if details == "" {
		details = trouble(item)
	}
	t.table.Row(string(item.Kind), guide+item.Name, statusCell(item), versionCell(item), details)
}
