package file

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// matches returns the existing paths that the settings select, in the order of the patterns, each once.
// Folders and excluded paths are left out.
func (s *settings) matches() []string {
	var paths []string
	for _, pattern := range s.patterns {
		found, _ := filepath.Glob(pattern) // the pattern was checked before
		for _, path := range found {
			if !slices.Contains(paths, path) && !s.excluded(path) && !isFolder(path) {
				paths = append(paths, path)
			}
		}
	}
	return paths
}

// extents returns how far the files reach that the settings select now.
func (s *settings) extents() map[string]extent {
	found := map[string]extent{}
	for _, path := range s.matches() {
		if info, err := os.Stat(path); err == nil {
			found[path] = extent{identityOf(info), info.Size()}
		}
	}
	return found
}

// selects reports whether path is one that the settings ask for, existing or not.
func (s *settings) selects(path string) bool {
	return !s.excluded(path) && slices.ContainsFunc(s.patterns, func(pattern string) bool {
		return pattern == path || match(pattern, path)
	})
}

// passesOver reports whether a path that a glob selects is not followed for itself: a compressed file, or one
// that a rotation named after a selected file, which is read as part of that. Naming a path exactly overrides
// this.
func (s *settings) passesOver(path string) bool {
	if slices.Contains(s.patterns, path) {
		return false
	}
	if slices.Contains([]string{".gz", ".bz2", ".xz", ".zst", ".lz4", ".Z"}, filepath.Ext(path)) {
		return true
	}
	log := path[:len(path)-len(rotationSuffix.FindString(path))]
	return log != path && s.selects(log) && exists(log)
}

// mayContain reports whether selected paths can lie below path.
func (s *settings) mayContain(path string) bool {
	return slices.ContainsFunc(s.patterns, func(pattern string) bool {
		for level := range ancestors(pattern) {
			if match(level, path) {
				return true
			}
		}
		return false
	})
}

// folders returns the existing folders in which a selected path, or a folder on the way to one, can appear.
func (s *settings) folders() []string {
	var folders []string
	for _, pattern := range s.patterns {
		for level := range ancestors(pattern) {
			found, _ := filepath.Glob(level) // part of a checked pattern
			found = slices.DeleteFunc(found, func(path string) bool { return !isFolder(path) })
			folders = append(folders, found...)
			if len(found) > 0 && !hasMeta(level) {
				break
			}
		}
	}
	slices.Sort(folders)
	return slices.Compact(folders)
}

func (s *settings) excluded(path string) bool {
	for _, expression := range s.exclude {
		if expression.MatchString(path) {
			return true
		}
	}
	return false
}

// ancestors yields the folder part of a pattern, the folder part of that, and so on to the root.
func ancestors(pattern string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for {
			parent := filepath.Dir(pattern)
			if parent == pattern || !yield(parent) {
				return
			}
			pattern = parent
		}
	}
}

func match(pattern, path string) bool {
	ok, err := filepath.Match(pattern, path)
	return err == nil && ok
}

func hasMeta(pattern string) bool { return strings.ContainsAny(pattern, `*?[\`) }

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
