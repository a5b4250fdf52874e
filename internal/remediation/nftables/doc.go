// Package nftables enforces through the kernel's nftables, over netlink; the nft program is not needed.
//
// It owns, per address family, one table with a base chain per hook (`<chain>-<hook>`), and per origin a set
// `<blacklist>-<origin>` of addresses with timeouts, a counter of the same name, and a rule in every chain.
// Ranges are in a second set, `<blacklist>-<origin>-ranges`, with a rule of its own and the same counter: an
// interval set refuses overlaps and lists otherwise than what scripts expect, so addresses keep their own.
// In set-only mode it owns nothing but the contents of `<blacklist>` and `<blacklist>-ranges` inside a table
// that somebody else made; the rule for the second one is theirs to write.
//
// It promises that a plan takes effect at once or not at all (one netlink transaction; a very large plan is
// several, none of which takes a ban out of force that stays), that objects which are there already and are
// right are left alone with their counters, and that differing ones are replaced inside a transaction. The
// kernel ends every element by itself, so bans outlive a crash and end on time without us.
package nftables
