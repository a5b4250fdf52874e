// Package dns asks name servers and remembers what they said.
//
// It promises that equal look-ups are made once at a time, that each ends within the published timeout, and
// that name servers cannot hold up those who ask: all who wait share a patience that is used up quickly and
// grows back slowly (see patience). An answer that comes too late is there for the next one who asks. The
// number of look-ups under way, of answers and of names in one are bounded, because attackers choose what is
// asked for and control the servers that answer.
package dns
