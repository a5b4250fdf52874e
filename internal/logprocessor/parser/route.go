package parser

import "shieldwall/internal/expression"

// worthRouting is how many filters it takes to ask them together rather than one after the other.
const worthRouting = 8

// route finds out at once which nodes of a stage an event may enter as it is. The nodes that it leaves out need not
// even be asked, until one of the others has changed the event.
type route struct {
	filters *expression.Selector
	nodes   []int  // of the filters
	alone   []bool // by node: it has to be asked by itself
}

// newRoute returns nil when it is not worth it.
func newRoute(nodes []*node) *route {
	r := &route{alone: make([]bool, len(nodes))}
	var filters []*expression.Bool
	for i, n := range nodes {
		if n.filter == nil || n.remembers.inFilter || n.filter.Acts() {
			r.alone[i] = true
			continue
		}
		filters, r.nodes = append(filters, n.filter), append(r.nodes, i)
	}
	if len(filters) < worthRouting {
		return nil
	}
	r.filters = expression.NewSelector(filters)
	return r
}

// candidates marks the nodes to be asked, those whose filters fail among them: asked again, they say why.
func (r *Runner) candidates(of *route) []bool {
	r.marked = append(r.marked[:0], of.alone...)
	r.doubts = r.doubts[:0]
	r.selected = of.filters.Select(&r.env, r.selected[:0], r.doubt)
	for _, i := range r.selected {
		r.marked[of.nodes[i]] = true
	}
	for _, i := range r.doubts {
		r.marked[of.nodes[i]] = true
	}
	return r.marked
}
