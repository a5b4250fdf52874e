// Command bench fills the table of the project's speed targets: what the engine does, what other programs do
// in the same run on the same machine, and whether the target is met.
//
// It measures whole processes from outside, subtracts nothing, and judges no run that did not read every
// line. docs/performance.md says how to read what it prints.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"shieldwall/test/bench/corpus"
)

// options are what the command line says.
type options struct {
	lines    int
	runs     int
	only     string // names of measurements, separated by commas; "" is all
	asJSON   bool
	profiles string // folder for CPU profiles of what is measured, "" for none
	generate string // write a log of this kind instead of measuring
	seed     uint
}

func main() {
	var o options
	flag.IntVar(&o.lines, "lines", 1_000_000, "`lines` of each log")
	flag.IntVar(&o.runs, "runs", 3, "`runs` of each program, interleaved; their median counts")
	flag.StringVar(&o.only, "only", "", "`names` of what to measure, separated by commas: "+strings.Join(names(measurements()), ", "))
	flag.StringVar(&o.profiles, "profiles", "", "`folder` for a CPU profile of each engine and Local API that is measured")
	flag.BoolVar(&o.asJSON, "json", false, "print JSON")
	flag.StringVar(&o.generate, "generate", "", "only write a log of this `kind` to standard output: nginx, sshd or mix")
	flag.UintVar(&o.seed, "seed", 1, "`seed` of the logs")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := o.run(ctx, os.Stdout, os.Stderr); err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:gocritic // stop has run
	}
}

func (o options) run(ctx context.Context, out, progress io.Writer) error {
	if o.lines < 1 || o.runs < 1 || o.seed > 1<<32-1 {
		return errors.New("-lines and -runs are 1 or more, -seed is below 2³²")
	}
	if o.generate != "" {
		return corpus.Write(out, corpus.Kind(o.generate), o.lines, uint32(o.seed))
	}
	chosen, err := choose(measurements(), o.only)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "shieldwall-bench-")
	if err != nil {
		return fmt.Errorf("making a place to work: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a leftover in /tmp is no reason to fail
	b, err := newBench(ctx, dir, o, progress)
	if err != nil {
		return err
	}
	for _, m := range chosen {
		if err := m.run(b, ctx); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return b.report.print(out, o.asJSON)
}

// measurement fills some rows of the table.
type measurement struct {
	name string
	run  func(*bench, context.Context) error
}

// measurements are in the order of the table. The one of memory looks at the runs of those before it.
func measurements() []measurement {
	return []measurement{
		{"nginx", (*bench).nginx},
		{"sshd", (*bench).sshd},
		{"workers", (*bench).workers},
		{"memory", (*bench).memory},
		{"buckets", (*bench).buckets},
		{"start", (*bench).start},
		{"allocations", (*bench).allocations},
		{"alerts", (*bench).alerts},
		{"import", (*bench).imports},
		{"stream", (*bench).stream},
		{"lookup", (*bench).lookups},
		{"firewall", (*bench).firewall},
		{"drops", (*bench).drops},
		{"cscli", (*bench).cscli},
	}
}

func names(all []measurement) []string {
	var names []string
	for _, m := range all {
		names = append(names, m.name)
	}
	return names
}

func choose(all []measurement, only string) ([]measurement, error) {
	if only == "" {
		return all, nil
	}
	wanted := strings.Split(only, ",")
	for _, name := range wanted {
		if !slices.Contains(names(all), name) {
			return nil, fmt.Errorf("-only: there is no %q, but %s", name, strings.Join(names(all), ", "))
		}
	}
	return slices.DeleteFunc(all, func(m measurement) bool { return !slices.Contains(wanted, m.name) }), nil
}

// print writes the report for people or for programs.
func (r *report) print(out io.Writer, asJSON bool) error {
	if !asJSON {
		_, err := io.WriteString(out, r.markdown())
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(r)
}
