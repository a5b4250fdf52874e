package hub

import (
	"strconv"
	"strings"
)

// newer compares dotted numbers; what is no number counts as 0, "" is older than everything.
func newer(a, b string) bool {
	if b == "" {
		return a != ""
	}
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(as), len(bs)) {
		if x, y := number(as, i), number(bs, i); x != y {
			return x > y
		}
	}
	return false
}

func number(parts []string, i int) int {
	if i >= len(parts) {
		return 0
	}
	value, err := strconv.Atoi(parts[i])
	if err != nil {
		return 0
	}
	return value
}
