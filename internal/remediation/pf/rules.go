package pf

import (
	"fmt"
	"strings"
)

// Rules returns what pf.conf, or the file of the anchor, needs to say so that packets from banned addresses
// are denied, and those of allowed ones are left to the rules that follow.
func Rules(config Config) string {
	var text strings.Builder
	block := "block drop in"
	if config.Reject {
		block = "block return in"
	}
	if config.Log {
		block += " log"
	}
	for _, s := range config.sides() {
		fmt.Fprintf(&text, "table <%s> persist\ntable <%s> persist\n", s.Allowlist, s.Blacklist)
	}
	for _, s := range config.sides() {
		fmt.Fprintf(&text, "anchor in %s from !<%s> {\n\t%s quick %[1]s from <%[4]s>\n}\n",
			s.family(), s.Allowlist, block, s.Blacklist)
	}
	return text.String()
}
