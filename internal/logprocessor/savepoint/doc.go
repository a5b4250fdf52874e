// Package savepoint makes what a log processor remembers survive its end, whatever ends it.
//
// Three things have to agree on disk: how far every source was read (package checkpoint owns it), what the
// live buckets hold (package bucket), and which alerts have been handed on (package output). A Keeper owns
// the file of the buckets and the moment at which all three advance: a save point. Lines are acknowledged
// then and only then, so the positions on disk and the buckets on disk always know of the same lines, and
// a line is in a bucket once however often the process is killed. Alerts leave at once, without waiting for a
// save point; each gets a UUID that it gets again when its lines are read again.
//
// The file is a journal: what happened to the buckets since the save point before, in a new file when the old one
// has become long. Events are in it packed, as they are in memory, with the tables of symbols that they refer to.
// The mark that is saved together with the positions, in one atomic write, says which part of which file counts.
//
// It refuses to stop a log processor. A journal that cannot be understood is set aside with a warning; one
// that cannot be written delays the next save point; one that would become too large is given up until the
// buckets are fewer.
package savepoint
