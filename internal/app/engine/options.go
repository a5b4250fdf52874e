package engine

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"shieldwall/internal/expression/dns"
)

// Options are what the command line says.
type Options struct {
	ConfigPath     string
	Test           bool              // check the configuration and end
	NoLogProcessor bool              // -no-cs
	NoLocalAPI     bool              // -no-api
	DSN            string            // "": follow the configured sources
	Type           string            // label type of the DSN
	Labels         map[string]string // further labels of the DSN
	Transform      string            // expression on the lines of the DSN
	DumpDir        string            // "": send alerts; otherwise write down what happened to every line
	AlertsFile     string            // "": send alerts; otherwise read the sources once, and write their alerts there
	Scenario       string            // "": those that are installed; otherwise a file with more, which win over installed ones of their names
	CPUProfile     string            // "": none; otherwise the file that a CPU profile of the whole run is written to
	NoShortcuts    bool              // evaluate every rule the slow way, to compare the results
	Level          *slog.Level       // nil: as configured
}

// Surroundings are what the daemon takes from its process.
type Surroundings struct {
	Env      func(name string) (string, bool)
	Now      func() time.Time
	Hostname string // "" when it is not known
	PID      int
	Stdout   io.Writer
	Stderr   io.Writer
	Names    dns.Resolver     // asks name servers
	HTTP     *http.Client     // for what expressions fetch; it has a timeout
	Reload   <-chan os.Signal // a value asks for a reload
	Spread   func(most int)   // bounds the processors that this process uses; nil: nobody does
}

func (o *Options) validate() error {
	switch {
	case o.NoLogProcessor && o.NoLocalAPI:
		return errors.New("-no-cs and -no-api leave nothing to run")
	case o.DSN != "" && o.Type == "":
		return errors.New("-dsn requires -type")
	case o.Type != "" && o.DSN == "":
		return errors.New("-type requires -dsn")
	case o.DumpDir != "" && o.NoLogProcessor:
		return errors.New("-dump-data needs the log processor: leave out -no-cs")
	case o.AlertsFile != "" && (o.NoLogProcessor || o.DumpDir != ""):
		return errors.New("-dump-alerts needs the log processor, and -dump-data for itself: leave out -no-cs and -dump-data")
	case o.Scenario != "" && o.AlertsFile == "":
		return errors.New("-scenario is for trying out: it requires -dump-alerts")
	case o.Transform != "" && o.DSN == "":
		return errors.New("-transform requires -dsn")
	}
	return nil
}

// ParseLabels adds the labels of one -label flag, k:v[,k:v], to labels.
func ParseLabels(text string, labels map[string]string) error {
	for _, pair := range strings.Split(text, ",") {
		key, value, ok := strings.Cut(pair, ":")
		if !ok || key == "" || strings.Contains(value, ":") {
			return fmt.Errorf("bad format for label '%s', expected key:value", pair)
		}
		labels[key] = value
	}
	return nil
}
