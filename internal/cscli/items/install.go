package items

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/hub"
	"shieldwall/internal/hub/plan"
)

func (g group) newInstall() *cobra.Command {
	var work Work
	var o plan.Options
	cmd := &cobra.Command{
		Use:   "install [item]...",
		Short: "Install given " + g.kind.Singular() + "(s)",
		Long:  "Download and enable items, with everything that they consist of. What comes with this program needs no network.",
		Example: g.examples("install ITEM OTHER", "install ITEM --dry-run", "install ITEM --download-only",
			"install ITEM --force"),
		Args:              session.Args(cobra.MinimumNArgs(1)),
		ValidArgsFunction: g.complete((*hub.Holdings).All),
		RunE: g.run(func(ctx context.Context, s *session.Session, holdings *hub.Holdings, args []string) error {
			o.Force = work.Force
			found, err := g.wanted(ctx, s, holdings, args, work.GoOn)
			if err != nil {
				return err
			}
			return work.Do(ctx, s, holdings, plan.Install(holdings, found, o))
		}),
	}
	set := cmd.Flags()
	set.BoolVarP(&work.Interactive, "interactive", "i", false, "ask for confirmation before proceeding")
	set.BoolVar(&work.DryRun, "dry-run", false, "don't install or remove anything; print the execution plan")
	set.BoolVarP(&o.DownloadOnly, "download-only", "d", false, "only download packages, don't enable")
	set.BoolVar(&work.Force, "force", false, "force install: overwrite tainted and outdated files")
	set.BoolVar(&work.GoOn, "ignore", false, "ignore errors when installing multiple "+string(g.kind))
	cmd.MarkFlagsMutuallyExclusive("interactive", "dry-run")
	return cmd
}

// wanted returns the items to install. One that nobody knows is an error, or with goOn only told.
func (g group) wanted(ctx context.Context, s *session.Session, holdings *hub.Holdings, args []string, goOn bool) ([]*hub.Holding, error) {
	var found []*hub.Holding
	for _, name := range args {
		items, err := g.find(holdings, []string{name})
		if err == nil {
			found = append(found, items...)
			continue
		}
		err = g.unknown(s, holdings, name, err)
		if !goOn {
			return nil, err
		}
		s.Error(ctx, "%s", err)
	}
	return found, nil
}

// maxDistance is how different a name may be that is suggested.
const maxDistance = 7

// unknown says what may have been meant, or what is missing.
func (g group) unknown(s *session.Session, holdings *hub.Holdings, name string, err error) error {
	best, distance := "", maxDistance
	for _, item := range holdings.All(g.kind) {
		if d := levenshtein(name, item.Name); d < distance {
			best, distance = item.Name, d
		}
	}
	if best != "" {
		return fmt.Errorf("%w, did you mean '%s'?", err, best)
	}
	if _, missing := os.Stat(s.Config.Paths.IndexPath); errors.Is(missing, fs.ErrNotExist) {
		return fmt.Errorf("%w, which has what comes with this program only: run 'sudo cscli hub update' to download the index of the hub", err)
	}
	return err
}

// levenshtein is how many characters have to be changed, added or removed to make one text of the other.
func levenshtein(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
