package journalctl

import (
	"fmt"
	"slices"
	"strings"
)

// form is how entries become lines.
type form string

// The forms, by the names that journalctl has for them.
const (
	short form = "short" // as syslog writes them
	cat   form = "cat"   // messages only
	whole form = "json"  // all fields
)

// options are the filters of a source without what is ours to say.
type options struct {
	selection []string // of entries, for journalctl
	form      form
}

// parseOptions takes the form of lines out of filters, and refuses what would break the promises of this package.
func parseOptions(filters []string) (options, error) {
	parsed := options{form: short}
	for i := 0; i < len(filters); i++ {
		name, value, joined := splitOption(filters[i])
		if slices.Contains([]string{"-r", "--reverse", "-c", "--cursor", "--after-cursor", "--cursor-file", "--show-cursor", "--"}, name) {
			return options{}, fmt.Errorf("option %s cannot be used here: entries are read in order, from where reading stopped", name)
		}
		if name != "-o" && name != "--output" {
			parsed.selection = append(parsed.selection, filters[i])
			continue
		}
		if !joined && i+1 < len(filters) {
			i++
			value = filters[i]
		}
		parsed.form = form(value)
		if !slices.Contains([]form{short, cat, whole}, parsed.form) {
			return options{}, fmt.Errorf("output %q is not supported, only %s, %s and %s are", value, short, cat, whole)
		}
	}
	return parsed, nil
}

// splitOption returns the name of an option, and its value if both are one argument.
func splitOption(argument string) (name, value string, joined bool) {
	if strings.HasPrefix(argument, "--") {
		name, value, joined = strings.Cut(argument, "=")
		return name, value, joined
	}
	for _, name := range []string{"-o", "-c"} {
		if value, ok := strings.CutPrefix(argument, name); ok && value != "" {
			return name, value, true
		}
	}
	return argument, "", false
}

// fields are what a line of the form short is made of. Cursor and time of reception always come with them.
const fields = "MESSAGE,_HOSTNAME,SYSLOG_IDENTIFIER,_COMM,_PID,SYSLOG_PID,_SOURCE_REALTIME_TIMESTAMP"

// arguments for entries in JSON. Ours come last, where they win.
func (o options) arguments(more ...string) []string {
	arguments := slices.Concat(o.selection, []string{"--quiet", "--all", "--output=json"})
	if o.form != whole {
		arguments = append(arguments, "--output-fields="+fields)
	}
	return append(arguments, more...)
}
