package bucket

import "strings"

// label is the group of a bucket, inside its entry: most are an address, and following a pointer to find out
// whether it is the right one would cost more than all the rest of a pour.
type label struct {
	bytes  [labelSize]byte
	length uint8 // longLabel: it is in more
}

const (
	labelSize = 23
	longLabel = labelSize + 1
)

func (e *entry) setGroup(group string) {
	if len(group) > labelSize {
		e.group.length = longLabel
		e.extended().group = strings.Clone(group)
		return
	}
	e.group.length = uint8(copy(e.group.bytes[:], group)) //nolint:gosec // at most labelSize
}

func (e *entry) isOf(group string) bool {
	if e.group.length == longLabel {
		return e.more.group == group
	}
	return string(e.group.bytes[:e.group.length]) == group
}

// groupText returns a copy, for the caller to keep.
func (e *entry) groupText() string {
	if e.group.length == longLabel {
		return e.more.group
	}
	return string(e.group.bytes[:e.group.length])
}
