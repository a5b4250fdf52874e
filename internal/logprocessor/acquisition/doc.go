// Package acquisition is where log lines come from: the contract of data sources, the files that configure
// them, and the DSN of a cold run.
//
// Configuring a source has three steps with growing effects: decoding a document into Settings, checking
// them against the host, opening a Source. A configuration test stops after the second. The kinds of
// sources that a program knows are a Registry value, handed over by the caller; acquisition/all lists those
// of this binary.
//
// A source promises lines in the order it read them, batches that are acknowledged when nothing can lose
// their lines any more, and an end soon after its context ends. It never closes the channel that it writes
// to, because sources share it. acquisitiontest is the suite that every kind must pass.
package acquisition
