package acquisition

import (
	"fmt"
	"strings"
)

// DSN describes the one source of a cold run.
type DSN struct {
	Kind      string            // before ://
	Target    string            // after ://
	Labels    map[string]string // at least one
	Transform string            // an expression, "" for none
}

// Common returns the common keys of the source that the DSN describes.
func (d DSN) Common() Common {
	return Common{Source: d.Kind, Mode: Cat, Labels: d.Labels, Transform: d.Transform}
}

// ParseDSN reads KIND://TARGET.
func ParseDSN(text string) (DSN, error) {
	kind, target, ok := strings.Cut(text, "://")
	if !ok || kind == "" {
		return DSN{}, fmt.Errorf("dsn %q is not of the form kind://target", text)
	}
	return DSN{Kind: kind, Target: target}, nil
}

// DSN loads the source of a cold run. A source that cannot run on this host is an error here.
func (l Loader) DSN(dsn DSN) (Definition, error) {
	factory, ok := l.Registry[dsn.Kind]
	if !ok {
		return Definition{}, fmt.Errorf("dsn: unknown data source %q (known: %s)", dsn.Kind, l.known())
	}
	settings, err := factory.DecodeDSN(dsn)
	if err != nil {
		return Definition{}, fmt.Errorf("dsn %s://%s: %w", dsn.Kind, dsn.Target, err)
	}
	return l.define(fmt.Sprintf("dsn %s://%s", dsn.Kind, dsn.Target), settings)
}
