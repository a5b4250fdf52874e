// Package alerts holds the commands on alerts: they ask the Local API over HTTP, as the machine whose
// credentials are configured.
package alerts

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
)

// New returns the group "alerts".
func New(runner *session.Runner) *cobra.Command {
	return session.Group(
		&cobra.Command{
			Use:     "alerts [action]",
			Aliases: []string{"alert"},
			Short:   "Manage alerts",
			Long:    "List, inspect, delete and flush the alerts that the Local API keeps.",
		},
		newList(runner), newInspect(runner), newDelete(runner), newFlush(runner),
	)
}

func parseID(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("bad alert id %s", text)
	}
	return id, nil
}
