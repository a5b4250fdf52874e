// Package replica makes a Local API one of several on the same database.
//
// It owns the sign of life by which others see this process, and the leases on work that only one of them may do. It
// promises that such work is told to end while the lease is still valid, if it cannot be renewed, and that another
// process takes over when this one ends or dies. It refuses to know what the work is.
package replica
