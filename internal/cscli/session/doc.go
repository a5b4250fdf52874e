// Package session is what one run of a cscli command works with: where it writes, the configuration, the
// log, the database and the client of the Local API.
//
// It owns the flags that all commands share and turns them, with the environment, into a Session when a
// command runs and not before: help, usage and wrong arguments need no configuration. It promises that
// nothing is opened that a command does not ask for. It knows no command.
package session
