package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"os"
	"runtime"
	"time"

	"shieldwall/internal/app/engine"
	"shieldwall/test/bench/corpus"
)

// The lines of a short and of a long log: what the engine allocates more for the long one belongs to the lines.
const (
	fewQuiet  = 20_000
	manyQuiet = 120_000
)

// quiet selects lines that concern no scenario.
func quiet(kind corpus.Kind) func(line []byte) bool {
	if kind == corpus.Nginx {
		return func(line []byte) bool {
			return bytes.Contains(line, []byte(`"GET /static/`)) && bytes.Contains(line, []byte(`HTTP/2.0" 200 `))
		}
	}
	return func(line []byte) bool {
		return !bytes.Contains(line, []byte(" sshd[")) || bytes.Contains(line, []byte("Disconnected from"))
	}
}

// allocations counts what the whole engine allocates for a line that no scenario wants: the engine runs in
// this process, which can count.
func (b *bench) allocations(ctx context.Context) error {
	for _, in := range b.instances {
		for _, kind := range []corpus.Kind{corpus.Nginx, corpus.SSHD} {
			perLine, err := b.allocationsOf(ctx, in, kind)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", kind, in.rules, err)
			}
			b.say("allocations, %s, %s: %.2f a line", kind, in.rules, perLine)
			b.report.add(row{
				Work: "allocations per quiet line, " + string(kind), Rules: in.rules, Target: &target{Limit: 2, AtMost: true},
				Ours: single("", math.Round(10*perLine)/10), // what a batch shares is less than a tenth
			})
		}
	}
	return nil
}

func (b *bench) allocationsOf(ctx context.Context, in *instance, kind corpus.Kind) (float64, error) {
	few, err := b.selected(kind, fewQuiet, quiet(kind))
	if err != nil {
		return 0, err
	}
	t, err := in.check(ctx, few)
	if err != nil {
		return 0, err
	}
	if t.poured > 0 {
		return 0, fmt.Errorf("%d of the quiet lines concern a scenario", t.poured)
	}
	many, err := b.selected(kind, manyQuiet, quiet(kind))
	if err != nil {
		return 0, err
	}
	fewAllocations, err := allocationsFor(ctx, in, few)
	if err != nil {
		return 0, err
	}
	manyAllocations, err := allocationsFor(ctx, in, many)
	return (manyAllocations - fewAllocations) / (manyQuiet - fewQuiet), err
}

// allocationsFor replays a log in this process and returns how often it allocated meanwhile.
func allocationsFor(ctx context.Context, in *instance, l log) (float64, error) {
	if err := in.reset(); err != nil {
		return 0, err
	}
	var complaints bytes.Buffer
	level := slog.LevelError
	before := mallocs()
	err := engine.Run(ctx, engine.Options{ConfigPath: in.config(1), DSN: "file://" + l.path, Type: l.label(), Level: &level}, engine.Surroundings{
		Env: os.LookupEnv, Now: time.Now, Stdout: &complaints, Stderr: &complaints, Names: net.DefaultResolver,
		HTTP: &http.Client{Timeout: time.Second},
	})
	if err != nil {
		return 0, fmt.Errorf("%w: %s", err, complaints.String())
	}
	return float64(mallocs() - before), nil
}

func mallocs() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.Mallocs
}
