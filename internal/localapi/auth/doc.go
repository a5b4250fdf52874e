// Package auth decides who is calling the Local API: a machine with a password or a token, or a bouncer
// with a key.
//
// It promises that secrets are compared in constant time and never logged or repeated in errors, and that
// guessing is bounded. Errors carry a fault kind: Unauthorized and Forbidden say no, Unavailable says that
// the store could not be asked. It knows no HTTP.
package auth
