package expression

import (
	"fmt"
	"strings"
)

func textHelpers() []helper {
	return []helper{
		of1("Fields", strings.Fields),
		try2("Get", elementAt),
		of2("Index", strings.Index),
		of2("IndexAny", strings.IndexAny),
		of2("Join", strings.Join),
		of1("Lower", strings.ToLower),
		of2("Match", matchGlob),
		try4("Replace", func(s, old, with string, n int) (string, error) {
			return strings.Replace(s, old, with, n), nil
		}),
		of3("ReplaceAll", strings.ReplaceAll),
		of2("Split", strings.Split),
		of2("SplitAfter", strings.SplitAfter),
		of3("SplitAfterN", strings.SplitAfterN),
		of3("SplitN", strings.SplitN),
		tryRest("Sprintf", func(format string, args ...any) (string, error) {
			return fmt.Sprintf(format, args...), nil
		}),
		of2("Trim", strings.Trim),
		of2("TrimLeft", strings.TrimLeft),
		of2("TrimPrefix", strings.TrimPrefix),
		of2("TrimRight", strings.TrimRight),
		of1("TrimSpace", strings.TrimSpace),
		of2("TrimSuffix", strings.TrimSuffix),
		of1("Upper", strings.ToUpper),
	}
}

// elementAt is lenient beyond the end, as lists from Split are, but a negative index is a mistake.
func elementAt(list []string, i int) (string, error) {
	if i < 0 {
		return "", fmt.Errorf("index %d is negative", i)
	}
	if i >= len(list) {
		return "", nil
	}
	return list[i], nil
}
