// Package usage sums up what components have reported of their work: log processors and bouncers tell the Local API,
// which keeps every report.
//
// It promises that a report counts once, however often it was sent, and that one which cannot be read counts for
// nothing. It reads no database and draws nothing.
package usage
