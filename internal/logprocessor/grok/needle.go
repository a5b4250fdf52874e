package grok

import "strings"

// needle is a text to search for, prepared by choosing the byte of it that log lines have least: the search stops
// only where that byte is. strings.Index stops at every first byte instead, which is a space as often as not.
type needle struct {
	text   string
	at     int // of the rare byte
	single bool
}

// commonBytes are the bytes that are frequent in logs, the most frequent first. All others are rare.
const commonBytes = " e01t2as:ino-r.34l56d789cumpgh/fby=\"_,kvwx[]()"

func newNeedle(text string) needle {
	n := needle{text: text, single: len(text) == 1}
	rarest := -1
	for i := range len(text) {
		rank := strings.IndexByte(commonBytes, text[i])
		if rank < 0 {
			rank = len(commonBytes)
		}
		if rank > rarest {
			n.at, rarest = i, rank
		}
	}
	return n
}

// find returns the first place of the needle in s, -1 when there is none. An empty needle is everywhere.
func (n *needle) find(s string) int {
	if n.text == "" {
		return 0
	}
	rare, offset := n.text[n.at], n.at
	for start := 0; ; {
		if len(s)-start < len(n.text) {
			return -1
		}
		i := strings.IndexByte(s[start+offset:], rare)
		if i < 0 {
			return -1
		}
		start += i
		if n.single || strings.HasPrefix(s[start:], n.text) {
			return start
		}
		start++
	}
}
