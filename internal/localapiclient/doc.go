// Package localapiclient is the client of the Local API v1 that every other part uses.
//
// It owns the transport (HTTP, HTTPS with client certificates, unix sockets), the choice between several URLs
// of one Local API, the token of a machine, the key of a bouncer, and the translation of answers into wire
// values and fault kinds.
//
// It promises that an answer was received and decoded whole before it is returned; that a request is sent to
// a URL at most twice (the second time with a fresh token, after 401 or 403), to each URL in turn when those
// before do not work, and never again when it may have had an effect that must not be repeated; that errors of
// TLS name the certificate that is to blame, also when another URL works; and that it never sleeps: a request
// goes on at once or fails, and retries belong to callers. Only a login that was refused is not repeated at
// once. What goes on without a request (health checks) is in Watch, which the caller runs.
//
// It refuses redirects to other hosts, which would leak keys, and answers of unreasonable size.
package localapiclient
