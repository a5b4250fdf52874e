package profile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/expr-lang/expr"
	"go.yaml.in/yaml/v3"

	"shieldwall/internal/platform/duration"
	"shieldwall/internal/platform/yamlfile"
)

// Load reads the profiles of path, those of path+".local" before them if it exists, and compiles their
// expressions with options, which add helper functions. Errors name the file and the line.
func Load(path string, options ...expr.Option) ([]Profile, error) {
	local, err := loadFile(path+".local", options)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	main, err := loadFile(path, options)
	if err != nil {
		return nil, err
	}
	profiles := slices.Concat(local, main)
	if len(profiles) == 0 {
		return nil, fmt.Errorf("%s: zero profiles loaded for LAPI", path)
	}
	return profiles, nil
}

func loadFile(path string, options []expr.Option) ([]Profile, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the administrator names the file
	if err != nil {
		return nil, fmt.Errorf("reading profiles: %w", err)
	}
	documents, err := yamlfile.DecodeAll[document](path, text)
	if err != nil {
		return nil, err
	}
	options = slices.Concat([]expr.Option{expr.Env(environment{})}, options)
	profiles := make([]Profile, 0, len(documents))
	for _, d := range documents {
		profile, err := d.compile(options)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		profiles = append(profiles, profile)
	}
	return profiles, nil
}

// document is a profile as written.
type document struct {
	Name          scalar             `yaml:"name"`
	Debug         bool               `yaml:"debug"`
	Filters       []scalar           `yaml:"filters"`
	Decisions     []decisionTemplate `yaml:"decisions"`
	DurationExpr  scalar             `yaml:"duration_expr"`
	OnSuccess     scalar             `yaml:"on_success"`
	OnFailure     scalar             `yaml:"on_failure"`
	OnError       string             `yaml:"on_error"`
	Notifications []string           `yaml:"notifications"`
}

// decisionTemplate is a decision as written. Value, Scenario, ID, UUID, Until and Simulated are accepted
// because published files have them; they come from the alert.
type decisionTemplate struct {
	Type      scalar `yaml:"type"`
	Duration  scalar `yaml:"duration"`
	Scope     string `yaml:"scope"`
	Origin    string `yaml:"origin"`
	Simulated bool   `yaml:"simulated"`
	Value     any    `yaml:"value"`
	Scenario  any    `yaml:"scenario"`
	ID        any    `yaml:"id"`
	UUID      any    `yaml:"uuid"`
	Until     any    `yaml:"until"`
}

// scalar is a text that knows where it was written.
type scalar struct {
	text string
	line int
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (s *scalar) UnmarshalYAML(node *yaml.Node) error {
	s.line = node.Line
	return node.Decode(&s.text)
}

func (s scalar) errorf(format string, args ...any) error {
	if s.line == 0 { // not written at all
		return fmt.Errorf(format, args...)
	}
	return fmt.Errorf("line %d: %w", s.line, fmt.Errorf(format, args...))
}

func (d *document) compile(options []expr.Option) (Profile, error) {
	profile := Profile{
		Name: d.Name.text, Notifications: d.Notifications, debug: d.Debug,
		breakOnSuccess: d.OnSuccess.text == "break", onError: policyOf(d.OnError),
	}
	if err := d.checkFlow(); err != nil {
		return Profile{}, err
	}
	for _, filter := range d.Filters {
		program, err := expr.Compile(filter.text, slices.Concat(options, []expr.Option{expr.AsBool()})...)
		if err != nil {
			return Profile{}, filter.errorf("filter of profile '%s': %w", d.Name.text, err)
		}
		profile.filters = append(profile.filters, expression{filter.text, program})
	}
	if d.DurationExpr.text != "" {
		program, err := expr.Compile(d.DurationExpr.text, options...)
		if err != nil {
			return Profile{}, d.DurationExpr.errorf("duration_expr of profile '%s': %w", d.Name.text, err)
		}
		profile.durationOverride = &expression{d.DurationExpr.text, program}
	}
	var err error
	profile.templates, err = d.templates()
	return profile, err
}

func (d *document) checkFlow() error {
	switch d.OnSuccess.text {
	case "", "continue", "break":
	default:
		return d.OnSuccess.errorf("invalid 'on_success' for '%s': %s", d.Name.text, d.OnSuccess.text)
	}
	switch d.OnFailure.text {
	case "", "continue", "break", "apply":
		return nil
	}
	return d.OnFailure.errorf("invalid 'on_failure' for '%s': %s", d.Name.text, d.OnFailure.text)
}

func (d *document) templates() ([]template, error) {
	templates := make([]template, 0, len(d.Decisions))
	for i, written := range d.Decisions {
		if written.Type.text == "" {
			return nil, d.Name.errorf("decision %d of profile '%s' has no type", i+1, d.Name.text)
		}
		t := template{
			kind: written.Type.text, duration: written.Duration.text, scope: written.Scope, origin: ownOrigin,
		}
		if t.duration == "" {
			t.duration = duration.Format(defaultDuration)
		}
		if _, err := duration.Parse(t.duration); err != nil {
			return nil, written.Duration.errorf("duration of profile '%s': %w", d.Name.text, err)
		}
		if written.Origin != "" {
			t.origin += "/" + written.Origin
		}
		templates = append(templates, t)
	}
	return templates, nil
}
