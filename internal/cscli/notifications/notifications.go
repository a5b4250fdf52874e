// Package notifications holds the commands on who is told of alerts: the configurations in notification_dir, and the
// profiles that use them.
//
// It reads configurations and shows them. Nothing is sent here: this version of the engine sends no notifications, and
// the commands that would say so.
package notifications

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
)

// New returns the group "notifications".
func New(runner *session.Runner) *cobra.Command {
	return session.Group(
		&cobra.Command{
			Use:     "notifications [action]",
			Aliases: []string{"notification"},
			Short:   "Helper for notification plugin configuration",
			Long:    "Show the configurations of notifications, and which profiles use them.",
			Example: "cscli notifications list\ncscli notifications inspect slack_default",
		},
		newList(runner), newInspect(runner), newTest(runner), newReinject(runner),
	)
}

// errNotSent is why some commands only check what they are given.
var errNotSent = errors.New("this version does not send notifications")

// names lists all configurations, for completion.
func names(_ context.Context, s *session.Session) ([]string, error) {
	all, err := load(s)
	list := make([]string, len(all))
	for i := range all {
		list[i] = all[i].Name
	}
	return list, err
}

func newTest(runner *session.Runner) *cobra.Command {
	alert := ""
	cmd := &cobra.Command{
		Use:               "test [plugin name]",
		Short:             "Send a generic test alert to a notification plugin",
		Long:              "Check that a notification is configured and used by a profile. Sending is not part of this version.",
		Example:           "cscli notifications test slack_default",
		Args:              session.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: runner.Complete(names),
		RunE: runner.Run(func(_ context.Context, s *session.Session, args []string) error {
			all, err := load(s)
			if err != nil {
				return err
			}
			n, ok := find(all, args[0])
			switch {
			case !ok:
				return fmt.Errorf("plugin name: '%s' does not exist", args[0])
			case len(n.Profiles) == 0:
				return fmt.Errorf("plugin '%s' does not exist or is not active", args[0])
			}
			return errNotSent
		}),
	}
	cmd.Flags().StringVarP(&alert, "alert", "a", "", "JSON or YAML that replaces parts of the test alert")
	return cmd
}

func newReinject(runner *session.Runner) *cobra.Command {
	override := ""
	cmd := &cobra.Command{
		Use:     "reinject",
		Short:   "Reinject an alert into profiles to trigger notifications",
		Long:    "Check that an alert is known. Sending is not part of this version.",
		Example: "cscli notifications reinject 1",
		Args:    session.Args(cobra.ExactArgs(1)),
		RunE: runner.Run(func(ctx context.Context, s *session.Session, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return fmt.Errorf("bad alert id %s", args[0])
			}
			client, err := s.ConfiguredClient()
			if err != nil {
				return err
			}
			if _, err := client.Alert(ctx, id); err != nil {
				return fmt.Errorf("can't find alert with id %s: %w", args[0], err)
			}
			return errNotSent
		}),
	}
	cmd.Flags().StringVarP(&override, "alert", "a", "", "JSON or YAML that replaces parts of the alert")
	return cmd
}
