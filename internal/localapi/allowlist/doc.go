// Package allowlist knows what is never banned.
//
// It owns the look-up in all allowlists at once, the index that follows the store's revision, and the end
// of decisions that a new item makes wrong. A range concerns an item when it equals it, lies inside it or
// contains it: a decision about 10.0.0.0/8 would hit an allowed 10.1.2.3. Items that have expired concern
// nothing. The package changes no list: cscli and the console do.
package allowlist
