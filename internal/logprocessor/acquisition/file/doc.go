// Package file reads log files: it follows growing ones through rotation, truncation, deletion and
// re-creation, and reads finished ones, compressed or not, from beginning to end.
//
// Following promises that every complete line of a followed path is delivered once and in order, across
// renames, late files, reloads and restarts: a place in a file is its device, inode, a fingerprint of its
// first bytes and an offset, so a file is recognised under whatever name it has. After a crash, lines that
// were not acknowledged are delivered again. A file that exists when following begins for the first time is
// read from its end, any file that appears later from its start. Rotation that copies and truncates cannot be
// followed exactly by any reader: what is written between the copy and the truncation, or before the
// truncation is noticed, is gone with the file.
//
// What was written while nobody read for more than a minute is delivered by the clock of the log, everything
// else by that of the source; no batch has both.
//
// A last line without a newline is held until its newline comes or the file has been quiet for a while.
// Lines beyond one MiB are cut. A trailing carriage return belongs to the line when following, and not when
// reading finished files; empty lines are left out.
package file
