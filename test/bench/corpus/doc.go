// Package corpus writes the server logs that the benchmark reads: believable, and the same on every machine.
//
// A kind, a number of lines and a seed decide every byte. The logs are those of the generator that the
// targets of the project were set with, a Python program; to write the same bytes, the package has a random
// source that draws as Python's does. It knows nothing of what reads the logs.
package corpus
