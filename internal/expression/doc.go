// Package expression compiles and runs the expressions of parsers, scenarios, profiles and contexts, with
// the helper functions that they may call.
//
// It owns the published names, signatures and edge cases of the helpers; the language itself is
// expr-lang/expr. It promises that a wrong name or a wrong static type is a compile error of one line with
// its position, that whatever goes wrong at run time is a returned error and never a panic, and that a
// compiled program may be evaluated by any number of goroutines. Everything a helper can reach (clock,
// network, data files, decisions) is handed in through Deps; it knows nothing of events or alerts.
//
// # Two ways
//
// expr-lang/expr parses and checks every expression, and can run it on its machine. Most expressions also have a short
// form: Go functions made of the checked tree (direct.go and the files beside it), for environments that implement
// Direct. The short form yields what the machine would, or gives up; then the machine runs the expression from the start
// and says what is wrong. Therefore a short form may do again what it did before it gave up, and only changes that can be
// repeated are part of one. Deps.Plain switches short forms off, so that both ways can be compared.
//
// A Selector asks many conditions of one environment. Of each condition it knows facts: something that is true whenever the
// condition is, and without which evaluating the condition yields false, cannot fail and changes nothing (facts.go). It
// looks the facts up together, each text once for all literals, and evaluates the few conditions that are left, without
// what is settled by then.
package expression
