// Package expression compiles and runs the expressions of parsers, scenarios, profiles and contexts, with
// the helper functions that they may call.
//
// It owns the published names, signatures and edge cases of the helpers; the language itself is
// expr-lang/expr. It promises that a wrong name or a wrong static type is a compile error of one line with
// its position, that whatever goes wrong at run time is a returned error and never a panic, and that a
// compiled program may be evaluated by any number of goroutines. Everything a helper can reach (clock,
// network, data files, decisions) is handed in through Deps; it knows nothing of events or alerts.
package expression
