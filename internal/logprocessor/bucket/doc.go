// Package bucket counts events until they are too many.
//
// A bucket is data: Pour and Expire are pure functions from a state and an input to the next state and
// what has to be done about it. The store owns the states, keyed by scenario and group, and the wheel that
// says when one has been idle for too long; a replay has the time in its log for that. The package knows
// nothing of expressions or alerts; what a scenario thinks of an event is decided before the event is poured.
package bucket
