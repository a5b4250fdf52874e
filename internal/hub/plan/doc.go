// Package plan decides what has to happen to items of a hub, and does nothing of it.
//
// It owns the published rules: what comes along with a collection and goes with it, what is tainted or local and left alone,
// and in which order things happen. A plan is a value, computed from what is there; it promises that no step needs a later
// one, and that nothing happens twice.
package plan
