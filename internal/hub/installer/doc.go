// Package installer carries out plans: it downloads, links, unlinks and deletes, and makes mirrors.
//
// It promises that a file is replaced as a whole or not at all: what breaks off, or has not the digest of the index, leaves
// the old one where it was. It writes below the hub folder, the data folder and the configuration folder only, overwrites no
// file of the administrator, and reloads nothing.
package installer
