// Package profile decides what to do about alerts that arrive without decisions.
//
// It owns the profiles file: reading, strict checking and compiling it, so that what is wrong with it is
// an error that names file, line and profile before anything runs; and the evaluation of an alert. It
// refuses to store or to send anything: evaluating yields decisions.
package profile
