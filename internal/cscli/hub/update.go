package hub

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/items"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/hub"
	"shieldwall/internal/hub/installer"
)

func newUpdate(runner *session.Runner) *cobra.Command {
	var withContent bool
	cmd := &cobra.Command{
		Use:   "update",
		Short: "Download the latest index (catalog of available configurations)",
		Long: "Fetch the index of the hub if it has changed. No item is touched. When nobody has configured a hub and the public one\n" +
			"cannot be reached, that is a warning: what comes with this program can be installed all the same.",
		Example: "cscli hub update\ncscli hub update --with-content",
		Args:    session.Args(cobra.NoArgs),
		RunE: runner.Run(func(ctx context.Context, s *session.Session, _ []string) error {
			return update(ctx, s, withContent || s.Config.CSCLI.HubWithContent)
		}),
	}
	cmd.Flags().BoolVar(&withContent, "with-content", false, "Download index with embedded item content")
	return cmd
}

func update(ctx context.Context, s *session.Session, withContent bool) (err error) {
	remote, closeRemote, err := items.Remote(s, withContent)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeRemote()) }()
	changed, err := installer.New(installer.Config{
		Paths: items.Paths(s), Source: remote, Log: s.Log, Tell: func(line string) { _ = s.Print(line + "\n") },
	}).Update(ctx)
	switch {
	case fault.Is(err, fault.Unavailable) && items.OnlyDefault(s) && ctx.Err() == nil:
		s.Warn(ctx, "the public hub cannot be reached (%s): what comes with this program can be installed all the same", err)
		return nil
	case err != nil || changed:
		return err
	case s.Log.Enabled(ctx, slog.LevelInfo):
		return s.Printf("Downloading %s\nNothing to do, the hub index is up to date.\n", s.Config.Paths.IndexPath)
	}
	return nil
}

func newMirror(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:   "mirror <folder>",
		Short: "Copy the hub to a folder for machines without internet",
		Long: "Copy the index, all items and their data files to a folder that any web server can serve, or that is copied as it is.\n" +
			"What is there already and has not changed stays. See docs/manual/hub.md for how machines use it.",
		Example: "cscli hub mirror /srv/www/hub",
		Args:    session.Args(cobra.ExactArgs(1)),
		RunE: runner.Run(func(ctx context.Context, s *session.Session, args []string) error {
			return mirror(ctx, s, args[0])
		}),
	}
}

func mirror(ctx context.Context, s *session.Session, dir string) (err error) {
	remote, closeRemote, err := items.Remote(s, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeRemote()) }()
	catalog, err := offered(ctx, remote)
	if err != nil {
		return err
	}
	files := 0
	progress := items.Progress(s)
	err = installer.Mirror(ctx, installer.MirrorConfig{
		Catalog: catalog, Source: remote, Dir: filepath.Join(dir, items.Branch(s)), Progress: progress,
		Tell: func(line string) {
			files++
			s.Log.DebugContext(ctx, line) //nolint:sloglint // what is done, in published words
		},
	})
	progress(0, 0)
	if err != nil {
		return err
	}
	return s.Printf("%d files downloaded. Machines use this mirror with\n\n cscli:\n   __hub_url_template__: http://THIS-SERVER/%%s/%%s\n", files)
}

// offered returns what the source and this program offer, whatever the index of the installation says.
func offered(ctx context.Context, remote installer.Source) (*hub.Catalog, error) {
	ours, err := hub.BuiltIn()
	if err != nil {
		return nil, err
	}
	text, err := remote.Index(ctx, "")
	if err != nil || text == nil {
		return ours, err
	}
	catalog, err := hub.DecodeCatalog(text)
	if err != nil {
		return nil, err
	}
	return catalog.Join(ours), nil
}
