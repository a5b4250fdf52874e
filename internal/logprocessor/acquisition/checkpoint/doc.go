// Package checkpoint remembers how far every source has been read, across reloads, restarts and crashes.
//
// It owns one JSON file in the data folder. A source takes one Cursor for each thing it reads in order (a
// file, a journal) and issues a position with every batch; the position is committed when that batch and
// all batches before it have been acknowledged, in whatever order the acknowledgements come. The file holds
// committed positions only, so a crash repeats lines but never skips one. Within one process a cursor also
// remembers what was issued, so a source that takes over at a reload neither skips nor repeats. With the
// positions it keeps a mark, by which others find what they saved at the same moment.
//
// With every position goes the time until which somebody is known to have read there, so that a source can
// tell what was written a moment ago from what was written while nobody read.
//
// It refuses to stop a log processor: a file that cannot be understood is set aside with a warning.
package checkpoint
