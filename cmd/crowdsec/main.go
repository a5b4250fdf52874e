// Command crowdsec is the security engine: a log processor and a Local API, in one process or apart.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"shieldwall/internal/app/engine"
	"shieldwall/internal/platform/buildinfo"
	"shieldwall/internal/platform/logging"
)

// httpTimeout bounds what expressions fetch, as published.
const httpTimeout = 10 * time.Second

func main() {
	options, printVersion := parseFlags()
	if printVersion {
		fmt.Print(buildinfo.Read().Text(nil))
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	hostname, _ := os.Hostname() // "" when the kernel has none
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	err := engine.Run(ctx, options, engine.Surroundings{
		Env: os.LookupEnv, Now: time.Now, Hostname: hostname, PID: os.Getpid(), Stdout: os.Stdout, Stderr: os.Stderr,
		Names: net.DefaultResolver, HTTP: &http.Client{Timeout: httpTimeout},
		Reload: reload, Spread: spread,
	})
	if err != nil {
		stop()
		os.Exit(1) //nolint:gocritic // stop has run
	}
}

// spread bounds the processors in use, unless the environment already says how many.
func spread(most int) {
	if _, said := os.LookupEnv("GOMAXPROCS"); !said && most < runtime.GOMAXPROCS(0) {
		runtime.GOMAXPROCS(most)
	}
}

// parseFlags ends the program with code 2 when the command line makes no sense.
func parseFlags() (options engine.Options, printVersion bool) {
	options.Labels = map[string]string{}
	flag.StringVar(&options.ConfigPath, "c", "/etc/crowdsec/config.yaml", "configuration `file`")
	flag.BoolVar(&options.Test, "t", false, "test the configuration and exit")
	flag.BoolVar(&options.NoLogProcessor, "no-cs", false, "do not run the log processor")
	flag.BoolVar(&options.NoLocalAPI, "no-api", false, "do not run the Local API")
	flag.Bool("no-capi", false, "do not talk to a Central API (this version never does)")
	flag.Bool("order-event", false, "keep the order of events (this version always does)")
	flag.StringVar(&options.DSN, "dsn", "", "process one data `source` to its end, as file:///path/to/log")
	flag.StringVar(&options.Type, "type", "", "label `type` of the lines of -dsn")
	flag.StringVar(&options.Transform, "transform", "", "`expression` that replaces the lines of -dsn")
	flag.StringVar(&options.DumpDir, "dump-data", "", "write what happened to every line into `folder`, and send nothing")
	flag.StringVar(&options.AlertsFile, "dump-alerts", "", "read the sources once, from their beginning, write the alerts that they give into `file`, one a line, and send nothing")
	flag.StringVar(&options.Scenario, "scenario", "", "with -dump-alerts: try the scenarios of `file` too, in place of installed ones of the same names")
	flag.StringVar(&options.CPUProfile, "cpu-profile", "", "write a CPU profile of the whole run to `file`, for go tool pprof")
	flag.BoolVar(&options.NoShortcuts, "no-shortcuts", false, "evaluate every rule the slow way, to compare the results")
	flag.Func("label", "further `label:value` pairs of the lines of -dsn", func(text string) error {
		return engine.ParseLabels(text, options.Labels)
	})
	flag.BoolVar(&printVersion, "version", false, "print the version and exit")
	var levels [6]bool
	names := [len(levels)]string{"trace", "debug", "info", "warning", "error", "fatal"}
	for i, name := range names {
		flag.BoolVar(&levels[i], name, false, "log level "+name)
	}
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "unexpected argument %q\n", flag.Arg(0))
		flag.Usage()
		os.Exit(2)
	}
	for i, chosen := range levels {
		if chosen {
			options.Level = levelNamed(names[i])
			break
		}
	}
	return options, printVersion
}

func levelNamed(name string) *slog.Level {
	level, err := logging.ParseLevel(name)
	if err != nil {
		return nil
	}
	return &level
}
