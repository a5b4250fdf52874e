package plan

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"shieldwall/internal/hub"
)

// Operation is what happens to an item.
type Operation int

// The operations.
const (
	Download Operation = iota // the file, and data files
	Enable
	Disable
	Purge   // the downloaded file
	Refresh // data files of all installed items; it has no item
)

// String returns what plans call the operation.
func (o Operation) String() string {
	switch o {
	case Download:
		return "📥 download"
	case Enable:
		return "✅ enable"
	case Disable:
		return "❌ disable"
	case Purge:
		return "🗑 purge (delete source)"
	case Refresh:
		return "🔄 check & update data files"
	}
	return ""
}

// Step is one thing to do.
type Step struct {
	Operation Operation
	Item      *hub.Holding // nil for Refresh
}

// detail is what a plan says of the item of a step.
func (s Step) detail() string {
	switch {
	case s.Operation != Download:
		return s.Item.Name
	case s.Item.LocalVersion == "":
		return fmt.Sprintf("%s (%s)", s.Item.Name, s.Item.Offer.Version)
	}
	return fmt.Sprintf("%s (%s -> %s)", s.Item.Name, s.Item.LocalVersion, s.Item.Offer.Version)
}

// Notice is something that the user should know about what is not in the plan.
type Notice struct {
	Level slog.Level
	Text  string // a published sentence
}

// Plan is what to do, in order.
type Plan struct {
	Steps   []Step
	Notices []Notice
}

func (p *Plan) add(operation Operation, item *hub.Holding) {
	step := Step{operation, item}
	if !slices.Contains(p.Steps, step) {
		p.Steps = append(p.Steps, step)
	}
}

func (p *Plan) notice(level slog.Level, format string, args ...any) {
	notice := Notice{level, fmt.Sprintf(format, args...)}
	if !slices.Contains(p.Notices, notice) {
		p.Notices = append(p.Notices, notice)
	}
}

// Compact describes the plan by operation and kind, collections first.
func (p *Plan) Compact() string {
	var text strings.Builder
	for _, operation := range p.operations() {
		text.WriteString(operation.String() + "\n")
		for _, kind := range slices.Backward(hub.Kinds()) {
			if details := p.details(operation, kind); len(details) > 0 {
				text.WriteString(" " + string(kind) + ": " + strings.Join(details, ", ") + "\n")
			}
		}
	}
	return text.String()
}

// Verbose describes the plan step by step.
func (p *Plan) Verbose() string {
	var text strings.Builder
	for _, step := range p.Steps {
		text.WriteString(step.Operation.String())
		if step.Item != nil {
			text.WriteString(" " + string(step.Item.Kind) + ":" + step.detail())
		}
		text.WriteString("\n")
	}
	return text.String()
}

// operations returns those of the plan in the order in which each comes first.
func (p *Plan) operations() (all []Operation) {
	for _, step := range p.Steps {
		if !slices.Contains(all, step.Operation) {
			all = append(all, step.Operation)
		}
	}
	return all
}

func (p *Plan) details(operation Operation, kind hub.Kind) []string {
	var items []Step
	for _, step := range p.Steps {
		if step.Operation == operation && step.Item != nil && step.Item.Kind == kind {
			items = append(items, step)
		}
	}
	slices.SortFunc(items, func(a, b Step) int { return cmp.Compare(a.Item.Name, b.Item.Name) })
	details := make([]string, len(items))
	for i, step := range items {
		details[i] = step.detail()
	}
	return details
}
