package scenario

import (
	"errors"
	"slices"
	"time"

	"shieldwall/internal/expression/datafile"
	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/parser"
	"shieldwall/internal/platform/yamlfile"
)

// Item is one installed scenario file.
type Item struct {
	Path    string // named in errors
	Text    []byte // YAML, one scenario a document
	Hash    string // hex SHA-256 of a hub item, "" for a local one
	Version string // of a hub item, "?" when tainted, "" for a local one
}

// Names returns the names of the scenarios in a file, in order. What the scenarios say is not looked at.
func (i Item) Names() ([]string, error) {
	specs, err := yamlfile.DecodeAll[spec](i.Path, i.Text)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(specs))
	for at := range specs {
		names[at] = specs[at].Name
	}
	return names, nil
}

// spec is a scenario as written.
type spec struct {
	Type               string           `yaml:"type"`
	Name               string           `yaml:"name"`
	Description        string           `yaml:"description"`
	Format             string           `yaml:"format"`
	Version            string           `yaml:"version"` // accepted; the hub index decides
	Author             string           `yaml:"author"`
	References         []string         `yaml:"references"`
	Filter             string           `yaml:"filter"`
	GroupBy            string           `yaml:"groupby"`
	Distinct           string           `yaml:"distinct"`
	Capacity           int              `yaml:"capacity"`
	Leakspeed          string           `yaml:"leakspeed"`
	Duration           string           `yaml:"duration"`
	CacheSize          int              `yaml:"cache_size"`
	Blackhole          string           `yaml:"blackhole"`
	CancelOn           string           `yaml:"cancel_on"`
	OverflowFilter     string           `yaml:"overflow_filter"`
	Condition          string           `yaml:"condition"`
	BayesianPrior      float32          `yaml:"bayesian_prior"`
	BayesianThreshold  float32          `yaml:"bayesian_threshold"`
	BayesianConditions []bayesianSpec   `yaml:"bayesian_conditions"`
	Scope              scopeSpec        `yaml:"scope"`
	Labels             map[string]any   `yaml:"labels"`
	Reprocess          bool             `yaml:"reprocess"`
	Debug              bool             `yaml:"debug"` // accepted; the log level decides
	Data               []datafile.Entry `yaml:"data"`
}

type bayesianSpec struct {
	Condition       string  `yaml:"condition"`
	ProbGivenEvil   float32 `yaml:"prob_given_evil"`
	ProbGivenBenign float32 `yaml:"prob_given_benign"`
	Guillotine      bool    `yaml:"guillotine"`
}

type scopeSpec struct {
	Type       string `yaml:"type"`
	Expression string `yaml:"expression"`
}

// usesStash looks at what is asked of each event; what is asked of a bucket is asked in order anyway.
func (s *spec) usesStash() bool {
	return slices.ContainsFunc([]string{s.Filter, s.GroupBy, s.Distinct, s.CancelOn}, parser.UsesStash)
}

var kinds = map[string]bucket.Kind{
	"leaky": bucket.Leaky, "trigger": bucket.Trigger, "counter": bucket.Counter,
	"conditional": bucket.Conditional, "bayesian": bucket.Bayesian,
}

// times are the durations of a scenario, read.
type times struct {
	leakspeed, duration, blackhole time.Duration
}

func (s *spec) times() (times, error) {
	var t times
	for _, field := range []struct {
		key, text string
		into      *time.Duration
	}{{"leakspeed", s.Leakspeed, &t.leakspeed}, {"duration", s.Duration, &t.duration}, {"blackhole", s.Blackhole, &t.blackhole}} {
		if field.text == "" {
			continue
		}
		value, err := time.ParseDuration(field.text)
		if err != nil {
			return times{}, yamlfile.In(field.key, err)
		}
		*field.into = value
	}
	return t, nil
}

var (
	errRequired    = errors.New("is required")
	errUnsupported = errors.New("is not supported")
)

// validate checks what every scenario needs, then what its type does.
func (s *spec) validate(kind bucket.Kind, t times) error {
	switch {
	case s.Name == "":
		return yamlfile.In("name", errRequired)
	case s.Description == "":
		return yamlfile.In("description", errRequired)
	case s.Filter == "":
		return yamlfile.In("filter", errRequired)
	}
	switch kind {
	case bucket.Leaky:
		return s.validateLeaky(t)
	case bucket.Trigger:
		if s.Capacity != 0 {
			return yamlfile.In("capacity", errors.New("a trigger has none"))
		}
	case bucket.Counter:
		return s.validateCounter(t)
	case bucket.Conditional:
		return s.validateConditional(t)
	case bucket.Bayesian:
		return s.validateBayesian()
	}
	return nil
}

func (s *spec) validateLeaky(t times) error {
	if s.Capacity <= 0 {
		return yamlfile.In("capacity", errors.New("a leaky bucket needs one above 0"))
	}
	if t.leakspeed <= 0 {
		return yamlfile.In("leakspeed", errors.New("a leaky bucket needs one above 0"))
	}
	return nil
}

func (s *spec) validateCounter(t times) error {
	if s.Capacity != -1 {
		return yamlfile.In("capacity", errors.New("of a counter it must be -1"))
	}
	if t.duration <= 0 {
		return yamlfile.In("duration", errors.New("a counter needs one above 0"))
	}
	return nil
}

func (s *spec) validateConditional(t times) error {
	if s.Condition == "" {
		return yamlfile.In("condition", errRequired)
	}
	if t.leakspeed <= 0 {
		return yamlfile.In("leakspeed", errors.New("a conditional bucket needs one above 0"))
	}
	return nil
}

func (s *spec) validateBayesian() error {
	switch {
	case s.Capacity != -1:
		return yamlfile.In("capacity", errors.New("of a bayesian bucket it must be -1"))
	case s.BayesianPrior <= 0 || !atMostOne(s.BayesianPrior):
		return yamlfile.In("bayesian_prior", errors.New("must be above 0 and at most 1"))
	case s.BayesianThreshold == 0 || !atMostOne(s.BayesianThreshold):
		return yamlfile.In("bayesian_threshold", errors.New("must be at most 1 and not 0"))
	case len(s.BayesianConditions) == 0:
		return yamlfile.In("bayesian_conditions", errors.New("at least one is required"))
	}
	return nil
}

// atMostOne is false for what is no number at all.
func atMostOne(p float32) bool { return p <= 1 }

// bucketConfig derives the shape of the scenario's buckets.
func (s *spec) bucketConfig(kind bucket.Kind, t times) bucket.Config {
	config := bucket.Config{Kind: kind, Capacity: s.Capacity, Leakspeed: t.leakspeed, Keep: s.Capacity}
	switch {
	case s.CacheSize > 0 && (s.Capacity == -1 || s.CacheSize <= s.Capacity):
		config.Keep = s.CacheSize
	case s.Capacity == -1:
		config.Keep = -1
	}
	switch {
	case kind == bucket.Trigger:
	case kind == bucket.Conditional || kind == bucket.Bayesian:
		config.Lifetime, config.Timed = t.leakspeed, t.duration > 0
	case t.duration > 0:
		config.Lifetime, config.Timed = t.duration, true
	case t.leakspeed > 0:
		config.Lifetime = time.Duration(s.Capacity+1) * t.leakspeed
	}
	return config
}
