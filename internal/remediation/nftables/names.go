package nftables

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"shieldwall/internal/remediation"
)

const (
	rangesSuffix = "-ranges" // of the set that holds the ranges of an origin
	maxSuffix    = 128       // bytes of what follows the configured part of a name
	maxGroup     = 96        // bytes of the part of a name that stands for an origin
	hashLength   = 8         // bytes that tell apart origins whose names had to be changed

	processedCounter = "processed"
)

// groupOf returns the group for an origin: the origin itself when the name of its set can be turned back
// into it, as it must be after a restart. Others, which no published origin is, get a name that can.
func groupOf(origin string) string {
	text := textOfGroup(origin)
	if isNameable(text) && groupOfText(text) == origin {
		return origin
	}
	sum := sha256.Sum256([]byte(origin))
	short := strings.Map(nameableRune, text)
	short = short[:min(len(short), maxGroup-hashLength-1)]
	return groupOfText(short + "-" + hex.EncodeToString(sum[:])[:hashLength])
}

// textOfGroup returns how a group is written inside names: lists:x becomes lists-x.
func textOfGroup(group string) string {
	if list, ok := strings.CutPrefix(group, "lists:"); ok {
		return "lists-" + list
	}
	return group
}

func groupOfText(text string) string {
	if list, ok := strings.CutPrefix(text, "lists-"); ok {
		return "lists:" + list
	}
	return text
}

// isNameable reports whether text can be part of a name that nft reads back, and that no set of ranges has.
func isNameable(text string) bool {
	return text != "" && len(text) <= maxGroup && !strings.HasSuffix(text, rangesSuffix) &&
		strings.Map(nameableRune, text) == text
}

func nameableRune(r rune) rune {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("-_./", r):
		return r
	}
	return '_'
}

// setName returns the name of set in the kernel.
func (f Family) setName(set remediation.Set) string {
	if set.Allow {
		return f.Allowlist
	}
	name := f.counterName(set.Group)
	if f.SetOnly {
		name = f.Blacklist
	}
	if set.Ranges {
		name += rangesSuffix
	}
	return name
}

// counterName returns the name of the counter of what the sets of group deny.
func (f Family) counterName(group string) string { return f.Blacklist + "-" + textOfGroup(group) }

// setOf is the inverse of setName; ok is false for a set that is not ours.
func (f Family) setOf(name string, ipv6 bool) (set remediation.Set, ok bool) {
	if name == f.Allowlist {
		return remediation.Set{IPv6: ipv6, Ranges: true, Allow: true}, true
	}
	text, ranges := strings.CutSuffix(name, rangesSuffix)
	if f.SetOnly {
		return remediation.Set{IPv6: ipv6, Ranges: ranges}, text == f.Blacklist
	}
	text, ok = strings.CutPrefix(text, f.Blacklist+"-")
	if !ok || !isNameable(text) {
		return remediation.Set{}, false
	}
	return remediation.Set{Group: groupOfText(text), IPv6: ipv6, Ranges: ranges}, true
}
