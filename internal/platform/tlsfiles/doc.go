// Package tlsfiles keeps what TLS needs from files in step with those files: certificates with their keys,
// certificates to trust, and lists of revoked ones.
//
// It promises that a new file is in force a few seconds after it was put in place, that nobody who asks gets
// nothing or waits while another reads, and that a file that cannot be used leaves its old content in force
// and is reported once. A file counts as changed when its time, size or inode does; there is no goroutine: who
// asks looks. It refuses files that end in the middle, because half a list of revoked certificates would
// let the other half in.
//
// A Renewal asks for the successor of a certificate in time; where it comes from is the caller's.
package tlsfiles
