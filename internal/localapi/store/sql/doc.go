// Package sql keeps the state of the Local API in a SQL database: the contract of package store on SQLite, MariaDB
// (and MySQL) and PostgreSQL.
//
// It owns the published tables, what Shieldwall adds to them, and every statement. It promises that what a
// method acknowledged survives a crash and a power cut, that a database of the replaced system is taken over
// in place and stays usable by it, and that several processes may work on one database. It refuses policy:
// what to store, for how long, and who may ask is decided by its callers.
//
// Statements are written in the SQL that the engines share, and they all pass through session; what differs is in
// engine. Where several transactions write at the same time, whoever writes entries of the change log takes their
// numbers from a counter, last of all that others may hold: the counter is held until the commit, so the order of the
// numbers is the order of the commits, and nobody who holds it waits for anything else (docs/adr/0009-three-databases.md).
package sql
