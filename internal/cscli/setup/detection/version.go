package detection

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

type versions struct{}

// Check reports whether a version keeps a constraint: comparisons, all of which must hold where commas join them, and one
// of which where "||" does. ">=1.2, <2 || =3.1". A tilde lets the last number that is given grow, a caret all but the first.
func (versions) Check(version, constraint string) (bool, error) {
	have, err := parseVersion(version)
	if err != nil {
		return false, err
	}
	kept := false
	for alternative := range strings.SplitSeq(constraint, "||") {
		all := true
		for comparison := range strings.SplitSeq(alternative, ",") {
			one, err := have.keeps(strings.TrimSpace(comparison))
			if err != nil {
				return false, fmt.Errorf("constraint %q: %w", constraint, err)
			}
			all = all && one
		}
		kept = kept || all
	}
	return kept, nil
}

// number is a version: major, minor, patch, of which some may not be given.
type number struct {
	parts [3]int
	given int
}

func parseVersion(text string) (number, error) {
	var n number
	core, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(text), "v"), "+")
	core, _, _ = strings.Cut(core, "-")
	for part := range strings.SplitSeq(core, ".") {
		value, err := strconv.Atoi(part)
		if err != nil || value < 0 || n.given == len(n.parts) {
			return number{}, fmt.Errorf("%q is not a version like 1.2.3", text)
		}
		n.parts[n.given] = value
		n.given++
	}
	return n, nil
}

func (n number) compare(other number) int {
	for i := range n.parts {
		if order := cmp.Compare(n.parts[i], other.parts[i]); order != 0 {
			return order
		}
	}
	return 0
}

// startsLike reports whether the first parts are the same.
func (n number) startsLike(other number, parts int) bool {
	for i := range parts {
		if n.parts[i] != other.parts[i] {
			return false
		}
	}
	return true
}

func (n number) keeps(comparison string) (bool, error) {
	operator := comparison[:len(comparison)-len(strings.TrimLeft(comparison, "<>=!~^"))]
	bound, err := parseVersion(comparison[len(operator):])
	if err != nil {
		return false, err
	}
	order := n.compare(bound)
	switch operator {
	case "", "=", "==":
		return n.startsLike(bound, bound.given), nil
	case "!=":
		return !n.startsLike(bound, bound.given), nil
	case ">":
		return order > 0, nil
	case ">=":
		return order >= 0, nil
	case "<":
		return order < 0, nil
	case "<=":
		return order <= 0, nil
	case "~":
		return order >= 0 && n.startsLike(bound, min(2, bound.given)), nil
	case "^":
		return order >= 0 && n.startsLike(bound, 1), nil
	}
	return false, fmt.Errorf("%q is no comparison", operator)
}
