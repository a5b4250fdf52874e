// Package logprocessor joins acquisition, parsers, scenarios and output into the pipeline of a log
// processor.
//
// Lines flow one way: sources, workers that parse and match, one sequencer that pours in the order of the
// sources, finishers that take overflows through the postoverflows, one goroutine that hands alerts on in the
// order of their overflows. Every channel is bounded and closed by its writer, so that stopping the sources
// drains everything behind them. The only back edge is an overflow that a scenario wants to see again: the
// sequencer waits for it and feeds it to itself, a bounded number of times.
package logprocessor
