// Command cscli manages the security engine: see package internal/cscli.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"shieldwall/internal/cscli"
	"shieldwall/internal/cscli/session"
)

func main() { os.Exit(run()) }

func run() int {
	collectLate()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return cscli.Main(ctx, session.System(), os.Args[1:])
}

// collectLate lets the heap grow to 16 MB before the first collection: most commands are over by then. From there on
// memory is collected as ever.
func collectLate() {
	usual := debug.SetGCPercent(400) // of the 4 MB that every heap may have
	firstGarbage := new(any)
	runtime.AddCleanup(firstGarbage, func(percent int) { debug.SetGCPercent(percent) }, usual)
}
