package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"shieldwall/test/bench/corpus"
)

// startRuns is how often a start is measured: it is short, so a few runs more cost nothing.
const startRuns = 11

// doorbell is a scenario that answers the first line it sees with an overflow, which the engine logs. It is
// about nobody's address, so no postoverflow asks anybody who that is.
const doorbell = `type: trigger
name: shieldwall/doorbell
description: "A line was processed"
filter: "true"
scope: {type: Doorbell, expression: "'rung'"}
labels: {remediation: false}
`

// start measures the time from the start of the process until it has processed a first line to its end:
// loading configuration, rules and data, opening the database, starting the Local API, and what each pattern
// and expression puts off until it is used first.
func (b *bench) start(ctx context.Context) error {
	for _, in := range b.instances {
		bell := in.path("scenarios", "doorbell.yaml")
		if err := write([]byte(doorbell), bell); err != nil {
			return err
		}
		for _, first := range []struct {
			kind corpus.Kind
			text string
		}{{corpus.Nginx, "GET"}, {corpus.SSHD, "Failed password"}} {
			l, err := b.selected(first.kind, 1, func(line []byte) bool { return bytes.Contains(line, []byte(first.text)) })
			if err != nil {
				return err
			}
			if err := b.startWith(ctx, in, l); err != nil {
				return fmt.Errorf("%s: %w", in.rules, err)
			}
		}
		if err := os.Remove(bell); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) startWith(ctx context.Context, in *instance, l log) error {
	var first, cpu []float64
	for range max(b.runs, startRuns) {
		if err := in.reset(); err != nil {
			return err
		}
		heard, used, err := listen(ctx, in, l)
		if err != nil {
			return err
		}
		first, cpu = append(first, milliseconds(heard)), append(cpu, milliseconds(used.cpu))
	}
	r := row{Work: fmt.Sprintf("start to first line, %s", l.kind), Rules: in.rules, Ours: median("ms", first), Target: &target{Limit: 150, AtMost: true}}
	b.report.add(r)
	whole := median("ms", cpu)
	b.report.check("start, %s, %s: a run on one line needs %s of CPU time from its start to its end.", l.kind, in.rules, whole)
	b.say("start, %s, %s: %s", l.kind, in.rules, r.Ours)
	return nil
}

// listen runs the engine on a log until it says that a bucket has overflowed, and then to its end.
func listen(ctx context.Context, in *instance, l log) (heard time.Duration, used usage, err error) {
	argv := in.replay(l, 1, "info")
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // our own program
	said, err := cmd.StdoutPipe()
	if err != nil {
		return 0, usage{}, err
	}
	begin := time.Now()
	if err := startOn(cmd, nil); err != nil {
		return 0, usage{}, err
	}
	silence := await(said, `msg="overflow"`)
	heard = time.Since(begin)
	_, drained := io.Copy(io.Discard, said)
	if err := cmd.Wait(); err != nil {
		return 0, usage{}, fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	if silence != nil {
		return 0, usage{}, silence
	}
	used, err = usageOf(cmd, time.Since(begin))
	if err == nil {
		err = drained
	}
	return heard, used, err
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
