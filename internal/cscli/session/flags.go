package session

import (
	"fmt"
	"log/slog"

	"github.com/spf13/pflag"

	"shieldwall/internal/platform/logging"
)

const defaultConfig = "/etc/crowdsec/config.yaml"

// Output is the form in which a command prints its result.
type Output string

// The forms.
const (
	Human Output = "human" // tables and sentences
	JSON  Output = "json"
	Raw   Output = "raw" // CSV, or bare values
)

// flags are those that every command has.
type flags struct {
	config string
	output string
	color  string
	branch string
	levels [5]bool // as levelFlags
}

type levelFlag struct {
	name  string
	level slog.Level
}

// levelFlags returns the flags for log levels; the first that is set wins.
func levelFlags() [5]levelFlag {
	return [5]levelFlag{
		{"trace", logging.LevelTrace},
		{"debug", slog.LevelDebug},
		{"info", slog.LevelInfo},
		{"warning", slog.LevelWarn},
		{"error", slog.LevelError},
	}
}

func (f *flags) bind(set *pflag.FlagSet) {
	set.StringVarP(&f.config, "config", "c", defaultConfig, "path of the configuration file")
	set.StringVarP(&f.output, "output", "o", "", "output format: human, json, raw")
	set.StringVar(&f.color, "color", "", "colored output: yes, no, auto")
	set.StringVar(&f.branch, "branch", "", "branch of the hub to use, whatever is configured")
	_ = set.MarkHidden("branch") // it exists: it is the one above
	for i, known := range levelFlags() {
		set.BoolVar(&f.levels[i], known.name, false, "set the log level to "+known.name)
	}
}

func (f *flags) level() slog.Level {
	for i, known := range levelFlags() {
		if f.levels[i] {
			return known.level
		}
	}
	return slog.LevelInfo
}

func parseOutput(flag, configured string) (Output, error) {
	switch text := first(flag, configured, string(Human)); Output(text) {
	case Human, JSON, Raw:
		return Output(text), nil
	default:
		return "", fmt.Errorf("output format '%s' not supported: must be one of human, json, raw", text)
	}
}

// colored decides whether to use colors; terminal is what "auto" goes by.
func colored(flag, configured string, terminal bool) (bool, error) {
	switch text := first(flag, configured, "auto"); text {
	case "yes":
		return true, nil
	case "no":
		return false, nil
	case "auto":
		return terminal, nil
	default:
		return false, fmt.Errorf("output color '%s' not supported: must be one of yes, no, auto", text)
	}
}

func first(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
