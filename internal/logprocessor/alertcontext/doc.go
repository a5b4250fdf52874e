// Package alertcontext collects what an administrator wants to see beside an alert: for each key, the
// answers of some expressions on the events that caused it.
//
// It owns the meaning of context items and of the local context file. It promises that an expression which
// cannot work is found at load, with file, line and key; that one which cannot be evaluated costs its own
// answer only; and that no value grows beyond its limit, however many events a bucket holds.
package alertcontext
