// Package pf enforces through the packet filter of the BSDs, by calling pfctl.
//
// It owns the contents of one table of bans and one of what passes per address family, in an anchor or without
// one. The rules that look at them belong to pf.conf; Rules writes them. Tables of pf know no time, so
// the process ends every element itself; what it cannot do is count by origin.
//
// It promises that elements are added before others are removed, and that connections of newly banned
// addresses are ended. It was tested against the texts of pfctl, not on a BSD.
package pf
