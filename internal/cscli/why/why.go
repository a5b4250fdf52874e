// Package why holds the command that tells the story of a ban: what was seen, what it broke, who decided, who enforces
// it, and how to take it back.
//
// It owns the order of the story and its words. What it tells is asked of the Local API, of the database and of the
// configuration of this machine, as far as they are here; what cannot be known is said to be unknown, and stops nothing.
package why

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/localapiclient"
	"shieldwall/internal/wire"
)

// furtherAlerts is how many alerts without a decision in force are told.
const furtherAlerts = 5

// New returns the command "why".
func New(runner *session.Runner) *cobra.Command {
	crowdsec := ""
	cmd := &cobra.Command{
		Use:   "why ADDRESS",
		Short: "Explain why an address is banned, where that is enforced, and how to undo it",
		Long: "Tell the whole chain of a ban: the events, the lines and what the parsers made of them, the scenario, the profile,\n" +
			"the decision, the bouncers that have it, and how to take it back. ADDRESS may be a range: then it is about everybody in it.",
		Example: "cscli why 192.0.2.7\ncscli why 192.0.2.0/24 -o json",
		Args:    session.Args(cobra.ExactArgs(1)),
		RunE: runner.Run(func(ctx context.Context, s *session.Session, args []string) error {
			if s.Output == session.Raw {
				return s.Unsupported()
			}
			query, err := queryOf(args[0])
			if err != nil {
				return err
			}
			client, err := s.ConfiguredClient()
			if err != nil {
				return err
			}
			told, err := (&inquiry{session: s, client: client, crowdsec: crowdsec}).story(ctx, args[0], query)
			if err != nil {
				return err
			}
			if s.Output == session.JSON {
				return s.PrintJSONLine(told)
			}
			return s.Print(told.text())
		}),
	}
	cmd.Flags().StringVar(&crowdsec, "crowdsec", "crowdsec", "program crowdsec that explains lines: the one beside cscli, or of PATH")
	return cmd
}

// queryOf selects the alerts whose decisions concern an address, or what is in a range.
func queryOf(text string) (localapiclient.AlertQuery, error) {
	if _, err := netip.ParseAddr(text); err == nil {
		return localapiclient.AlertQuery{IP: text, IncludeCAPI: true}, nil
	}
	if _, err := netip.ParsePrefix(text); err == nil {
		return localapiclient.AlertQuery{Range: text, Inside: true, IncludeCAPI: true}, nil
	}
	return localapiclient.AlertQuery{}, fmt.Errorf("%s is neither an address nor a range", text)
}

// inquiry asks around.
type inquiry struct {
	session  *session.Session
	client   *localapiclient.Client
	crowdsec string // program
}

func (i *inquiry) story(ctx context.Context, address string, query localapiclient.AlertQuery) (*story, error) {
	found, err := i.client.Alerts(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("unable to list alerts: %w", err)
	}
	told := &story{Address: address, Bans: []ban{}, Earlier: []earlier{}}
	if check, err := i.client.CheckAllowlists(ctx, address); err == nil && check.Allowlisted {
		told.Allowlisted = check.Reason
	}
	for _, alert := range found {
		if !inForce(alert) {
			if len(told.Earlier) < furtherAlerts {
				told.Earlier = append(told.Earlier, earlierOf(alert))
			}
			continue
		}
		whole, err := i.client.Alert(ctx, alert.ID) // lists have no events
		if err != nil {
			return nil, fmt.Errorf("can't find alert with id %d: %w", alert.ID, err)
		}
		told.Bans = append(told.Bans, i.ban(ctx, whole))
	}
	if len(told.Bans) > 0 {
		told.Undo = undo(address, told.Bans)
	}
	return told, nil
}

// inForce reports whether a decision of an alert is still in force.
func inForce(alert wire.Alert) bool { return len(active(alert.Decisions)) > 0 }

func (i *inquiry) ban(ctx context.Context, alert wire.Alert) ban {
	b := banOf(alert)
	for at := range b.Decisions {
		b.Decisions[at].Components, b.Decisions[at].Unknown = i.components(ctx, b.Decisions[at].ID)
	}
	if len(alert.Events) == 0 {
		return b // made by hand, or by a list
	}
	b.Profile = i.profile(ctx, alert)
	lines, note := i.lines(alert)
	b.Lines = lines
	if note == "" {
		b.Parsers, note = i.explain(ctx, alert, lines)
	}
	b.LinesNote = note
	return b
}
