// Package explain holds the command that shows what happens to a log line, step by step, and the drawing of
// such an explanation.
//
// It owns the published tree: stages, the parsers in each with what they changed, and the scenarios that the
// line reached. It draws what the dump files of a run say and knows nothing of how they came about.
package explain
