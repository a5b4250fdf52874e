// Command crowdsec-firewall-bouncer keeps a firewall equal to the decisions of a Local API: see package
// internal/app/firewall.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"shieldwall/internal/app/firewall"
	"shieldwall/internal/platform/buildinfo"
)

// garbage is how much of it may pile up, in percent of what lives: a million bans should not take twice their size.
const garbage = 50

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	verify := make(chan os.Signal, 1)
	signal.Notify(verify, syscall.SIGUSR1)
	debug.SetGCPercent(garbage)
	return firewall.Main(ctx, firewall.Surroundings{
		Args: os.Args[1:], Env: os.LookupEnv, Now: time.Now,
		Stdout: os.Stdout, Stderr: os.Stderr, Build: buildinfo.Read(), Root: "/", Verify: verify,
	})
}
