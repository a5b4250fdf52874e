// Package hubtest holds the commands that make, run and measure the test cases of a hub folder.
//
// It owns their flags and what they print; what a test case is and how it is judged is known to
// internal/hub/hubtest. The commands need no installation: without a configuration file they work all the same.
package hubtest
