package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"shieldwall/test/bench/corpus"
)

// bench is one run of the benchmark.
type bench struct {
	dir         string
	lines, runs int
	seed        uint32
	profiles    string      // folder, "" for none
	instances   []*instance // those of the targets first
	peaks       map[string]*peaks
	progress    io.Writer
	report      report
}

// peaks are the largest resident sizes of the throughput runs with some rules, in MB, by what was read.
type peaks struct {
	work   []string
	values []float64
}

func newBench(ctx context.Context, dir string, o options, progress io.Writer) (*bench, error) {
	b := &bench{dir: dir, lines: o.lines, runs: o.runs, seed: uint32(o.seed), profiles: o.profiles, peaks: map[string]*peaks{}, progress: progress} //nolint:gosec // run has looked
	for i, from := range available() {
		in, err := newInstance(ctx, filepath.Join(dir, fmt.Sprint("instance-", i)), from)
		if err != nil {
			return nil, err
		}
		b.instances = append(b.instances, in)
		b.peaks[in.rules] = &peaks{}
	}
	if len(b.instances) == 1 {
		b.report.check("There is no sample of the public hub, whose collections the targets are about.")
	}
	version, err := engineVersion(ctx)
	if err != nil {
		return nil, err
	}
	b.report.Machine = machine(version)
	b.report.Method = fmt.Sprintf("Median of %d interleaved runs, lowest and highest in parentheses. CPU is user and system time of the whole process.", o.runs)
	return b, nil
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.progress, format+"\n", args...) //nolint:errcheck // nobody depends on it
}

// log returns the log of a kind, written when it is asked for first.
func (b *bench) log(kind corpus.Kind, lines int) (log, error) {
	l := log{kind: kind, path: filepath.Join(b.dir, fmt.Sprintf("%s-%d.log", kind, lines)), lines: lines}
	if _, err := os.Stat(l.path); err == nil {
		return l, nil
	}
	b.say("writing %s lines of %s", grouped(lines), kind)
	file, err := os.Create(l.path)
	if err != nil {
		return l, fmt.Errorf("writing a log: %w", err)
	}
	return l, errors.Join(corpus.Write(file, kind, lines, b.seed), file.Close())
}

// selected returns a log of those lines of a kind that are wanted.
func (b *bench) selected(kind corpus.Kind, lines int, wanted func(line []byte) bool) (l log, err error) {
	l = log{kind: kind, path: filepath.Join(b.dir, fmt.Sprintf("selected-%s-%d.log", kind, lines)), lines: lines}
	file, err := os.Create(l.path)
	if err != nil {
		return l, fmt.Errorf("writing a log: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	read, written := io.Pipe()
	defer read.Close() //nolint:errcheck // the writer learns that enough was read
	go func() { written.CloseWithError(corpus.Write(written, kind, 1000*lines, b.seed)) }()
	out := bufio.NewWriter(file)
	for scanner := bufio.NewScanner(read); lines > 0; {
		if !scanner.Scan() {
			return l, errors.Join(scanner.Err(), fmt.Errorf("too few lines of %s are wanted", kind))
		}
		if !wanted(scanner.Bytes()) {
			continue
		}
		if _, err := fmt.Fprintf(out, "%s\n", scanner.Bytes()); err != nil {
			return l, err
		}
		lines--
	}
	return l, out.Flush()
}

// machine says what the figures depend on.
func machine(version string) string {
	model := runtime.GOARCH
	if info, err := os.Open("/proc/cpuinfo"); err == nil {
		defer info.Close() //nolint:errcheck // only read
		for scanner := bufio.NewScanner(info); scanner.Scan(); {
			if name, value, _ := strings.Cut(scanner.Text(), ":"); strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d CPUs, %s; engine %s; load before the start %s.",
		model, runtime.NumCPU(), runtime.Version(), version, loadAverage())
}

// loadAverage is how busy others kept the machine in the last minute: much above 0, times on the clock mean
// little.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	minute, _, _ := strings.Cut(string(text), " ")
	return minute
}

// engineVersion is that of the program that is measured.
func engineVersion(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "bin/crowdsec", "-version").Output()
	if err != nil {
		return "", fmt.Errorf("asking the engine for its version (run make build first): %w", err)
	}
	for line := range strings.Lines(string(out)) {
		if name, version, _ := strings.Cut(line, ":"); name == "version" {
			return strings.TrimSpace(version), nil
		}
	}
	return "", errors.New("the engine does not say its version")
}

// profile returns where to write a CPU profile of that name, "" when none is wanted.
func (b *bench) profile(name string) string {
	if b.profiles == "" {
		return ""
	}
	return filepath.Join(b.profiles, name+".pprof")
}
