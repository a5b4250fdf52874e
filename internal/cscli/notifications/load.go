package notifications

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/platform/yamlfile"
)

// notification is one configuration, and who uses it.
type notification struct {
	Name, Type string
	Document   map[string]any // with everything that the sender is told
	Profiles   []string
}

// load returns all configurations by name; of two with the same one the last counts.
func load(s *session.Session) ([]notification, error) {
	documents, err := readAll(s)
	if err != nil {
		return nil, err
	}
	users, err := usedBy(s)
	if err != nil {
		return nil, err
	}
	var all []notification
	for _, document := range documents {
		n := notification{Name: word(document["name"]), Type: word(document["type"]), Document: document}
		n.Profiles = users[n.Name]
		all = append(slices.DeleteFunc(all, func(other notification) bool { return other.Name == n.Name }), n)
	}
	slices.SortFunc(all, func(a, b notification) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

func find(all []notification, name string) (notification, bool) {
	at := slices.IndexFunc(all, func(n notification) bool { return n.Name == name })
	if at < 0 {
		return notification{}, false
	}
	return all[at], true
}

// word is a value as text, "" for none.
func word(value any) string {
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}

func readAll(s *session.Session) (documents []map[string]any, err error) {
	for _, pattern := range []string{"*.yaml", "*.yml"} {
		paths, err := filepath.Glob(filepath.Join(s.Config.Paths.NotificationDir, pattern))
		if err != nil {
			return nil, fmt.Errorf("listing notification_dir: %w", err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path) //nolint:gosec // below the configured folder
			if err != nil {
				return nil, fmt.Errorf("reading a notification: %w", err)
			}
			more, err := parse(text)
			if err != nil {
				return nil, fmt.Errorf("reading notification %s: %w", path, err)
			}
			documents = append(documents, more...)
		}
	}
	for i := range documents {
		documents[i] = expanded(documents[i], s.LookupEnv)
	}
	return documents, nil
}

// parse returns the documents of a file that are not empty. Each needs a type.
func parse(text []byte) (documents []map[string]any, err error) {
	for decoder := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var document map[string]any
		err := decoder.Decode(&document)
		switch {
		case errors.Is(err, io.EOF):
			return documents, nil
		case err != nil:
			return nil, err
		case len(document) == 0:
			continue
		case word(document["type"]) == "":
			return nil, errors.New("missing required field 'type'")
		}
		documents = append(documents, document)
	}
}

// expanded replaces the variables in the texts of a document.
func expanded(document map[string]any, env yamlfile.Env) map[string]any {
	replaced := make(map[string]any, len(document))
	for key, value := range document {
		replaced[key] = expandedValue(value, env)
	}
	return replaced
}

func expandedValue(value any, env yamlfile.Env) any {
	switch value := value.(type) {
	case string:
		return yamlfile.Expand(value, env)
	case map[string]any:
		return expanded(value, env)
	case []any:
		list := make([]any, len(value))
		for i := range value {
			list[i] = expandedValue(value[i], env)
		}
		return list
	}
	return value
}

// usedBy returns the names of the profiles that use a notification, in the order in which they are tried.
func usedBy(s *session.Session) (map[string][]string, error) {
	users := map[string][]string{}
	if s.Config.API.Server == nil {
		return users, nil
	}
	path := s.Config.API.Server.ProfilesPath
	for _, path := range []string{path + ".local", path} {
		text, err := os.ReadFile(path) //nolint:gosec // the configured file
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading profiles: %w", err)
		}
		for decoder := yaml.NewDecoder(bytes.NewReader(text)); ; {
			var profile struct {
				Name          string   `yaml:"name"`
				Notifications []string `yaml:"notifications"`
			}
			err := decoder.Decode(&profile)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("reading profiles %s: %w", path, err)
			}
			for _, name := range profile.Notifications {
				users[name] = append(users[name], profile.Name)
			}
		}
	}
	return users, nil
}
