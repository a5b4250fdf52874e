package parser

import (
	"fmt"
	"log/slog"
	"strconv"

	"shieldwall/internal/expression"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/logprocessor/grok"
)

// node is one compiled step of a parser, with its children.
type node struct {
	name      string
	stage     string
	filter    *expression.Bool // nil: always enter
	grok      *grokStep        // nil: no pattern
	stash     []stashStep
	whitelist *whitelist // nil: none
	statics   []static
	children  []*node
	siblings  *siblings // of the children; nil: each is run
	nextStage bool      // success moves the event to the next stage
	remembers memory
	fillsMore bool // its expressions can fill in fields that only they know
	number    int  // of its counters, -1: it is not counted
	log       *slog.Logger
}

type grokStep struct {
	pattern *grok.Pattern
	fields  []event.Field
	applyOn string          // "Line.Raw" or a key of Parsed; "": subject decides
	text    event.Field     // the text to match unless it is the line or subject decides
	subject *expression.Any // nil when applyOn is set
	statics []static
}

// run processes the event of r. It reports whether the node succeeded; an error means that the event can't go on.
func (n *node) run(r *Runner) (bool, error) {
	env := &r.env
	if n.remembers.inFilter {
		r.waitForTurn()
	}
	if !n.enters(env) {
		return false, nil
	}
	if n.remembers.inside {
		r.waitForTurn()
	}
	r.counts.add(entered, n)
	whitelisted := n.whitelist.check(n, r)
	matched, err := n.runGrok(r)
	if err != nil {
		return false, err
	}
	if matched {
		n.runStash(env)
	}
	succeeded, err := n.runChildren(r, matched)
	if err != nil {
		return false, err
	}
	if !succeeded {
		r.counts.add(missed, n)
		return false, nil
	}
	r.counts.add(handled, n)
	if n.whitelist == nil || whitelisted {
		if err := n.apply(n.statics, r); err != nil {
			return false, err
		}
	}
	if n.nextStage {
		env.Evt.Stage = r.set.after(env.Evt.Stage)
	}
	return true, nil
}

func (n *node) enters(env *event.Env) bool {
	if n.filter == nil {
		return true
	}
	enter, err := n.filter.Eval(env)
	if err != nil {
		n.log.Warn("filter cannot be evaluated, leaving the node", "error", err)
		return false
	}
	return enter
}

// runGrok reports true when there is nothing to match, as well as for a match.
func (n *node) runGrok(r *Runner) (bool, error) {
	if n.grok == nil {
		return true, nil
	}
	subject, ok := n.grokSubject(&r.env)
	if !ok {
		return false, nil
	}
	values := r.captured(len(n.grok.fields))
	if !n.grok.pattern.Match(subject, values) {
		return false, nil
	}
	for i, field := range n.grok.fields {
		field.Set(r.env.Evt, values[i])
	}
	return true, n.apply(n.grok.statics, r)
}

func (n *node) grokSubject(env *event.Env) (string, bool) {
	if n.grok.applyOn == "" {
		return n.evaluateSubject(env)
	}
	return n.grok.find(env.Evt)
}

// find returns the text to match unless subject decides, and whether there is one.
func (g *grokStep) find(evt *event.Event) (text string, found bool) {
	if g.applyOn == "Line.Raw" {
		return evt.Line.Raw, true
	}
	return g.text.Find(evt)
}

func (n *node) evaluateSubject(env *event.Env) (string, bool) {
	if text := n.grok.subject.AsString(); text != nil {
		subject, err := text.Eval(env)
		if err != nil {
			n.log.Warn("subject of a pattern cannot be evaluated", "error", err)
		}
		return subject, err == nil
	}
	value, err := n.grok.subject.Eval(env)
	if err != nil {
		n.log.Warn("subject of a pattern cannot be evaluated", "error", err)
		return "", false
	}
	switch value := value.(type) {
	case string:
		return value, true
	case int:
		return strconv.Itoa(value), true
	case float64:
		return fmt.Sprintf("%f", value), true
	}
	n.log.Warn("subject of a pattern is not text", "type", fmt.Sprintf("%T", value))
	return "", true
}

// runChildren decides whether the node succeeded. A child's success makes it succeed, and ends the search
// when this node leads to the next stage; a child's failure makes it fail unless its own pattern matched.
func (n *node) runChildren(r *Runner, matched bool) (bool, error) {
	protected := n.grok != nil && matched
	succeeded := matched
	ahead := prospect{of: n.siblings}
	for i, child := range n.children {
		if ahead.rulesOut(i, r.env.Evt) {
			r.counts.add(entered, child)
			r.counts.add(missed, child)
			succeeded = protected
			continue
		}
		ok, err := child.run(r)
		if err != nil {
			return false, err
		}
		if ok && n.nextStage {
			return true, nil
		}
		ahead.ran(i, ok)
		succeeded = ok || protected
	}
	return succeeded, nil
}
