package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"shieldwall/test/bench/corpus"
)

// team is so many workers on as many processors.
type team struct {
	workers int
	cpus    []int
	rates   []float64 // lines per second on the clock
	cpu     time.Duration
	wall    time.Duration
}

// undisturbed is the part of the time on the clock that a single worker has to have its processor: below it,
// others were using the machine, and the clock says nothing about workers.
const undisturbed = .9

// workers compares two workers on two processors with one on one, by the clock: that of both is the same.
func (b *bench) workers(ctx context.Context) error {
	cpus, err := processors(2)
	if err != nil {
		b.report.check("workers: not measured: %v", err)
		return nil
	}
	for _, kind := range []corpus.Kind{corpus.Nginx, corpus.SSHD} {
		l, err := b.log(kind, b.lines)
		if err != nil {
			return err
		}
		one, two := &team{workers: 1, cpus: cpus[:1]}, &team{workers: 2, cpus: cpus}
		for turn := range b.runs {
			for _, t := range []*team{one, two} {
				if err := t.read(ctx, b.instances[0], l); err != nil {
					return err
				}
				b.say("run %d of %d: %s, %d workers: %s lines/s", turn+1, b.runs, kind, t.workers, number(t.rates[turn]))
			}
		}
		b.workersRow(kind, one, two)
	}
	return b.twoProcessors(ctx, cpus)
}

// twoProcessors finds out what the second processor is worth on this machine to programs that share nothing at all.
func (b *bench) twoProcessors(ctx context.Context, cpus []int) error {
	l, err := b.log(corpus.Nginx, b.lines)
	if err != nil {
		return err
	}
	program, err := goaccess(ctx, b.lines)
	if err != nil {
		b.report.check("what the second CPU is worth is not measured: %v", err)
		return nil
	}
	var alone, both []float64
	for range b.runs {
		one, err := program.together(ctx, l, cpus[:1])
		if err != nil {
			return err
		}
		two, err := program.together(ctx, l, cpus)
		if err != nil {
			return err
		}
		alone, both = append(alone, one), append(both, two)
	}
	b.report.check("two copies of goaccess, a CPU each, read %.2f times as many lines a second as one: that is what the second CPU of this machine is worth.",
		median("lines/s", both).Median/median("lines/s", alone).Median)
	return nil
}

// together runs a copy of a rival on each processor at the same time, and returns how many lines a second they read.
func (r rival) together(ctx context.Context, l log, cpus []int) (rate float64, err error) {
	copies, ctx := errgroup.WithContext(ctx)
	begin := time.Now()
	for _, cpu := range cpus {
		copies.Go(func() error {
			_, err := process{argv: r.argv(l.path), input: l.path, cpus: []int{cpu}}.run(ctx)
			return err
		})
	}
	err = copies.Wait()
	return float64(l.lines*len(cpus)) / time.Since(begin).Seconds(), err
}

func (b *bench) workersRow(kind corpus.Kind, one, two *team) {
	theirs := median("lines/s", one.rates)
	r := row{
		Work: fmt.Sprintf("two workers on two CPUs, %s", kind), Rules: b.instances[0].rules, Ours: median("lines/s", two.rates),
		Rival: "one on one", Theirs: &theirs, Target: &target{Limit: 1.8, Ratio: true},
	}
	if share := one.cpu.Seconds() / one.wall.Seconds(); share < undisturbed {
		r.Target = nil
		b.report.check("%s: two workers are not judged: one had its processor for %.0f %% of the time only.", kind, 100*share)
	}
	b.report.add(r)
	b.report.check("%s: two workers on two CPUs need %.2f times the CPU time of one on one.", kind, two.cpu.Seconds()/one.cpu.Seconds())
}

func (t *team) read(ctx context.Context, in *instance, l log) error {
	if err := in.reset(); err != nil {
		return err
	}
	used, err := process{argv: in.replay(l, t.workers, "error"), cpus: t.cpus}.run(ctx)
	if err != nil {
		return err
	}
	t.rates = append(t.rates, float64(l.lines)/used.wall.Seconds())
	t.cpu += used.cpu
	t.wall += used.wall
	return nil
}
