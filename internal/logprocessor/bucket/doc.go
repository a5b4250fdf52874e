// Package bucket counts events until they are too many.
//
// A bucket is data: a pour is a function from a state and an input to the next state and what has to be done
// about it. The store owns the states, keyed by scenario and group, and the wheel that says when one has been
// idle for too long; a replay has the time in its log for that. The package knows nothing of expressions or
// alerts; what a scenario thinks of an event is decided before the event is poured.
//
// A million live buckets are a normal day under attack, so their states are tight: one takes 128 bytes in a slab
// and some 40 around it, apart from its events, which are packed and shared by the buckets that they are in.
package bucket
