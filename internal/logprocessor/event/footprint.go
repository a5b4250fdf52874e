package event

import (
	"slices"
	"strings"
)

// part is a piece of an event that a footprint can ask for and that is packed under its number: journals hold
// these numbers.
type part uint8

// The parts: texts, maps of texts, times, and what has other forms.
const (
	partMarshaledTime part = iota
	partStage
	partWhitelistReason
	partStrTime
	partStrTimeFormat
	partRaw
	partSrc
	partModule

	partMeta
	partParsed
	partEnriched
	partLabels
	partVars
	partHookVars

	partTime
	partLineTime

	partUnmarshaled
	partRules
	partOverflow

	partCount
)

// Footprint says what of an event outlives it: the part that somebody may ask for when the event itself is
// gone. The zero value is what every alert needs to tell its story: type, clock, meta, and when it happened.
// It is a value; its methods return a larger one.
type Footprint struct {
	whole [partCount]bool
	keys  [partCount][]key // of maps that are not kept whole; sorted
}

func (k key) compare(name string) int { return strings.Compare(k.name.Value(), name) }

// Everything returns the footprint that leaves nothing out.
func Everything() Footprint {
	var f Footprint
	for i := range f.whole {
		f.whole[i] = true
	}
	return f
}

// FootprintOf returns the footprint that holds what the paths lead to; everything, if not all of them are known.
func FootprintOf(paths [][]string, known bool) Footprint {
	if !known {
		return Everything()
	}
	var f Footprint
	for _, path := range paths {
		f = f.With(path...)
	}
	return f
}

// With returns a footprint that holds, besides, the field of an event to which a path of names leads, and of
// maps the key that follows. A path that leads nowhere, such as to a method that nobody thought of here, asks
// for everything.
func (f Footprint) With(path ...string) Footprint {
	fields, known := partsOf(path)
	if !known {
		return Everything()
	}
	for _, field := range fields {
		if len(path) > 1 && hasKeys(field) {
			f = f.withKey(field, path[1])
		} else {
			f.whole[field] = true
		}
	}
	return f
}

// Union returns a footprint that holds what either does.
func (f Footprint) Union(other Footprint) Footprint {
	for i := range f.whole {
		f.whole[i] = f.whole[i] || other.whole[i]
		for _, key := range other.keys[i] {
			f = f.withKey(part(i), key.name.Value())
		}
	}
	return f
}

func (f Footprint) withKey(field part, name string) Footprint {
	at, known := slices.BinarySearchFunc(f.keys[field], name, key.compare)
	if !known {
		f.keys[field] = slices.Insert(slices.Clone(f.keys[field]), at, keyOf(name))
	}
	return f
}

func hasKeys(field part) bool {
	return field == partParsed || field == partEnriched || field == partUnmarshaled
}

// partsOf returns no parts for what is always kept.
func partsOf(path []string) (fields []part, known bool) {
	if len(path) == 0 {
		return nil, false
	}
	switch path[0] {
	case "Type", "ExpectMode", "Whitelisted", "Process", "MarshaledTime", "Meta", "GetType", "GetMeta", "ParseIPSources":
		return nil, true
	case "WhitelistReason":
		return []part{partWhitelistReason}, true
	case "Stage":
		return []part{partStage}, true
	case "Line":
		return partsOfLine(path[1:])
	case "Parsed":
		return []part{partParsed}, true
	case "Enriched":
		return []part{partEnriched}, true
	case "Unmarshaled":
		return []part{partUnmarshaled}, true
	case "Overflow":
		return nil, true // overflows are kept with everything
	case "Time":
		return []part{partTime}, true
	case "StrTime":
		return []part{partStrTime}, true
	case "StrTimeFormat":
		return []part{partStrTimeFormat}, true
	case "Appsec":
		return []part{partRules, partVars, partHookVars}, true
	}
	return nil, false
}

func partsOfLine(path []string) (fields []part, known bool) {
	if len(path) == 0 {
		return []part{partRaw, partSrc, partLineTime, partLabels, partModule}, true
	}
	switch path[0] {
	case "Raw":
		return []part{partRaw}, true
	case "Src":
		return []part{partSrc}, true
	case "Time":
		return []part{partLineTime}, true
	case "Labels":
		return []part{partLabels}, true
	case "Process":
		return nil, true
	case "Module":
		return []part{partModule}, true
	}
	return nil, false
}
