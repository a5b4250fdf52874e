// Package stream answers what bouncers ask from memory: it follows the change log of the store and keeps
// the active decisions, the recent changes and the recent expiries.
//
// It promises that a follower that applies a Startup and then every Delta, deletions before additions and
// the longest end where several decisions cover the same thing, holds exactly the decisions that are
// active and match its filter, although an expiry, a deletion or a longer decision elsewhere may uncover or
// cover others. It keeps no cursor and reads no clock: both are arguments. It refuses to write anything.
package stream
