// Package localapiclient is the client of the Local API v1 that every other part uses.
//
// It owns the transport (HTTP, HTTPS with client certificates, unix sockets), the token of a machine, the
// key of a bouncer, and the translation of answers into wire values and fault kinds. It promises that an
// answer was received and decoded whole before it is returned, that a request is sent at most twice (the
// second time with a fresh token, after 401 or 403), that errors of TLS name the certificate that is to blame,
// and that it never sleeps: retries belong to callers. Only a login that was refused is not repeated at once.
// It refuses redirects to other hosts, which would leak keys, and answers of unreasonable size.
package localapiclient
