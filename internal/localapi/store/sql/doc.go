// Package sql keeps the state of the Local API in a SQL database: the contract of package store on SQLite.
//
// It owns the published tables, what Shieldwall adds to them, and every statement. It promises that what a
// method acknowledged survives a crash and a power cut, that a database of the replaced system is taken over
// in place and stays usable by it, and that several processes may work on one file. It refuses policy:
// what to store, for how long, and who may ask is decided by its callers.
//
// Statements are written in the SQL that SQLite, MariaDB (10.5, ANSI_QUOTES, clientFoundRows) and PostgreSQL
// share, and they all pass through session, so an engine is added with its dialect, its migrations and,
// where its placeholders differ, one rewrite there. An engine with more than one writer also has to lock
// decision_changes as the first statement of each writing transaction: sequence numbers are given at the
// INSERT, and only a lock that is held until the commit makes their order the order of the commits.
package sql
