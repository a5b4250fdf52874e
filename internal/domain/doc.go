// Package domain holds the nouns that every side of Shieldwall shares: alerts, decisions, machines,
// bouncers, scopes and address ranges.
//
// It owns their meaning and invariants. It depends on nothing but the standard library, knows no JSON, SQL
// or YAML, and refuses behaviour that needs a clock, a network or a file. Values are plain: whoever holds
// one owns it.
package domain
