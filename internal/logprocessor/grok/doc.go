// Package grok compiles grok patterns: regular expressions in which %{NAME} stands for a named definition and
// %{NAME:field} also captures what it matched under a field name.
//
// It owns the library of definitions, the rules by which a reference is expanded and a field name that occurs
// several times is decided, and the matching of one subject. It promises that compiling is bounded in size,
// that a missing definition is named in the error, that what matches and what is captured is what Go's regexp
// would say (leftmost, first alternative first), that matching takes time linear in the subject and bounded memory,
// and that bytes which are not UTF-8 are matched by nothing.
//
// It refuses everything that RE2 refuses (look-around, back-references), and knows no definition by itself:
// the caller fills the library.
//
// # Loading
//
// A definition is parsed once, by regexp/syntax, with a hole where it refers to another one. Compiling a pattern
// parses the pattern's own text, resolves its references and adds up sizes; that is enough to know that it is
// well-formed. The matcher is made from the joined trees when the first subject comes.
//
// # Matching
//
// The tree becomes a program for a backtracking machine (Pike's and Thompson's instructions, as Russ Cox describes
// them in https://swtch.com/~rsc/regexp/), with what log lines reward:
//
//   - A text that every match contains is searched first, by its rarest byte; so is the text a match begins with. Where
//     there is none, a table says which bytes a match can begin with. A [Set] searches the texts of many patterns at
//     once. The program is made for the first subject that gets past that.
//   - The program is built from its end, so every instruction knows which bytes can follow it. A choice is a table
//     look-up: what cannot succeed before the next byte is not tried, and what is the only way leaves nothing to
//     come back to.
//   - A repetition of one class is one instruction. It has no way back when what follows cannot begin inside the run,
//     which is the usual case; otherwise it comes back only to places where the next byte fits. A shortest run
//     before a text searches the text.
//   - Alternatives that begin alike, if the beginning can match in one way only, share it.
//   - Addresses, dates and numbers are stretches without captures in which choice follows choice. An automaton goes over
//     them byte by byte and says where they can end so that the text goes on. Nearly always that is one place or none, and
//     which of the choices lead there does not matter; where it is several, the machine tries them in their order.
//   - What stands between two captures or is one, and a text behind it, are one instruction.
//
// Backtracking alone takes exponential time on some subjects. So instructions are counted: past a budget of some per
// byte the machine remembers, in a bit for every position and every instruction that several ways lead to, where it
// has been, and never goes there again (as RE2's bit-state matcher does from the start). If the bits or the stack
// would take too much memory, a simulation of all ways side by side goes on from there, on the program of
// regexp/syntax. It also runs expressions that can repeat the empty text, (a*)*, whose captures depend on every
// detail of that program. The published patterns have none.
package grok
