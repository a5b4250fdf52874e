// Command cscli manages the security engine: see package internal/cscli.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"shieldwall/internal/cscli"
	"shieldwall/internal/cscli/session"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return cscli.Main(ctx, session.System(), os.Args[1:])
}
