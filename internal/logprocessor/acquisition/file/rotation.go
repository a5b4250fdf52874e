package file

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// generation is a file that looks like a rotated one: its name is that of the log with a number (the higher
// the older) or a date (the later the newer) put in.
type generation struct {
	name     string
	identity identity // of the file, where the name was found in a folder
	style    string   // the name without number or date; only names of one style have an order
	number   int      // -1 for dates
	date     string
}

var (
	rotationMark   = regexp.MustCompile(`^([.\-_])(\d[0-9T:._\-]*)$`)
	rotationSuffix = regexp.MustCompile(`[.\-_]\d[0-9T:._\-]*$`)
)

// maxRotations is the largest number that is taken for a count of rotations and not for a date.
const maxRotations = 99_999

// generationOf reads the name of a rotated file of the log called base: base.1, base-20260131,
// stem-2026-01-31.ext and the like.
func generationOf(base, name string) (generation, bool) {
	extension := filepath.Ext(base)
	stem := strings.TrimSuffix(base, extension)
	if mark, ok := strings.CutPrefix(name, base); ok {
		return newGeneration(name, "after", mark)
	}
	rest, ok := strings.CutPrefix(name, stem)
	if !ok || extension == "" {
		return generation{}, false
	}
	mark, ok := strings.CutSuffix(rest, extension)
	if !ok {
		return generation{}, false
	}
	return newGeneration(name, "within", mark)
}

func newGeneration(name, where, mark string) (generation, bool) {
	parts := rotationMark.FindStringSubmatch(mark)
	if parts == nil {
		return generation{}, false
	}
	if number, err := strconv.Atoi(parts[2]); err == nil && number <= maxRotations {
		return generation{name: name, style: where + parts[1] + "number", number: number}, true
	}
	return generation{name: name, style: where + parts[1] + "date", number: -1, date: parts[2]}, true
}

// next returns the generation that was rotated right after g; false when g is the newest. A number must
// follow without a gap, because other logs may be numbered too.
func (g generation) next(all []generation) (generation, bool) {
	newer := slices.DeleteFunc(slices.Clone(all), func(other generation) bool {
		if other.style != g.style {
			return true
		}
		if g.number >= 0 {
			return other.number != g.number-1
		}
		return other.date <= g.date
	})
	if len(newer) == 0 {
		return generation{}, false
	}
	return slices.MinFunc(newer, func(a, b generation) int { return cmp.Compare(a.date, b.date) }), true
}

// behindGap reports whether a newer number exists although the next one does not: a rotation has renamed g
// and is about to rename what comes after it, or somebody removed that.
func (g generation) behindGap(all []generation) bool {
	return slices.ContainsFunc(all, func(other generation) bool {
		return other.style == g.style && other.number >= 0 && other.number < g.number
	})
}

// family is the files of one log at one moment.
type family struct {
	path    string // of the log
	current identity
	exists  bool // whether there is a file at path
	rotated []generation
}

var errUnsettled = errors.New("log files are being renamed")

// maxLooks bounds how often a folder is read until two looks show the same.
const maxLooks = 50

// readFamily looks at the files of a log until they hold still: a file that is renamed while a folder is
// read may be seen under both names or under none.
func readFamily(path string) (family, error) {
	last, err := glance(path)
	for range maxLooks {
		if err != nil {
			return family{}, err
		}
		var now family
		if now, err = glance(path); err == nil && now.equal(last) {
			return now, nil
		}
		last = now
	}
	return family{}, errors.Join(err, errUnsettled)
}

// glance reads the folder of a log once.
func glance(path string) (family, error) {
	f := family{path: path}
	names, err := folderNames(filepath.Dir(path))
	if err != nil {
		return f, err
	}
	slices.Sort(names)
	for _, name := range names {
		g, ok := generationOf(filepath.Base(path), name)
		if !ok {
			continue
		}
		if info, err := os.Lstat(filepath.Join(filepath.Dir(path), name)); err == nil {
			g.identity = identityOf(info)
			f.rotated = append(f.rotated, g)
		}
	}
	info, err := os.Stat(path)
	if err == nil {
		f.current, f.exists = identityOf(info), true
	}
	return f, ignoreMissing(err)
}

func folderNames(path string) ([]string, error) {
	folder, err := os.Open(path) //nolint:gosec // the folder of a configured file
	if err != nil {
		return nil, ignoreMissing(err)
	}
	names, err := folder.Readdirnames(-1)
	return names, errors.Join(err, folder.Close())
}

func (f family) equal(other family) bool {
	return f.current == other.current && f.exists == other.exists && slices.Equal(f.rotated, other.rotated)
}

// find returns the path of the file with an identity.
func (f family) find(id identity) (string, bool) {
	if f.exists && f.current == id {
		return f.path, true
	}
	for _, g := range f.rotated {
		if g.identity == id {
			return f.pathOf(g), true
		}
	}
	return "", false
}

// after returns the path and identity of the file to read after the one with an identity: the next newer
// rotated file, or what is at the path of the log now; false when there is none yet, or none that can be told.
func (f family) after(id identity) (string, identity, bool) {
	for _, g := range f.rotated {
		if g.identity != id {
			continue
		}
		if newer, ok := g.next(f.rotated); ok {
			return f.pathOf(newer), newer.identity, true
		}
		if g.behindGap(f.rotated) {
			return "", identity{}, false
		}
	}
	return f.path, f.current, f.exists && f.current != id
}

func (f family) pathOf(g generation) string { return filepath.Join(filepath.Dir(f.path), g.name) }

// openSuccessor opens the file to read after the one with an identity; nil when there is none, or none that
// holds still, now.
func openSuccessor(path string, id identity) (*os.File, error) {
	for range maxLooks {
		f, err := readFamily(path)
		if errors.Is(err, errUnsettled) {
			return nil, nil //nolint:nilnil // stands for "not now"
		}
		if err != nil {
			return nil, err
		}
		next, nextID, ok := f.after(id)
		if !ok {
			return nil, nil //nolint:nilnil // stands for "not now"
		}
		if file, err := openAs(next, nextID); err != nil || file != nil {
			return file, err
		}
	}
	return nil, nil //nolint:nilnil // stands for "not now"
}

// openAt opens the file that a place was taken in, whether it is still at path or was rotated since; nil
// when it is gone.
func openAt(path string, p place) (*os.File, error) {
	for range maxLooks {
		f, err := readFamily(path)
		if err != nil {
			return nil, err
		}
		name, ok := f.find(p.identity)
		if !ok {
			return nil, nil //nolint:nilnil // stands for "gone"
		}
		file, err := openAs(name, p.identity)
		if err != nil {
			return nil, err
		}
		if file == nil {
			continue
		}
		if same, err := p.isIn(file); err == nil && same {
			return file, nil
		}
		return nil, file.Close()
	}
	return nil, errUnsettled
}

// openAs opens a file if it has an identity; nil when something else is there by now, or nothing.
func openAs(path string, id identity) (*os.File, error) {
	file, err := os.Open(path) //nolint:gosec // a configured file, or one rotated from it
	if err != nil {
		return nil, ignoreMissing(err)
	}
	info, err := file.Stat()
	if err == nil && identityOf(info) == id {
		return file, nil
	}
	return nil, errors.Join(err, file.Close())
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
