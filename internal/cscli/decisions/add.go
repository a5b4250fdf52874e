package decisions

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/filter"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/wire"
)

const origin = "cscli"

type addOptions struct {
	ip, ipRange, value string
	scope              string
	duration           string
	reason             string
	kind               string // type of the decision
	bypassAllowlist    bool
}

func newAdd(runner *session.Runner) *cobra.Command {
	var options addOptions
	cmd := &cobra.Command{
		Use:   "add [options]",
		Short: "Add decision to LAPI",
		Example: "cscli decisions add --ip 1.2.3.4\ncscli decisions add --range 1.2.3.0/24\n" +
			"cscli decisions add --ip 1.2.3.4 --duration 24h --type captcha\ncscli decisions add --scope username --value foobar",
		Args: session.Args(cobra.NoArgs),
		RunE: runner.Run(func(ctx context.Context, s *session.Session, _ []string) error { return add(ctx, s, options) }),
	}
	set := cmd.Flags()
	set.StringVarP(&options.ip, "ip", "i", "", "source ip (shorthand for --scope ip --value <IP>)")
	set.StringVarP(&options.ipRange, "range", "r", "", "range (shorthand for --scope range --value <RANGE>)")
	set.StringVarP(&options.duration, "duration", "d", "4h", "how long the decision lasts (24h, 4h, 30m, 7d)")
	set.StringVarP(&options.value, "value", "v", "", "the value that the decision is about")
	set.StringVar(&options.scope, "scope", string(domain.ScopeIP), "the scope of the value: ip, range, username, …")
	set.StringVarP(&options.reason, "reason", "R", "", "why (default: manual '<type>' from '<login>')")
	set.StringVarP(&options.kind, "type", "t", "ban", "the type of the decision: ban, captcha, throttle")
	set.BoolVarP(&options.bypassAllowlist, "bypass-allowlist", "B", false, "add the decision even if the value is on an allowlist")
	return cmd
}

func add(ctx context.Context, s *session.Session, options addOptions) error {
	scope, value, err := options.target()
	if err != nil {
		return err
	}
	creds, err := s.Credentials()
	if err != nil {
		return err
	}
	client, err := s.Client(creds, nil)
	if err != nil {
		return err
	}
	if scope.IsAddress() && !options.bypassAllowlist {
		if err := refuseAllowlisted(ctx, s, client, value); err != nil {
			return err
		}
	}
	reason := cmp.Or(options.reason, fmt.Sprintf("manual '%s' from '%s'", options.kind, creds.Login))
	if _, err := client.PushAlerts(ctx, []wire.Alert{newAlert(s.Now(), scope, value, reason, options)}); err != nil {
		return err
	}
	s.Info(ctx, "Decision successfully added")
	return nil
}

// target says what the decision is about: an address before a range before anything else.
func (o addOptions) target() (domain.Scope, string, error) {
	if err := errors.Join(filter.CheckIP(o.ip), filter.CheckRange(o.ipRange)); err != nil {
		return "", "", err
	}
	switch {
	case o.ip != "":
		return domain.ScopeIP, o.ip, nil
	case o.ipRange != "":
		return domain.ScopeRange, o.ipRange, nil
	case o.value != "":
		return domain.NormalizeScope(o.scope), o.value, nil
	}
	return "", "", errors.New("missing arguments, a value is required (--ip, --range or --scope and --value)")
}

type allowlists interface {
	CheckAllowlists(ctx context.Context, value string) (wire.AllowlistCheck, error)
}

// refuseAllowlisted returns an error if the value is on an allowlist. Not to know is not a reason to refuse.
func refuseAllowlisted(ctx context.Context, s *session.Session, api allowlists, value string) error {
	check, err := api.CheckAllowlists(ctx, value)
	switch {
	case fault.Is(err, fault.NotFound):
		s.Log.DebugContext(ctx, "the local api has no allowlists", "value", value)
	case err != nil:
		s.Error(ctx, "Cannot check if %s is in allowlist: %s", value, err)
	case check.Allowlisted:
		return fmt.Errorf("%s is allowlisted by item %s, use --bypass-allowlist to add the decision anyway", value, check.Reason)
	}
	return nil
}

// newAlert returns the alert that carries a manual decision.
func newAlert(now time.Time, scope domain.Scope, value, reason string, options addOptions) wire.Alert {
	at := now.UTC().Format(time.RFC3339)
	return wire.Alert{
		CreatedAt: at,
		Decisions: []wire.Decision{{
			Duration: options.duration,
			Origin:   origin,
			Scenario: reason,
			Scope:    string(scope),
			Type:     options.kind,
			Value:    value,
		}},
		Events:      []wire.Event{},
		EventsCount: 1,
		Kind:        origin,
		Leakspeed:   "0",
		Message:     reason,
		Remediation: true,
		Scenario:    reason,
		Source:      &wire.Source{IP: value, Scope: string(scope), Value: value},
		StartAt:     at,
		StopAt:      at,
	}
}
