package grok

// factored takes common beginnings out of neighbouring alternatives: pA|pB becomes p(A|B). That keeps the order in
// which matches are tried only when p can match in one way, so p is as long as that is certain. What it saves is
// trying p again for every alternative: an address of version 6 is written with one for each place of its "::".
func factored(nodes []*node) []*node {
	var out []*node
	for len(nodes) > 0 {
		if len(nodes) == 1 || !beginAlike(nodes[0], nodes[1]) {
			out, nodes = append(out, nodes[0]), nodes[1:]
			continue
		}
		common, together := commonPrefix(nodes)
		if len(common) == 0 {
			out, nodes = append(out, nodes[0]), nodes[1:]
			continue
		}
		tails := make([]*node, together)
		for i, n := range nodes[:together] {
			tails[i] = cat(elements(n)[len(common):])
		}
		out = append(out, cat(append(common, alternatives(tails))))
		nodes = nodes[together:]
	}
	return out
}

// beginAlike is a quick look at whether there can be a common beginning.
func beginAlike(a, b *node) bool {
	if a.kind == nodeCat {
		a = a.subs[0]
	}
	if b.kind == nodeCat {
		b = b.subs[0]
	}
	if a.kind == nodeText && b.kind == nodeText {
		return a.text[0] == b.text[0]
	}
	return equal(a, b)
}

// commonPrefix returns the elements with which the first of nodes begins, and that as many as possible of those
// after it share.
func commonPrefix(nodes []*node) (prefix []*node, together int) {
	prefix = certain(elements(nodes[0]))
	together = 1
	for _, n := range nodes[1:] {
		shared := certain(prefix[:sharedLength(prefix, elements(n))])
		if len(shared) == 0 {
			break
		}
		prefix = shared
		together++
	}
	if together == 1 {
		return nil, 1
	}
	return append([]*node(nil), prefix...), together
}

func sharedLength(a, b []*node) int {
	n := 0
	for n < len(a) && n < len(b) && equal(a[n], b[n]) {
		n++
	}
	return n
}

// elements takes a sequence apart, texts into their runes.
func elements(n *node) []*node {
	if n.kind != nodeCat {
		return appendRunes(nil, n)
	}
	var out []*node
	for _, sub := range n.subs {
		out = appendRunes(out, sub)
	}
	return out
}

func appendRunes(nodes []*node, n *node) []*node {
	if n.kind != nodeText {
		return append(nodes, n)
	}
	for _, r := range n.text {
		nodes = append(nodes, &node{kind: nodeText, text: string(r)})
	}
	return nodes
}

// certain returns the longest beginning of a sequence that matches in one way at most from any given position. A
// run does when what follows it cannot begin with a member of its class.
func certain(sequence []*node) []*node {
	for i, n := range sequence {
		switch n.kind {
		case nodeText, nodeClass, nodeAssert:
		case nodeRun:
			if n.min == n.max {
				continue
			}
			if i+1 == len(sequence) || !stops(sequence[i+1], n.class) {
				return sequence[:i]
			}
		default:
			return sequence[:i]
		}
	}
	return sequence
}

// stops reports whether n cannot begin inside a run of class.
func stops(n *node, c *class) bool {
	next := n.before(anything())
	return !n.nullable && next.bytes.intersection(c.first).empty()
}
