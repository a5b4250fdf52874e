// Package pki is an authority of one's own: a root, an intermediate that signs, the certificates of servers, log processors
// and bouncers, the list of those that were revoked, and tokens with which a new machine gets its certificate.
//
// It owns the folder of the authority: ca.pem, ca-key.pem, inter.pem, inter-key.pem, bundle.pem, crl.pem and index.json.
// It promises that every file is replaced at once or not at all, that processes which change the folder at the same time
// wait for each other, that a token is good once and kept as a hash only, and that a certificate and its key fit together
// after a crash at any moment. The key of the root is needed by Init alone and may be taken away afterwards.
//
// It refuses names that two living certificates would share, requests that ask for more than a name and a key, and to
// renew what is revoked or was not issued here. It knows no HTTP.
package pki
