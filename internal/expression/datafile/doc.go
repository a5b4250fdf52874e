// Package datafile owns the lists that parsers and scenarios bring along: plain lines, regular expressions
// and tagged patterns, read from the data directory.
//
// It promises that a file is loaded whole or not at all, that a bad line is an error naming file and line,
// and that no path leaves the data directory. A Set may be read by any number of goroutines while another
// one loads. It downloads nothing.
//
// The lines of a file are not tried one by one. Plain ones become one multimatch set for each question that is asked
// about them. Of regular expressions the set holds texts that every match contains; an expression is run, and compiled,
// only for a text that contains one of its own. What a line would have answered alone is what is answered.
package datafile
