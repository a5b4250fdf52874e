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
	name   string
	style  string // the name without number or date; only names of one style have an order
	number int    // -1 for dates
	date   string
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

// generations returns the rotated files beside path.
func generations(path string) ([]generation, error) {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	names, err := folder.Readdirnames(-1)
	if err := errors.Join(err, folder.Close()); err != nil {
		return nil, err
	}
	base := filepath.Base(path)
	var found []generation
	for _, name := range names {
		if g, ok := generationOf(base, name); ok {
			found = append(found, g)
		}
	}
	return found, nil
}

// successor names the file to read after the one with an identity, when that is not at path any more: the
// next newer rotated file, or what is at path now. A nil result says that there is none yet.
func successor(path string, after identity) (*candidate, error) {
	all, err := generations(path)
	if err != nil {
		return nil, ignoreMissing(err)
	}
	folder := filepath.Dir(path)
	for _, g := range all {
		if info, err := os.Lstat(filepath.Join(folder, g.name)); err != nil || identityOf(info) != after {
			continue
		}
		if newer, ok := g.next(all); ok {
			return newCandidate(filepath.Join(folder, newer.name))
		}
	}
	return newCandidate(path)
}

// candidate is a name and what was found there.
type candidate struct {
	path string
	identity
}

func newCandidate(path string) (*candidate, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, ignoreMissing(err)
	}
	return &candidate{path, identityOf(info)}, nil
}

// maxRenames bounds how often names are looked up again because they changed meanwhile.
const maxRenames = 10

// openSuccessor opens the file to read after the one with an identity. Names that change while they are
// looked up are looked up again. A nil result says that there is none, or no stable one, now.
func openSuccessor(path string, after identity) (*os.File, error) {
	for range maxRenames {
		next, err := successor(path, after)
		if err != nil || next == nil || next.identity == after {
			return nil, err
		}
		file, err := next.open()
		if err != nil {
			return nil, err
		}
		if file == nil {
			continue
		}
		again, err := successor(path, after)
		if err == nil && again != nil && again.identity == next.identity {
			return file, nil
		}
		if err := errors.Join(err, file.Close()); err != nil {
			return nil, err
		}
	}
	return nil, nil //nolint:nilnil // stands for "not now"
}

// open returns nil when something else is there by now.
func (c *candidate) open() (*os.File, error) {
	file, err := os.Open(c.path)
	if err != nil {
		return nil, ignoreMissing(err)
	}
	info, err := file.Stat()
	if err == nil && identityOf(info) == c.identity {
		return file, nil
	}
	return nil, errors.Join(err, file.Close())
}

// openAt opens the file that a place was taken in, whether it is still at path or was rotated since. A nil
// result says that it is gone.
func openAt(path string, p place) (*os.File, error) {
	all, err := generations(path)
	if err != nil {
		return nil, ignoreMissing(err)
	}
	names := []string{path}
	for _, g := range all {
		names = append(names, filepath.Join(filepath.Dir(path), g.name))
	}
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil || identityOf(info) != p.identity {
			continue
		}
		file, err := (&candidate{name, p.identity}).open()
		if err != nil || file == nil {
			return nil, err
		}
		if same, err := p.isIn(file); err == nil && same {
			return file, nil
		}
		return nil, file.Close()
	}
	return nil, nil //nolint:nilnil // stands for "gone"
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
