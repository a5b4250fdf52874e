// Package remediation keeps a firewall equal to what the Local API has decided.
//
// It owns the desired state (every decision about an address or a range that is in force, by origin), the
// comparison of that state with what a backend really enforces, and the loop that polls the Local API and
// repairs differences. Comparing is pure: Compare turns two values and a time into a Plan; backends read and
// apply, nothing else.
//
// It promises that the longest of several decisions counts, that the end of one origin's decision leaves
// those of other origins in force, that an extended ban is extended in the backend, that whatever an earlier
// process left in force is adopted and never interrupted, and that no failure of the Local API takes a ban
// out of force. It refuses to guess: values that are not addresses or ranges are left out and counted.
package remediation
