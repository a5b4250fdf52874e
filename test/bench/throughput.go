package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"shieldwall/test/bench/corpus"
)

// work is one kind of log and the programs that also read it, the one of the target first.
type work struct {
	kind   corpus.Kind
	target target
	rivals []func(ctx context.Context, lines int) (rival, error)
}

func (b *bench) nginx(ctx context.Context) error {
	return b.throughput(ctx, work{corpus.Nginx, target{Limit: 4, Ratio: true}, []func(context.Context, int) (rival, error){goaccess}})
}

func (b *bench) sshd(ctx context.Context) error {
	return b.throughput(ctx, work{corpus.SSHD, target{Limit: .7, Ratio: true}, []func(context.Context, int) (rival, error){sshgParser, fail2banRegex}})
}

// contestant is a program and what its runs gave.
type contestant struct {
	name  string
	lines int
	run   func(context.Context) (usage, error)

	rates []float64 // lines per CPU-second
	peaks []float64 // MB
}

func (c *contestant) rate() figure { return median("lines/CPU-s", c.rates) }

// throughput compares how many lines a second of processor time is good for.
func (b *bench) throughput(ctx context.Context, w work) error {
	l, err := b.log(w.kind, b.lines)
	if err != nil {
		return err
	}
	var readings []*reading
	var engines []*contestant
	for _, in := range b.instances {
		b.say("checking what the engine makes of %s lines of %s with the rules %q", grouped(l.lines), l.kind, in.rules)
		r := &reading{in: in, log: l, profile: b.profile(fmt.Sprintf("%s-%s", l.kind, filepath.Base(in.dir)))}
		if r.tally, err = in.check(ctx, l); err != nil {
			return err
		}
		readings = append(readings, r)
		engines = append(engines, &contestant{name: "engine, " + in.rules, lines: l.lines, run: r.run})
	}
	rivals := b.rivals(ctx, w)
	if err := b.race(ctx, slices.Concat(engines, rivals)); err != nil {
		return err
	}
	for _, r := range readings {
		b.report.check("%s", r)
	}
	b.throughputRows(w, engines, rivals)
	return nil
}

// reading is a log that an instance reads again and again.
type reading struct {
	in      *instance
	log     log
	profile string // where to write one, "" for none
	tally   tally
	alerts  []int // stored, by run
}

// run reads the log once, from a state in which nothing was read before. All runs must raise equally many
// alerts.
func (r *reading) run(ctx context.Context) (usage, error) {
	if err := r.in.reset(); err != nil {
		return usage{}, err
	}
	argv := r.in.replay(r.log, 1, "error")
	if r.profile != "" {
		argv = append(argv, "-cpu-profile", r.profile)
	}
	used, err := process{argv: argv}.run(ctx)
	if err != nil {
		return usage{}, err
	}
	alerts, err := r.in.alerts(ctx)
	if err != nil {
		return usage{}, err
	}
	r.alerts = append(r.alerts, alerts)
	if alerts != r.alerts[0] {
		return usage{}, fmt.Errorf("the runs stored different numbers of alerts: %v", r.alerts)
	}
	return used, nil
}

// String says what came of it.
func (r *reading) String() string {
	return fmt.Sprintf("%s, %s: %s lines read, %s parsed, %s poured into buckets; %s alerts stored in every run.", r.log.kind, r.in.rules,
		grouped(r.tally.read), grouped(r.tally.parsed), grouped(r.tally.poured), grouped(r.alerts[0]))
}

// rivals are those that can be had. The others are named among the checks.
func (b *bench) rivals(ctx context.Context, w work) []*contestant {
	var all []*contestant
	for _, find := range w.rivals {
		r, err := find(ctx, b.lines)
		var l log
		if err == nil {
			l, err = b.log(w.kind, r.lines)
		}
		if err != nil {
			b.say("going on without a rival: %v", err)
			b.report.check("%s: not compared: %v", w.kind, err)
			continue
		}
		p := process{argv: r.argv(l.path)}
		if r.input {
			p.input = l.path
		}
		all = append(all, &contestant{name: r.name, lines: r.lines, run: p.run})
	}
	return all
}

// race lets all run in turns, so that a disturbance hits all alike.
func (b *bench) race(ctx context.Context, all []*contestant) error {
	for turn := range b.runs {
		for _, c := range all {
			used, err := c.run(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			rate := float64(c.lines) / used.cpu.Seconds()
			c.rates, c.peaks = append(c.rates, rate), append(c.peaks, used.peakMB)
			b.say("run %d of %d: %s: %s lines/CPU-s, %s MB", turn+1, b.runs, c.name, number(rate), number(used.peakMB))
		}
	}
	return nil
}

func (b *bench) throughputRows(w work, engines, rivals []*contestant) {
	for i, engine := range engines {
		rules := b.instances[i].rules
		peaks := b.peaks[rules]
		peaks.work = append(peaks.work, string(w.kind))
		peaks.values = append(peaks.values, slices.Max(engine.peaks))
		r := row{Work: fmt.Sprintf("%s, %s lines", w.kind, grouped(engine.lines)), Rules: rules, Ours: engine.rate(), Target: &w.target}
		if len(rivals) == 0 {
			b.report.add(r)
		}
		for _, rival := range rivals {
			theirs := rival.rate()
			r.Rival, r.Theirs = rival.name, &theirs
			b.report.add(r)
			r.Target = nil // it is about the first
		}
	}
	for _, rival := range rivals {
		b.report.check("%s: %s needed %s MB, or less: what is smaller than this program is not seen.", w.kind, rival.name, number(slices.Max(rival.peaks)))
	}
}

// memory reports the largest resident size of all throughput runs before it, with each of the rules.
func (b *bench) memory(context.Context) error {
	for _, in := range b.instances {
		peaks := b.peaks[in.rules]
		if len(peaks.values) == 0 {
			b.report.check("memory is that of the throughput runs, and there were none.")
			return nil
		}
		figure := median("MB", peaks.values)
		figure.Median = figure.High
		b.report.add(row{
			Work: "peak memory, " + strings.Join(peaks.work, " and "), Rules: in.rules,
			Ours: figure, Target: &target{Limit: 80, AtMost: true},
		})
	}
	return nil
}
