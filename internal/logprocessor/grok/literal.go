package grok

// requiredText returns a text that every match of n contains: the longest, and of several the last, because the
// first parts of log lines look alike. It is "" when there is none.
func requiredText(n *node) string {
	switch n.kind {
	case nodeText:
		return n.text
	case nodeGroup, nodePlus:
		return requiredText(n.subs[0])
	case nodeCat:
		best := ""
		for _, sub := range n.subs {
			if text := requiredText(sub); len(text) >= len(best) {
				best = text
			}
		}
		return best
	default:
		return ""
	}
}

// leadingText returns the text that every match of n begins with, "" when it is not certain.
func leadingText(n *node) string {
	switch n.kind {
	case nodeText:
		return n.text
	case nodeGroup, nodePlus, nodeCat:
		return leadingText(n.subs[0])
	default:
		return ""
	}
}
