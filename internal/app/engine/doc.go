// Package engine composes the crowdsec daemon: it turns configuration into a running Local API and log
// processor, reloads them, and stops them.
//
// It owns no logic of its own. Everything it starts is registered for its end on the next line; a reload
// builds the new parts beside the old and swaps when nothing can fail any more.
package engine
