// Package replicas checks what several Local APIs on one database promise to bouncers: each of them, whatever
// it asks for, however often it restarts and whichever replica answers, ends up with exactly the decisions that
// are active.
//
// Everything is random but follows a seed, which a failure names; -replicas.seed runs it again. The order in
// which goroutines run is not part of it. SHIELDWALL_LONG=1 makes it 300 rounds on each database.
package replicas
