package bucket

import "strings"

// distinct are the values that a bucket has seen, in the order of their coming: most buckets see few.
type distinct struct {
	few         []byte // the first values, each after its length
	count, told uint32 // values, and how many of them are told of
	many        *many  // the others
}

// many are values that are too many to look through.
type many struct {
	values []string
	index  map[string]struct{}
}

// fewBytes bounds what is looked through, so that a length takes one byte.
const fewBytes = 128

// add reports whether a value is new. The value stays the caller's.
func (d *distinct) add(value string) bool {
	if d.has(value) {
		return false
	}
	d.count++
	if d.many == nil && len(d.few)+len(value) < fewBytes {
		d.few = append(append(d.few, byte(len(value))), value...) //nolint:gosec // below fewBytes
		return true
	}
	if d.many == nil {
		d.many = &many{index: map[string]struct{}{}}
	}
	value = strings.Clone(value)
	d.many.values = append(d.many.values, value)
	d.many.index[value] = struct{}{}
	return true
}

func (d *distinct) has(value string) bool {
	if d.many != nil {
		if _, known := d.many.index[value]; known {
			return true
		}
	}
	for at := 0; at < len(d.few); at += 1 + int(d.few[at]) {
		if string(d.few[at+1:at+1+int(d.few[at])]) == value {
			return true
		}
	}
	return false
}

// first are the values in few.
func (d *distinct) first() []string {
	var values []string
	for at := 0; at < len(d.few); at += 1 + int(d.few[at]) {
		values = append(values, string(d.few[at+1:at+1+int(d.few[at])]))
	}
	return values
}

// tell returns the values that are not told of.
func (d *distinct) tell() []string {
	if d.told == d.count {
		return nil
	}
	values := d.first()
	if d.many != nil {
		values = append(values, d.many.values...)
	}
	fresh := values[d.told:]
	d.told = d.count
	return fresh
}
