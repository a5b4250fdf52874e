// Package items holds the commands for items of the hub, which are the same for each type: collections, parsers and so on.
//
// It owns what a plan looks like on the way from a request to the end, for the group "hub" as well, and where the hub of an
// installation comes from. What has to happen is decided in internal/hub/plan, and done in internal/hub/installer.
package items
