// Package replay holds the command that tries rules on the logs that are here: what the rules of now, or a scenario that
// is not installed yet, would have made of them, beside what was done.
//
// It owns the comparison. The logs are read by a crowdsec of its own, which sends nothing and keeps no position.
package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/filter"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/expression"
	"shieldwall/internal/localapi/profile"
	"shieldwall/internal/localapiclient"
	"shieldwall/internal/wire"
)

const (
	defaultSince = 24 * time.Hour
	ofScenario   = "crowdsec" // the origin of decisions that follow from alerts of scenarios
)

type options struct {
	since     filter.Duration
	scenario  string
	dsn       string
	logType   string
	unchanged bool
	crowdsec  string
}

// New returns the command "replay".
func New(runner *session.Runner) *cobra.Command {
	o := options{since: filter.Duration(defaultSince)}
	cmd := &cobra.Command{
		Use:   "replay",
		Short: "Show what would have been banned, beside what was",
		Long: "Read the logs of this machine again with the rules that are installed now, and compare the alerts with those that the\n" +
			"Local API has of this machine. With --scenario a scenario is tried that is not installed, or another version of one that\n" +
			"is. Nothing is sent, and the running engine is not disturbed. Logs that were rotated away are not read.",
		Example: "cscli replay --since 24h\ncscli replay --since 7d --scenario ./my-scenario.yaml\n" +
			"cscli replay --dsn file:///var/log/auth.log.1 --type syslog --since 30d",
		Args: session.Args(cobra.NoArgs),
		RunE: runner.Run(func(ctx context.Context, s *session.Session, _ []string) error { return o.run(ctx, s) }),
	}
	set := cmd.Flags()
	set.Var(&o.since, "since", "compare alerts that are younger than this (4h, 30d)")
	set.StringVar(&o.scenario, "scenario", "", "`file` with scenarios to try, in place of installed ones of the same names")
	set.StringVarP(&o.dsn, "dsn", "d", "", "data source to read in place of the configured ones")
	set.StringVarP(&o.logType, "type", "t", "", "type of the lines of --dsn")
	set.BoolVar(&o.unchanged, "unchanged", false, "also show what stays as it was")
	set.StringVar(&o.crowdsec, "crowdsec", "crowdsec", "program crowdsec: the one beside cscli, or of PATH")
	cmd.MarkFlagsRequiredTogether("dsn", "type")
	return cmd
}

func (o options) run(ctx context.Context, s *session.Session) error {
	client, err := s.ConfiguredClient()
	if err != nil {
		return err
	}
	was, err := o.past(ctx, s, client)
	if err != nil {
		return err
	}
	would, err := o.rehearse(ctx, s)
	if err != nil {
		return err
	}
	decide, err := judge(s) //nolint:contextcheck // helpers of expressions have none to pass on
	if err != nil {
		return err
	}
	from := s.Now().Add(-time.Duration(o.since))
	would = slices.DeleteFunc(would, func(a wire.Alert) bool { return !youngerThan(a, from) })
	for i := range would {
		if would[i].Decisions, err = decide(ctx, &would[i]); err != nil {
			return fmt.Errorf("asking the profiles about an alert of %s: %w", would[i].Scenario, err)
		}
	}
	return o.print(s, compare(was, would))
}

// past returns the alerts that scenarios on this machine have raised.
func (o options) past(ctx context.Context, s *session.Session, client *localapiclient.Client) ([]wire.Alert, error) {
	creds, err := s.Credentials()
	if err != nil {
		return nil, err
	}
	alerts, err := client.Alerts(ctx, localapiclient.AlertQuery{Since: time.Duration(o.since)})
	if err != nil {
		return nil, fmt.Errorf("unable to list alerts: %w", err)
	}
	return slices.DeleteFunc(alerts, func(a wire.Alert) bool {
		byHand := slices.ContainsFunc(a.Decisions, func(d wire.Decision) bool { return d.Origin != ofScenario })
		return byHand || creds.Login != "" && a.MachineID != creds.Login
	}), nil
}

// rehearse has crowdsec read the logs and returns the alerts that they give.
func (o options) rehearse(ctx context.Context, s *session.Session) (alerts []wire.Alert, err error) {
	dir, err := os.MkdirTemp("", "cscli_replay*")
	if err != nil {
		return nil, fmt.Errorf("making a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	results := filepath.Join(dir, "alerts.json")
	args := []string{"-c", s.Config.FilePath, "-no-api", "-warning", "-dump-alerts", results}
	if o.scenario != "" {
		args = append(args, "-scenario", o.scenario)
	}
	if o.dsn != "" {
		args = append(args, "-dsn", o.dsn, "-type", o.logType)
	}
	cmd := exec.CommandContext(ctx, s.Program(o.crowdsec), args...) //nolint:gosec // running it is what was asked for
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(said.String()), "\n")
		return nil, fmt.Errorf("reading the logs again: %w: %s", err, lines[len(lines)-1])
	}
	return readAlerts(results)
}

func readAlerts(path string) ([]wire.Alert, error) {
	text, err := os.ReadFile(path) //nolint:gosec // in our temporary folder
	if err != nil {
		return nil, fmt.Errorf("reading the alerts: %w", err)
	}
	var alerts []wire.Alert
	for line := range bytes.Lines(text) {
		var alert wire.Alert
		if err := json.Unmarshal(line, &alert); err != nil {
			return nil, fmt.Errorf("reading the alerts: %w", err)
		}
		alerts = append(alerts, alert)
	}
	return alerts, nil
}

// judge returns what decides about alerts: the profiles of this machine, or nobody where it has none.
func judge(s *session.Session) (func(context.Context, *wire.Alert) ([]wire.Decision, error), error) {
	server := s.Config.API.Server
	if server == nil {
		return func(context.Context, *wire.Alert) ([]wire.Decision, error) { return nil, nil }, nil
	}
	helpers := expression.New(expression.Deps{Log: s.Log, Now: s.Now})
	profiles, err := profile.Load(server.ProfilesPath, helpers.Options()...)
	if err != nil {
		return nil, err
	}
	return profile.NewEvaluator(profiles, s.Log).Evaluate, nil
}

func youngerThan(alert wire.Alert, from time.Time) bool {
	at, err := time.Parse(time.RFC3339Nano, alert.StartAt)
	return err == nil && !at.Before(from)
}
