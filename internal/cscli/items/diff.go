package items

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/rogpeppe/go-internal/diff"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/hub"
	"shieldwall/internal/hub/installer"
)

// differ shows how items differ from what the hub has.
type differ struct {
	session  *session.Session
	holdings *hub.Holdings
	remote   *lazy
	reverse  bool
	seen     map[*hub.Holding]bool
}

func printDiffs(ctx context.Context, s *session.Session, holdings *hub.Holdings, list []*hub.Holding, reverse bool) (err error) {
	d := differ{s, holdings, lazily(s), reverse, map[*hub.Holding]bool{}}
	defer func() { err = errors.Join(err, d.remote.close()) }()
	for _, item := range list {
		if err := d.print(ctx, item); err != nil {
			return err
		}
	}
	return nil
}

// print shows the difference of the file and, of a collection, of the changed items in it.
func (d *differ) print(ctx context.Context, item *hub.Holding) error {
	if d.seen[item] {
		return nil
	}
	d.seen[item] = true
	if err := d.file(ctx, item); err != nil {
		return err
	}
	for _, need := range item.Needs {
		if part := d.holdings.Find(need); part != nil && part.Installed && !part.Local && !part.UpToDate {
			if err := d.print(ctx, part); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *differ) file(ctx context.Context, item *hub.Holding) error {
	switch {
	case item.Local:
		return d.session.Printf("# %s is a local item, the hub has nothing to compare it with\n", item)
	case !item.Installed:
		return fmt.Errorf("'%s' is not installed", item.Name)
	}
	own, err := os.ReadFile(item.LocalPath)
	if err != nil {
		return fmt.Errorf("reading %s: %w", item, err)
	}
	latest, err := installer.Text(ctx, item.Offer, d.remote)
	if err != nil {
		return fmt.Errorf("reading %s of the hub: %w", item, err)
	}
	if bytes.Equal(own, latest) {
		return nil
	}
	hubName := fmt.Sprintf("hub/%s (%s)", item.Offer.Path, item.Offer.Version)
	if d.reverse {
		return d.session.Print(string(diff.Diff(hubName, latest, item.LocalPath, own)))
	}
	return d.session.Print(string(diff.Diff(item.LocalPath, own, hubName, latest)))
}
