package hubtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/hub"
)

// installation is the small one in which a case runs. Its layout is published: <root>/runtime and
// <root>/results, where root is the folder of the case unless work happens elsewhere.
type installation struct {
	root string
}

func (in installation) runtime(path ...string) string {
	return filepath.Join(append([]string{in.root, "runtime"}, path...)...)
}

func (in installation) data() string { return in.runtime("data") }

func (in installation) results() string { return filepath.Join(in.root, "results") }

// remove deletes everything that a run leaves, but not the root.
func (in installation) remove() error {
	return errors.Join(os.RemoveAll(in.runtime()), os.RemoveAll(in.results()))
}

// The configuration of an installation, for hubs that have no templates of their own.
const (
	configTemplate = `common:
  log_media: file
  log_dir: ${TESTDIR}/runtime/log/
config_paths:
  config_dir: ${TESTDIR}/runtime/
  data_dir: ${DATADIR}
  simulation_path: ${TESTDIR}/runtime/simulation.yaml
  hub_dir: ${TESTDIR}/runtime/hub/
  index_path: ${TESTDIR}/runtime/hub/.index.json
  notification_dir: ${TESTDIR}/runtime/notifications/
  plugin_dir: ${TESTDIR}/runtime/plugins/
  pattern_dir: ${TESTDIR}/runtime/patterns/
crowdsec_service:
  parser_routines: 1
db_config:
  type: sqlite
  db_path: ${TESTDIR}/runtime/data/crowdsec.db
api:
  client:
    credentials_path: ${TESTDIR}/runtime/local_api_credentials.yaml
  server:
    listen_socket: ${TESTDIR}/runtime/crowdsec.sock
    profiles_path: ${TESTDIR}/runtime/profiles.yaml
`
	profilesTemplate = `name: default
filters:
  - Alert.Remediation == true
decisions:
  - type: ban
    duration: 4h
on_success: break
`
	simulationTemplate = "simulation: false\n"
)

// sources are where an installation gets its parts.
type sources struct {
	hub      *Hub
	data     string // folder of data files, "" without one
	patterns string // folder of grok patterns beside those of the engine, "" without one
}

// build makes the installation of a case anew. A data file that is missing is of kind fault.NotFound.
func (in installation) build(c *Case, from sources) error {
	if err := in.remove(); err != nil {
		return fmt.Errorf("removing an earlier run: %w", err)
	}
	for _, folder := range []string{"data", "hub", "log", "notifications", "plugins"} {
		if err := os.MkdirAll(in.runtime(folder), 0o750); err != nil {
			return fmt.Errorf("making the runtime folder: %w", err)
		}
	}
	items, err := from.hub.items(c)
	if err != nil {
		return err
	}
	if err := in.linkData(c, items, from.data); err != nil {
		return err
	}
	if err := in.install(items); err != nil {
		return err
	}
	return errors.Join(in.writeIndex(items, from.hub.Catalog), in.configure(from), in.override(c.Config.OverrideStatics))
}

// install copies published items to the runtime hub and links to them, as an installed item is a link; a
// local item is a file.
func (in installation) install(items []item) error {
	for _, i := range items {
		place := in.runtime(i.folder, i.file)
		if i.published == "" {
			if err := copyFile(i.source, place); err != nil {
				return fmt.Errorf("installing %s: %w", i.name, err)
			}
			continue
		}
		copied := in.runtime("hub", i.published)
		err := copyFile(i.source, copied)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(place), 0o750)
		}
		if err == nil {
			err = os.Symlink(copied, place)
		}
		if err != nil {
			return fmt.Errorf("installing %s: %w", i.name, err)
		}
	}
	return nil
}

// writeIndex writes the part of the index that is installed: a test looks at nothing else, and reading the
// whole one would take longer than most tests.
func (in installation) writeIndex(items []item, catalog *hub.Catalog) error {
	names := map[hub.Kind][]string{}
	for _, i := range items {
		names[i.kind] = append(names[i.kind], i.name)
	}
	text, err := catalog.Subset(names)
	if err != nil {
		return err
	}
	return in.write(text, "hub", indexFile)
}

// configure takes the templates of the hub, and our own where it has none.
func (in installation) configure(from sources) error {
	for name, template := range map[string]struct{ file, builtIn string }{
		configFile:        {"template_config2.yaml", configTemplate},
		"profiles.yaml":   {"template_profiles.yaml", profilesTemplate},
		"simulation.yaml": {"template_simulation.yaml", simulationTemplate},
		"acquis.yaml":     {"", ""},
	} {
		text := []byte(template.builtIn)
		path := filepath.Join(from.hub.Tests(), template.file)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			if text, err = os.ReadFile(path); err != nil { //nolint:gosec // of the caller's hub
				return fmt.Errorf("reading template: %w", err)
			}
		}
		if err := in.write(text, name); err != nil {
			return err
		}
	}
	present, err := exists(from.patterns)
	if !present || from.patterns == "" {
		return err
	}
	return os.Symlink(from.patterns, in.runtime("patterns"))
}

// override writes the statics of the case as a parser before all others.
func (in installation) override(statics []yaml.Node) error {
	if len(statics) == 0 {
		return nil
	}
	text, err := overrides(statics)
	if err != nil {
		return fmt.Errorf("writing override_statics: %w", err)
	}
	return in.write(text, "parsers", "s00-raw", "00_overrides.yaml")
}

func overrides(statics []yaml.Node) ([]byte, error) {
	return yaml.Marshal(struct {
		Name    string      `yaml:"name"`
		Filter  string      `yaml:"filter"`
		Statics []yaml.Node `yaml:"statics"`
	}{"overrides", "1==1", statics})
}

func (in installation) write(text []byte, path ...string) error {
	name := in.runtime(path...)
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		return fmt.Errorf("making the runtime folder: %w", err)
	}
	if err := os.WriteFile(name, text, 0o600); err != nil { //nolint:gosec // below the runtime folder
		return fmt.Errorf("writing the runtime folder: %w", err)
	}
	return nil
}

// linkData links every data file that an item names. Each case has links of its own, so that cases that run
// side by side share nothing that an engine writes to.
func (in installation) linkData(c *Case, items []item, dir string) error {
	var missing error
	for _, i := range items {
		files, err := i.dataFiles()
		if err != nil {
			return err
		}
		for _, file := range files {
			missing = errors.Join(missing, in.linkDataFile(c, i, file, dir))
		}
	}
	return missing
}

func (in installation) linkDataFile(c *Case, i item, file dataFile, dir string) error {
	if !filepath.IsLocal(file.name) {
		return fault.Errorf(fault.Invalid, "%s: data file '%s' lies outside of the data folder", i.name, file.name)
	}
	place := filepath.Join(in.data(), file.name)
	if _, err := os.Lstat(place); err == nil {
		return nil
	}
	source, err := findData(dir, file.name, c.ownData())
	if fault.Is(err, fault.NotFound) && !file.needed {
		return nil // the engine says so, and goes on
	}
	if err != nil {
		return fmt.Errorf("%s: %w", i.name, err)
	}
	if err := os.MkdirAll(filepath.Dir(place), 0o750); err != nil {
		return fmt.Errorf("linking data: %w", err)
	}
	if err := os.Symlink(source, place); err != nil {
		return fmt.Errorf("linking data: %w", err)
	}
	return nil
}

// findData looks for a data file, first in the folder "own" for a case that prefers its own.
func findData(dir, file string, own bool) (string, error) {
	if dir == "" {
		return "", fault.Errorf(fault.NotFound, "data file %s is missing: there is no folder of data files", file)
	}
	candidates := []string{filepath.Join(dir, file)}
	if own {
		candidates = []string{filepath.Join(dir, "own", file), candidates[0]}
	}
	for _, candidate := range candidates {
		found, err := exists(candidate)
		if found || err != nil {
			return candidate, err
		}
	}
	return "", fault.Errorf(fault.NotFound, "data file %s is missing in %s", file, dir)
}
