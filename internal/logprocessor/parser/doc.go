// Package parser turns log lines into facts: it loads parser items and runs events through their stages.
//
// It owns the meaning of the parser language: nodes, stages, statics, whitelists. Everything that can be
// wrong with an item is found when it is loaded, and named with file and place. Running a loaded Set never
// fails because of a rule: an event that a rule cannot handle is dropped and counted. A Set is read-only
// and safe for concurrent use; an event belongs to the caller.
package parser
