// Package journalctl reads the journal of systemd by running the program journalctl: it follows the journal, or reads
// what is there from beginning to end.
//
// Following promises that every entry is delivered once and in order, across rotations, restarts of the program it runs,
// reloads and restarts: the place in a journal is the cursor of the last entry handed over. After a crash, entries that
// were not acknowledged are delivered again. A journal that is followed for the first time is read from its end.
//
// Entries that are read more than a minute after the journal received them are delivered by the clock of the log, all
// others by that of the source; no batch has both. Entries become the lines that journalctl itself would print.
//
// It refuses what would break these promises: options of journalctl that choose another place or order.
package journalctl
