package decisions

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/table"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/wire"
)

func newInspect(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:   "inspect <decision_id>",
		Short: "Show where a decision is enforced",
		Long: "Show for an active decision how far it got on each remediation component:\n" +
			"  enforced  the component has read it back from its kernel\n" +
			"  applied   the kernel has acknowledged it, and it was not read back yet\n" +
			"  pulled    the component was told; one that does not report gets no further\n" +
			"  pending   the component was not told yet\n" +
			"  silent    the component was not heard of for two minutes\n" +
			"  excluded  the filters of the component leave it out",
		Example: "cscli decisions inspect 42\ncscli decisions inspect 42 -o json",
		Args:    session.Args(cobra.ExactArgs(1)),
		RunE: runner.Run(func(ctx context.Context, s *session.Session, args []string) error {
			return inspect(ctx, s, args[0])
		}),
	}
}

func inspect(ctx context.Context, s *session.Session, arg string) error {
	id, err := parseID(arg)
	if err != nil {
		return err
	}
	client, err := s.ConfiguredClient()
	if err != nil {
		return err
	}
	enforcement, err := client.Enforcement(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return fmt.Errorf("the local api knows no active decision with id %s, or nothing of enforcement: %w", arg, err)
	}
	if err != nil {
		return err
	}
	return printEnforcement(s, enforcement)
}

func printEnforcement(s *session.Session, e wire.Enforcement) error {
	switch s.Output {
	case session.JSON:
		return s.PrintJSONLine(e)
	case session.Raw:
		rows := make([][]string, len(e.Components))
		for i, c := range e.Components {
			rows[i] = []string{c.Name, c.Type, string(c.State), instant(c.VerifiedAt), instant(c.LastPull)}
		}
		return s.PrintCSV([]string{"name", "type", "state", "verified_at", "last_pull"}, rows)
	case session.Human:
	}
	t := table.Light(s.Fancy)
	t.Title("Decision " + strconv.FormatInt(e.DecisionID, 10))
	t.Header("Component", "Type", "State", "Last Verification", "Last Pull")
	for _, c := range e.Components {
		t.Row(c.Name, c.Type, string(c.State), instant(c.VerifiedAt), instant(c.LastPull))
	}
	if err := s.PrintTables(t); err != nil {
		return err
	}
	return s.Printf("Enforced on %d component(s), acknowledged by the kernel of %d more, told to %d more.\n",
		e.Enforced, e.Applied, e.Pulled)
}

// instant is a time as the lists of cscli have it, "" for never.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
