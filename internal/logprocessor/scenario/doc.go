// Package scenario loads scenarios, decides which of them an event concerns, and turns buckets that
// overflow into alerts.
//
// It owns the meaning of the scenario language. Match depends on the event alone and may run on many
// workers at once; an Engine owns the buckets and has one owner itself. Everything that can be wrong with
// an item is found when it is loaded, and named with file and place; at run time a scenario that cannot
// handle an event leaves it out and says so, and no other scenario is affected.
package scenario
