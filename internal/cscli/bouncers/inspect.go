package bouncers

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/table"
	"shieldwall/internal/domain"
)

func newInspect(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:               "inspect <name>",
		Short:             "inspect a bouncer by name",
		Example:           "cscli bouncers inspect \"bouncer1\"",
		Args:              session.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: runner.CompleteOnStore(names),
		RunE: runner.RunOnStore(func(ctx context.Context, s *session.Session, db *session.Store, args []string) error {
			return inspect(ctx, s, db, args[0])
		}),
	}
}

func inspect(ctx context.Context, s *session.Session, db *session.Store, name string) error {
	b, err := find(ctx, db, name)
	if err != nil {
		return fmt.Errorf("unable to read bouncer data '%s': %w", name, err)
	}
	switch s.Output {
	case session.JSON:
		return s.PrintJSONLine(recordOf(b))
	case session.Raw:
		return s.Unsupported()
	case session.Human:
	}
	return s.Print(inspectTable(b, s.Fancy).Fit(s.Columns))
}

func inspectTable(b domain.Bouncer, fancy bool) *table.Table {
	pull := ""
	if !b.LastPull.IsZero() {
		pull = b.LastPull.String()
	}
	t := table.Light(fancy)
	t.Title("Bouncer: " + b.Name)
	t.Row("Created At", b.CreatedAt.String())
	t.Row("Last Update", b.UpdatedAt.String())
	t.Row("Revoked?", strconv.FormatBool(b.Revoked))
	t.Row("IP Address", b.IPAddress)
	t.Row("Type", b.Type)
	t.Row("Version", b.Version)
	t.Row("Last Pull", pull)
	t.Row("Auth type", authType(b))
	t.Row("OS", osText(b))
	t.Row("Auto Created", strconv.FormatBool(b.AutoCreated))
	t.Rows("Feature Flags", b.FeatureFlags)
	if b.Standing.IsReported() {
		addStanding(t, b.Standing)
	}
	return t
}

// addStanding says what a bouncer enforces, as it says itself.
func addStanding(t *table.Table, s domain.Standing) {
	t.Row("Applied revision", strconv.FormatInt(s.Applied, 10))
	t.Row("Verified revision", strconv.FormatInt(s.Verified, 10))
	if s.VerifiedAt.IsZero() {
		t.Row("Last verification", "")
		return
	}
	t.Row("Last verification", s.VerifiedAt.String())
	t.Row("Coverage", coverage(s))
	t.Row("Desired elements", strconv.Itoa(s.Wanted))
	t.Row("Missing", strconv.Itoa(s.Missing))
	t.Row("Stale", strconv.Itoa(s.Stale))
	t.Row("Foreign", strconv.Itoa(s.Foreign))
}
