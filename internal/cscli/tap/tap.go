// Package tap holds the command that shows what the log processor of this machine does with each line, while it does it.
//
// It owns how an event looks to a person. What is shown, and to whom, is the log processor's: see package
// internal/logprocessor/tap.
package tap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/logprocessor/tap"
)

// New returns the command "tap".
func New(runner *session.Runner) *cobra.Command {
	var request tap.Request
	cmd := &cobra.Command{
		Use:   "tap",
		Short: "Watch what the log processor does with each line, while it does it",
		Long: "Show lines as they are parsed, or are not, the scenarios that they concern, and the overflows of their buckets.\n" +
			"It ends with Ctrl-C, and changes nothing: the log processor does not wait for it, and says how many events it left out.\n" +
			"A filter sees evt as the filters of scenarios do. It cannot ask the network or stashes.",
		Example: "cscli tap\ncscli tap --stage unparsed -n 10\ncscli tap --filter \"evt.Meta.source_ip == '192.0.2.7'\" -o json",
		Args:    session.Args(cobra.NoArgs),
		RunE: runner.Run(func(ctx context.Context, s *session.Session, _ []string) error {
			if s.Output == session.Raw {
				return s.Unsupported()
			}
			return watch(ctx, s, request)
		}),
	}
	cmd.Flags().StringVar((*string)(&request.Stage), "stage", string(tap.All), "what to show: all, parsed, unparsed, matched or overflow")
	cmd.Flags().StringVar(&request.Filter, "filter", "", "show only events for which this expression over evt holds")
	cmd.Flags().IntVarP(&request.Limit, "limit", "n", 0, "end after so many events, 0 for no end")
	return cmd
}

func watch(ctx context.Context, s *session.Session, request tap.Request) error {
	path := filepath.Join(s.Config.Paths.DataDir, tap.SocketName)
	view, err := tap.Watch(ctx, path, request)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return advise(err, path)
	}
	defer view.Close()
	s.Info(ctx, "watching, Ctrl-C ends")
	for shown := 0; request.Limit == 0 || shown < request.Limit; shown++ {
		event, err := view.Next()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, io.EOF):
			return errors.New("the log processor has ended, or this view did not keep up: try again")
		case err != nil:
			return fmt.Errorf("reading events: %w", err)
		}
		if err := show(s, event); err != nil {
			return err
		}
	}
	return nil
}

func show(s *session.Session, event tap.Event) error {
	if s.Output != session.JSON {
		return s.Print(paragraph(event, s.Fancy))
	}
	line, err := json.Marshal(event)
	if err != nil {
		return fmt.Errorf("encoding an event: %w", err)
	}
	return s.Print(string(line) + "\n")
}

// advise says what to do about a view that does not begin.
func advise(err error, path string) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no log processor is running here (nobody listens on %s): start it, 'sudo systemctl start crowdsec'", path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("only root, or the user of crowdsec, may watch: try again with sudo (%w)", err)
	}
	return err
}
