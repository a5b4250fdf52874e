// Package event defines what travels through a log processor: one log line, what parsers learned from it,
// or one overflow on its way out.
//
// An event has one owner at a time; whoever hands it on must not touch it again. Field names are an outside
// surface: expressions in parsers and scenarios read them (evt.Parsed.program) and dump files carry them.
//
// What outlives the batch of an event, in a bucket or in a journal, is a packed copy of the part that somebody may
// ask for one day: the footprint.
package event
