// Package localapi is the Local API: the HTTP service that log processors send alerts to, bouncers take
// decisions from and cscli talks to.
//
// It owns the routes, their published documents and statuses, and the way of an alert from the request to
// the store: decode, profile, store, change log, index. It promises that what was written is in the answer
// to the next read, that a bouncer's cursor moves only after a complete answer, and that one bad alert is
// refused in a way that lets its sender part it from the others. It refuses to hold SQL, to know about
// files other than its socket, and to reveal storage errors to clients.
package localapi
