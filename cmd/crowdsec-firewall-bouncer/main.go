// Command crowdsec-firewall-bouncer keeps a firewall equal to the decisions of a Local API: see package
// internal/app/firewall.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"shieldwall/internal/app/firewall"
	"shieldwall/internal/platform/buildinfo"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return firewall.Main(ctx, firewall.Surroundings{
		Args: os.Args[1:], Env: os.LookupEnv, Now: time.Now,
		Stdout: os.Stdout, Stderr: os.Stderr, Build: buildinfo.Read(), Root: "/",
	})
}
