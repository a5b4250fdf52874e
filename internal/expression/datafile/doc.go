// Package datafile owns the lists that parsers and scenarios bring along: plain lines, regular expressions
// and tagged patterns, read from the data directory.
//
// It promises that a file is loaded whole or not at all, that a bad line is an error naming file and line,
// and that no path leaves the data directory. A Set may be read by any number of goroutines while another
// one loads. It downloads nothing.
package datafile
