// Package cscli is the command line tool of administrators.
//
// It owns the root command, the version command and the way errors are shown; each group of commands has a
// folder. It promises that a run takes everything from its Env, keeps nothing between runs, prints results
// to standard output and the rest to standard error, and ends with exit code 0 or 1.
package cscli

//go:generate go test -count=1 -run TestCompatibilityTable . -update
