// Package auth decides who is calling the Local API: a machine with a password, a certificate or a token, or
// a bouncer with a key or a certificate.
//
// It promises that secrets are compared in constant time and never logged or repeated in errors, that
// guessing is bounded, and that a revoked certificate is refused once its last good answer is older than the
// cache time, or the list of revoked ones has changed. Errors carry a fault kind: Unauthorized and Forbidden
// say no, and are a RefusalError that says why; Unavailable says that the store could not be asked. It knows no
// HTTP of its callers, and speaks it to OCSP servers only.
package auth
