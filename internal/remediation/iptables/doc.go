// Package iptables enforces through iptables and ipset, by calling their programs.
//
// With rules of its own it owns, per address family, the chain CROWDSEC_CHAIN of the table filter, jumps to it
// from the configured chains, CROWDSEC_LOG when denied packets are logged, and per origin a set
// `<blacklist>-<number>` with a rule whose comment names the origin. Addresses and ranges share that set:
// it is one of networks. Without rules it owns the contents of `<blacklist>`, which somebody else made.
//
// It promises that a chain is changed at once (iptables-restore), that a set is filled before a rule looks at
// it, that elements are added before others are removed, and that what it finds is adopted together with its
// counters. A set that becomes too small is exchanged for a larger one in one step.
package iptables
