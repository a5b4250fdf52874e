package acquisition

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/platform/yamlfile"
)

// Loader turns configuration into checked definitions. All fields are required but Compile.
type Loader struct {
	Registry Registry
	Env      yamlfile.Env
	Log      *slog.Logger
	// Compile makes a Transform from an expression; without it, transforms are refused.
	Compile func(expression string) (Transform, error)
}

// Files loads one file, then *.yaml and then *.yml of a folder. Either may be "", and a file that does not
// exist is passed over. One mistake anywhere is an error; a source that cannot run on this host is skipped
// with a warning.
func (l Loader) Files(path, dir string) ([]Definition, error) {
	if path == "" && dir == "" {
		l.Log.Warn("neither acquisition_path nor acquisition_dir is set")
	}
	paths, err := configurationFiles(path, dir)
	if err != nil {
		return nil, err
	}
	var definitions []Definition
	for _, path := range paths {
		more, err := l.file(path)
		if err != nil {
			return nil, err
		}
		definitions = append(definitions, more...)
	}
	return definitions, nil
}

func configurationFiles(path, dir string) ([]string, error) {
	var paths []string
	if path != "" {
		paths = append(paths, path)
	}
	if dir == "" {
		return paths, nil
	}
	for _, pattern := range []string{"*.yaml", "*.yml"} {
		matches, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, fmt.Errorf("listing acquisition_dir %s: %w", dir, err)
		}
		paths = append(paths, matches...)
	}
	return paths, nil
}

func (l Loader) file(path string) ([]Definition, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the administrator names the file
	if errors.Is(err, fs.ErrNotExist) {
		l.Log.Info("no acquisition file", "path", path)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading acquisition file: %w", err)
	}
	documents, err := ParseDocuments(path, []byte(yamlfile.Expand(string(text), l.Env)))
	if err != nil {
		return nil, err
	}
	var definitions []Definition
	for _, document := range documents {
		settings, err := l.decode(document)
		if err != nil {
			return nil, err
		}
		definition, err := l.define(document.String(), settings)
		if fault.Is(err, fault.Unavailable) {
			l.Log.Warn("data source cannot run on this host, skipped", "error", err)
			continue
		}
		if err != nil {
			return nil, err
		}
		definitions = append(definitions, definition)
	}
	return definitions, nil
}

func (l Loader) decode(document Document) (Settings, error) {
	kind, ok := kindOf(document)
	if !ok {
		return nil, document.errorf("key \"source\" is missing, and no other key tells the kind of source")
	}
	factory, ok := l.Registry[kind]
	if !ok {
		return nil, document.errorf("key \"source\": unknown data source %q (known: %s)", kind, l.known())
	}
	settings, err := factory.Decode(document)
	if err != nil {
		return nil, err
	}
	return settings, nil
}

// kindOf tells the kind of source, which may be left out where one key can only belong to one kind.
func kindOf(document Document) (string, bool) {
	if kind, _ := document.scalar("source"); kind != "" {
		return kind, true
	}
	if document.Has("filename") || document.Has("filenames") {
		return "file", true
	}
	if document.Has("journalctl_filter") {
		return "journalctl", true
	}
	return "", false
}

func (l Loader) known() string {
	return strings.Join(slices.Sorted(maps.Keys(l.Registry)), ", ")
}

// define makes a definition out of decoded settings: the second step.
func (l Loader) define(origin string, settings Settings) (Definition, error) {
	base := settings.Base()
	if err := base.validate(); err != nil {
		return Definition{}, fmt.Errorf("%s: %w", origin, err)
	}
	definition := Definition{Settings: settings, Origin: origin}
	if base.Transform != "" {
		if l.Compile == nil {
			return Definition{}, fmt.Errorf("%s: key \"transform\" is not supported here", origin)
		}
		transform, err := l.Compile(base.Transform)
		if err != nil {
			return Definition{}, fmt.Errorf("%s: key \"transform\": %w", origin, err)
		}
		definition.transform = transform
	}
	if err := settings.Check(); err != nil {
		return Definition{}, fmt.Errorf("%s: %w", origin, err)
	}
	return definition, nil
}
