// Package usage tells the Local API what a log processor consists of and what it has done.
//
// It owns the translation of Prometheus counters into published usage metrics: what each counter is called
// there, and that only what was counted since the last report that arrived is told. It counts nothing by
// itself, so the two can never disagree.
package usage
