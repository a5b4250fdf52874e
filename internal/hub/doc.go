// Package hub knows which rules are installed, and where they come from.
//
// It owns the layout on disk: an index of what the hub offers, downloaded items below the hub folder, and
// one link or file per installed item below the configuration folder; and what follows from these: versions,
// taint, which collections name an item. It reads; it changes nothing: plan decides, installer does, source
// has what is to be fetched. What an item means is known to the packages that load it.
package hub
