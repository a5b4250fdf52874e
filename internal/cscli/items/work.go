package items

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/hub"
	"shieldwall/internal/hub/installer"
	"shieldwall/internal/hub/plan"
)

// Paths returns where the hub of the installation lies.
func Paths(s *session.Session) hub.Paths {
	paths := s.Config.Paths
	return hub.Paths{HubDir: paths.HubDir, IndexPath: paths.IndexPath, ConfigDir: paths.ConfigDir, DataDir: paths.DataDir}
}

// Survey finds out what the hub offers and what is installed.
func Survey(s *session.Session) (*hub.Holdings, error) { return hub.Survey(Paths(s), s.Log) }

// Work says how to carry out a plan.
type Work struct {
	Interactive bool // ask before
	DryRun      bool // show the plan and do nothing
	Force       bool // fetch data files whatever there is
	GoOn        bool // log what fails and do the rest
}

// Do shows a plan and carries it out.
func (w Work) Do(ctx context.Context, s *session.Session, holdings *hub.Holdings, p plan.Plan) error {
	for _, notice := range p.Notices {
		s.Log.Log(ctx, notice.Level, notice.Text) //nolint:sloglint // published sentences, compared as a whole
	}
	if len(p.Steps) == 0 {
		return s.Print("Nothing to install or remove.\n")
	}
	if err := w.show(ctx, s, p); err != nil {
		return err
	}
	switch {
	case w.DryRun:
		return s.Print("Dry run, no action taken.\n")
	case w.Interactive && !s.ConfirmByDefault("Do you want to continue?"):
		return s.Print("operation canceled\n")
	}
	remote := lazily(s)
	meter := newMeter(s.Env)
	changed, err := installer.New(installer.Config{
		Paths: Paths(s), Source: remote, Log: s.Log, Force: w.Force, GoOn: w.GoOn, Progress: meter.bytes,
		Tell: func(line string) { meter.clear(); _ = s.Print(line + "\n") },
	}).Apply(ctx, p, holdings)
	meter.clear()
	if changed {
		err = errors.Join(err, s.Print("\n"+session.ReloadHint+"\n"))
	}
	return errors.Join(err, remote.close())
}

func (w Work) show(ctx context.Context, s *session.Session, p plan.Plan) error {
	switch {
	case w.Interactive:
		return s.Print("The following actions will be performed:\n" + p.Compact() + "\n")
	case s.Output == session.Raw && w.DryRun:
		return s.Print("Action plan:\n" + p.Verbose() + "\n")
	case s.Log.Enabled(ctx, slog.LevelInfo):
		return s.Print("Action plan:\n" + p.Compact() + "\n")
	}
	return nil
}

// Progress shows on a terminal how much of long work is done. Finish it with 0 of 0.
func Progress(s *session.Session) func(done, total int) {
	meter := newMeter(s.Env)
	return func(done, total int) {
		if total == 0 {
			meter.clear()
			return
		}
		meter.show(fmt.Sprintf("%d of %d items", done, total))
	}
}
