package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"

	"shieldwall/internal/domain"
)

const (
	cscliRuns     = 21 // a run is short, so a few more cost nothing
	listed        = 10_000
	listedMachine = 50
	answerTime    = 20  // ms
	listTime      = 150 // ms
	answerMemory  = 30  // MB
)

// answer is a command of cscli that is measured, and a program that does about the same without us.
type answer struct {
	work  string
	ours  []string // arguments of cscli
	limit float64  // ms
	rows  int      // lines that the answer must have, at least

	rival string
	argv  []string // nil: there is none
}

// cscli measures how long a person, or a script, waits for an answer.
func (b *bench) cscli(ctx context.Context) error {
	return b.withAPI(ctx, 1, func(a *api) error { return a.addMachines(ctx, listedMachine) }, func(a *api) error {
		file := filepath.Join(b.dir, "listed.csv")
		if err := writeDecisions(file, listed); err != nil {
			return err
		}
		if err := a.cscli(ctx, "decisions", "import", "-i", file, "--batch", "100"); err != nil {
			return err
		}
		for _, one := range a.answers() {
			if err := b.answer(ctx, a, one); err != nil {
				return fmt.Errorf("%s: %w", one.work, err)
			}
		}
		return nil
	})
}

func (a *api) answers() []answer {
	database := a.path("data", "crowdsec.db")
	query := func(text string) []string { return []string{"sqlite3", "-readonly", "-box", database, text} }
	return []answer{
		{work: "cscli version", ours: []string{"version"}, limit: answerTime, rows: 10, rival: "true", argv: []string{"true"}},
		{
			work: "cscli machines list", ours: []string{"machines", "list"}, limit: answerTime, rows: listedMachine,
			rival: "sqlite3", argv: query("SELECT * FROM machines"),
		},
		{
			work: fmt.Sprintf("cscli decisions list, %s rows", grouped(listed)), ours: []string{"decisions", "list", "-l", "0"}, limit: listTime, rows: listed,
			rival: "sqlite3", argv: query("SELECT * FROM decisions JOIN alerts ON alerts.id = alert_decisions WHERE until > datetime('now')"),
		},
		{
			work: fmt.Sprintf("cscli decisions list -o raw, %s rows", grouped(listed)), ours: []string{"decisions", "list", "-l", "0", "-o", "raw"}, limit: listTime,
			rows: listed,
		},
	}
}

// answer adds a row for the time and one for the memory.
func (b *bench) answer(ctx context.Context, a *api, one answer) error {
	argv := append([]string{"bin/cscli", "-c", a.path("config.yaml")}, one.ours...)
	if err := mustAnswer(ctx, argv, one.rows); err != nil {
		return err
	}
	theirs := one.argv
	if theirs != nil {
		if _, err := exec.LookPath(theirs[0]); err != nil {
			theirs = nil
			b.report.check("%s is not there to compare `%s` with.", one.rival, one.work)
		}
	}
	var times, peaks, rival []float64
	for range max(b.runs, cscliRuns) {
		used, err := process{argv: argv}.run(ctx)
		if err != nil {
			return err
		}
		times, peaks = append(times, milliseconds(used.wall)), append(peaks, used.peakMB)
		if theirs == nil {
			continue
		}
		if used, err = (process{argv: theirs}).run(ctx); err != nil {
			return err
		}
		rival = append(rival, milliseconds(used.wall))
	}
	r := row{Work: one.work, Ours: median("ms", times), Target: &target{Limit: one.limit, AtMost: true}}
	if theirs != nil {
		figure := median("ms", rival)
		r.Rival, r.Theirs = one.rival, &figure
	}
	b.report.add(r)
	memory := row{Work: one.work + ", memory", Ours: median("MB", peaks)}
	if one.limit == answerTime {
		memory.Target = &target{Limit: answerMemory, AtMost: true}
	}
	b.report.add(memory)
	b.say("%s: %s, %s", one.work, r.Ours, memory.Ours)
	return nil
}

// mustAnswer fails unless the answer has so many lines.
func mustAnswer(ctx context.Context, argv []string, rows int) error {
	out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).Output() //nolint:gosec // our own program
	if err != nil {
		return err
	}
	if got := bytes.Count(out, []byte("\n")); got < rows {
		return fmt.Errorf("the answer has %d lines, not %d", got, rows)
	}
	return nil
}

// addMachines adds so many machines besides the one that is there.
func (a *api) addMachines(ctx context.Context, count int) (err error) {
	database, err := a.database(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, database.Close()) }()
	for i := range count {
		if err := database.AddMachine(ctx, domain.Machine{
			ID: fmt.Sprint("machine-", i), IPAddress: "192.0.2.1", Version: "v1.7.4", OSName: "debian", OSVersion: "13", Validated: true, AuthType: domain.AuthPassword,
		}); err != nil {
			return err
		}
	}
	return nil
}
