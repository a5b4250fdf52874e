package hubtest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/platform/yamlfile"
)

const (
	parserAsserts   = "parser.assert"
	scenarioAsserts = "scenario.assert"
)

// Case is one test case.
type Case struct {
	Name   string
	Dir    string // absolute
	Config Config
}

// Config is the file config.yaml of a test case. Items are named as in the index, or by a path below the
// hub or the test case; empty names mean nothing.
type Config struct {
	Parsers         []string          `yaml:"parsers"`
	Scenarios       []string          `yaml:"scenarios"`
	Postoverflows   []string          `yaml:"postoverflows"`
	LogFile         string            `yaml:"log_file"` // in the folder of the test case
	LogType         string            `yaml:"log_type"` // label "type" of its lines
	Labels          map[string]string `yaml:"labels,omitempty"`
	IgnoreParsers   bool              `yaml:"ignore_parsers"` // parser.assert is not looked at
	OverrideStatics []yaml.Node       `yaml:"override_statics,omitempty"`
	OwnDataDir      bool              `yaml:"own_data_dir,omitempty"` // it prefers data files of its own
}

func readConfig(path string) (Config, error) {
	text, err := os.ReadFile(path) //nolint:gosec // of the caller's hub
	if err != nil {
		return Config{}, fmt.Errorf("reading test: %w", err)
	}
	var config Config
	if err := yamlfile.DecodeLenient(path, text, &config); err != nil {
		return Config{}, fault.Mark(fault.Invalid, err)
	}
	return config, nil
}

// ParserAsserts returns the path of the assertions on what parsers do.
func (c *Case) ParserAsserts() string { return filepath.Join(c.Dir, parserAsserts) }

// ScenarioAsserts returns the path of the assertions on overflows.
func (c *Case) ScenarioAsserts() string { return filepath.Join(c.Dir, scenarioAsserts) }

// Log returns the path of the log.
func (c *Case) Log() string { return filepath.Join(c.Dir, c.Config.LogFile) }

// judgesScenarios reports whether the case names a scenario.
func (c *Case) judgesScenarios() bool {
	return slices.ContainsFunc(c.Config.Scenarios, func(name string) bool { return name != "" })
}

// ownData reports whether the case prefers data files of its own: some published cases do without saying.
func (c *Case) ownData() bool {
	switch c.Name {
	case "magento-ccs-by-as", "magento-ccs-by-country", "geoip-enrich":
		return true
	}
	return c.Config.OwnDataDir
}

// Create makes a test case with an empty log and without assertions. A name that is taken is of kind
// fault.Exists.
func (h *Hub) Create(name string, config Config) (*Case, error) {
	if !filepath.IsLocal(name) || filepath.Base(name) != name {
		return nil, fault.Errorf(fault.Invalid, "'%s' is no name of a test", name)
	}
	c := h.place(name)
	c.Config = config
	if err := os.MkdirAll(filepath.Dir(c.Dir), 0o755); err != nil { //nolint:gosec // a hub is for everyone
		return nil, fmt.Errorf("creating test: %w", err)
	}
	err := os.Mkdir(c.Dir, 0o755) //nolint:gosec // as above
	if errors.Is(err, fs.ErrExist) {
		return nil, fault.Errorf(fault.Exists, "test '%s' already exists in %s", name, filepath.Dir(c.Dir))
	}
	if err != nil {
		return nil, fmt.Errorf("creating test: %w", err)
	}
	text, err := yaml.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("creating test: %w", err)
	}
	for path, content := range map[string][]byte{
		filepath.Join(c.Dir, configFile): text, c.Log(): nil, c.ParserAsserts(): nil, c.ScenarioAsserts(): nil,
	} {
		if err := os.WriteFile(path, content, 0o644); err != nil { //nolint:gosec // as above
			return nil, fmt.Errorf("creating test: %w", err)
		}
	}
	return c, nil
}
