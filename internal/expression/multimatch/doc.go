// Package multimatch finds which of many literals occur in a text, or begin or end it.
//
// It owns sets of literals that are compiled once and searched often, by any number of goroutines. It promises that
// the answers are those of strings.Contains, strings.HasPrefix and strings.HasSuffix for each literal, that a search
// allocates nothing, and that a set takes memory in proportion to the number of its literals.
//
// # Searching
//
// Most texts contain none of the literals, so a search must be quick to see that. A window is some bytes side by side,
// four at most. Of each literal a run of windows is remembered, as many as a search may step over at once: if the
// shortest literal has six bytes, three windows of four bytes. However the literal lies in a text, one of its windows
// begins at a multiple of the step, so the search looks at every third window of the text only, and asks a small
// bit table whether it belongs to any literal. Where the table says yes, the literals that own the window are compared.
//
// An automaton (Aho and Corasick) looks at every byte, waits for one look-up before the next, and its table takes many
// times the memory. In return it never looks twice: with a few literals of two or three bytes it would win some
// nanoseconds on short texts, and lose them where there are hundreds, or where all are longer.
//
// From which part of a literal its windows come is a choice: bytes that are rare in logs, and windows that few other
// literals have. A search takes time in proportion to the text and to the literals that share one window; the choice
// keeps those few.
package multimatch
