package installer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/hub"
	"shieldwall/internal/hub/plan"
	"shieldwall/internal/hub/source"
	"shieldwall/internal/platform/atomicfile"
)

// Source is where a hub comes from.
type Source interface {
	Index(ctx context.Context, digest string) ([]byte, error)
	Item(ctx context.Context, path string) ([]byte, error)
	Data(ctx context.Context, file source.File, held source.Held, save func(source.Body) error) error
	String() string // names it in messages
}

// Files and folders are for everybody to read, as published: rules are no secret.
const (
	fileMode   = 0o644
	folderMode = 0o755
)

// Config says where things are, and who wants to know what happens.
type Config struct {
	Paths    hub.Paths
	Source   Source            // of everything that does not come with this program
	Tell     func(line string) // called before something is done, with the published words for it
	Progress func(done int64)  // bytes of one data file so far; nil: nobody wants to know
	Log      *slog.Logger
	Force    bool // data files are fetched whatever there is
	GoOn     bool // what fails is logged, and the rest is done
}

// Installer carries out plans, one at a time.
type Installer struct {
	Config

	seen    map[string]bool // data files that were looked after, by path below the data folder
	written int             // data files that were replaced
	failed  map[*hub.Holding]bool
}

// New returns an Installer.
func New(config Config) *Installer {
	return &Installer{Config: config, seen: map[string]bool{}, failed: map[*hub.Holding]bool{}}
}

// Apply carries out the steps of a plan and reports whether anything changed, also when it stops with an error.
func (in *Installer) Apply(ctx context.Context, p plan.Plan, holdings *hub.Holdings) (changed bool, err error) {
	for _, step := range p.Steps {
		did, err := in.step(ctx, step, holdings)
		changed = changed || did
		if err == nil {
			continue
		}
		if !in.GoOn || ctx.Err() != nil {
			return changed, err
		}
		in.failed[step.Item] = true
		in.Log.ErrorContext(ctx, "an item could not be installed, going on", "error", err)
	}
	return changed, nil
}

func (in *Installer) step(ctx context.Context, step plan.Step, holdings *hub.Holdings) (bool, error) {
	if in.failed[step.Item] {
		return false, nil
	}
	switch step.Operation {
	case plan.Download:
		return in.download(ctx, step.Item)
	case plan.Enable:
		return in.enable(ctx, step.Item)
	case plan.Disable:
		return in.disable(step.Item)
	case plan.Purge:
		in.Tell("purging " + step.Item.String())
		return true, remove(in.stored(step.Item))
	case plan.Refresh:
		return in.refresh(ctx, holdings)
	}
	return false, nil
}

// stored is where the file of an item is downloaded to.
func (in *Installer) stored(item *hub.Holding) string {
	return filepath.Join(in.Paths.HubDir, item.Offer.Path)
}

// place returns where the link to an installed item goes. Where the file of another author's item has the same name, the
// author comes before it.
func (in *Installer) place(item *hub.Holding, target string) (string, error) {
	folder := filepath.Join(in.Paths.ConfigDir, string(item.Kind), item.Stage)
	link := filepath.Join(folder, item.FileName())
	if in.ofAnother(link, target) {
		author := filepath.Base(filepath.Dir(item.Offer.Path))
		link = filepath.Join(folder, author+"_"+item.FileName())
	}
	return link, in.free(link, target)
}

// ofAnother reports whether link leads to another item that is there.
func (in *Installer) ofAnother(link, target string) bool {
	old, err := os.Readlink(link)
	if err != nil || old == target || !strings.HasPrefix(old, in.Paths.HubDir+string(filepath.Separator)) {
		return false
	}
	_, err = os.Stat(old)
	return err == nil
}

// download fetches the latest version. What comes with another digest than the index says is not taken: an older file
// stays, with a warning.
func (in *Installer) download(ctx context.Context, item *hub.Holding) (bool, error) {
	in.Tell("downloading " + item.String())
	text, err := Text(ctx, item.Offer, in.Source)
	if fault.Is(err, fault.Invalid) && item.Downloaded {
		in.Log.WarnContext(ctx, "what the hub sends is not what its index says, keeping what is here", "item", item.String(), "error", err)
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("downloading %s: %w", item, err)
	}
	if err := in.data(ctx, item, text); err != nil {
		return false, err
	}
	return true, save(in.stored(item), text)
}

// Text returns the file of the latest version of an item: from the index, or else from its source. One that has not the
// digest of the index is of kind fault.Invalid.
func Text(ctx context.Context, offer *hub.Offer, from Source) ([]byte, error) {
	text, err := offer.Content()
	if err != nil {
		return nil, err
	}
	if text == nil {
		if offer.BuiltIn {
			from = source.BuiltIn{}
		}
		if text, err = from.Item(ctx, offer.Path); err != nil {
			return nil, err
		}
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != offer.Digest() {
		return nil, fault.Errorf(fault.Invalid, "digest %s, the index has %s for version %s", hex.EncodeToString(sum[:]), offer.Digest(), offer.Version)
	}
	return text, nil
}

func (in *Installer) enable(ctx context.Context, item *hub.Holding) (bool, error) {
	in.Tell("enabling " + item.String())
	target := in.stored(item)
	text, err := os.ReadFile(target) //nolint:gosec // below the hub folder
	if err != nil {
		return false, fmt.Errorf("enabling %s: %w", item, err)
	}
	if err := in.data(ctx, item, text); err != nil {
		return false, err
	}
	link, err := in.place(item, target)
	if err != nil {
		return false, fmt.Errorf("enabling %s: %w", item, err)
	}
	if err := os.MkdirAll(filepath.Dir(link), folderMode); err != nil {
		return false, fmt.Errorf("enabling %s: %w", item, err)
	}
	if err := os.Symlink(target, link); err != nil {
		return false, fmt.Errorf("enabling %s: %w", item, err)
	}
	return true, atomicfile.SyncDir(filepath.Dir(link))
}

// free makes room for a link. Only one that leads nowhere, or to the same file already, makes way.
func (in *Installer) free(link, target string) error {
	if _, err := os.Lstat(link); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	old, err := os.Readlink(link)
	if err != nil {
		return fault.Errorf(fault.Exists, "%s is a file of your own: move it away first", link)
	}
	if _, err := os.Stat(link); err == nil && old != target {
		return fault.Errorf(fault.Exists, "%s is in its place: it leads to %s", link, old)
	}
	return remove(link)
}

func (in *Installer) disable(item *hub.Holding) (bool, error) {
	in.Tell("disabling " + item.String())
	info, err := os.Lstat(item.LocalPath)
	if err == nil && info.Mode()&fs.ModeSymlink == 0 {
		return false, fault.Errorf(fault.Invalid, "%s is no link: please delete it manually", item.LocalPath)
	}
	return true, remove(item.LocalPath)
}

// remove is content with what is not there any more.
func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func save(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), folderMode); err != nil {
		return fmt.Errorf("saving: %w", err)
	}
	return atomicfile.Write(path, text, fileMode)
}

// Update brings the index up to date and reports whether it has changed. One that cannot be used does not replace the old
// one.
func (in *Installer) Update(ctx context.Context) (bool, error) {
	digest, err := digestOf(in.Paths.IndexPath)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("reading hub index: %w", err)
	}
	text, err := in.Source.Index(ctx, digest)
	if err != nil {
		return false, fmt.Errorf("downloading the hub index: %w", err)
	}
	if sum := sha256.Sum256(text); text == nil || hex.EncodeToString(sum[:]) == digest {
		return false, nil
	}
	if _, err := hub.DecodeCatalog(text); err != nil {
		return false, fmt.Errorf("the hub index of %s cannot be used: %w", in.Source, err)
	}
	in.Tell("Downloading " + in.Paths.IndexPath)
	return true, save(in.Paths.IndexPath, text)
}
