package items

import (
	"shieldwall/internal/cscli/table"
	"shieldwall/internal/hub"
)

// The marks of states, beside those of tables.
const (
	house = "🏠"
	box   = "📦"
)

// Compound returns the state of an item in the words of lists of items: "enabled,tainted".
func Compound(item *hub.Holding) string {
	text := "disabled"
	if item.Installed {
		text = "enabled"
	}
	if item.Local {
		text += ",local"
	}
	switch {
	case item.Tainted:
		text += ",tainted"
	case !item.UpToDate && !item.Local:
		text += ",update-available"
	}
	return text
}

// Word returns the state of an item in one word.
func Word(item *hub.Holding) string {
	switch {
	case !item.Installed:
		return "not-installed"
	case item.Tainted:
		return "tainted"
	case item.Local:
		return "local"
	case !item.UpToDate:
		return "outdated"
	}
	return "up-to-date"
}

// Mark returns the picture of the state.
func Mark(item *hub.Holding) string {
	switch {
	case item.Local:
		return house
	case !item.Installed:
		return table.Prohibited
	case item.Tainted, !item.UpToDate:
		return table.Warning
	}
	return table.Check
}

// StatusHeader is the name of the column of states.
const StatusHeader = box + " Status"

// Record is an item in JSON lists.
type Record struct {
	Name         string `json:"name"`
	LocalVersion string `json:"local_version"`
	LocalPath    string `json:"local_path"`
	Description  string `json:"description"`
	Pictured     string `json:"utf8_status"`
	Status       string `json:"status"`
}

// Records returns items as JSON lists show them: an empty list for none.
func Records(list []*hub.Holding) []Record {
	records := make([]Record, len(list))
	for i, item := range list {
		status := Compound(item)
		records[i] = Record{item.Name, item.LocalVersion, item.LocalPath, item.Description, Mark(item) + "  " + status, status}
	}
	return records
}
