package why

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"shieldwall/internal/cscli/explain"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/expression"
	"shieldwall/internal/hub/hubtest"
	"shieldwall/internal/localapi/profile"
	"shieldwall/internal/logprocessor/acquisition"
	"shieldwall/internal/wire"
)

const (
	maxLines   = 3        // of a log that are shown
	maxLogPart = 64 << 20 // bytes of the end of a log that are searched
)

// components returns how far a decision got on every component, or why that is not known.
func (i *inquiry) components(ctx context.Context, decision int64) (list []component, unknown string) {
	enforcement, err := i.client.Enforcement(ctx, decision)
	if fault.Is(err, fault.NotFound) {
		return nil, "the Local API does not say"
	}
	if err != nil {
		return nil, err.Error()
	}
	for _, c := range enforcement.Components {
		list = append(list, component{c})
	}
	return list, ""
}

// profile returns the name of the first profile that decides about such an alert today, "" where that cannot be known.
func (i *inquiry) profile(ctx context.Context, alert wire.Alert) string {
	server := i.session.Config.API.Server
	if server == nil || !slices.ContainsFunc(alert.Decisions, func(d wire.Decision) bool { return strings.HasPrefix(d.Origin, "crowdsec") }) {
		return ""
	}
	helpers := expression.New(expression.Deps{Log: i.session.Log, Now: i.session.Now}) //nolint:contextcheck // helpers of expressions have none to pass on
	profiles, err := profile.Load(server.ProfilesPath, helpers.Options()...)
	if err != nil {
		i.session.Log.DebugContext(ctx, "the profiles cannot be asked", "error", err)
		return ""
	}
	alert.Decisions = nil
	for _, p := range profiles {
		decisions, err := profile.NewEvaluator([]profile.Profile{p}, i.session.Log).Evaluate(ctx, &alert)
		if err == nil && len(decisions) > 0 {
			return p.Name
		}
	}
	return ""
}

// lines returns what a log of this machine has about the address of an alert, or why there is nothing.
func (i *inquiry) lines(alert wire.Alert) (lines []string, note string) {
	creds, err := i.session.Credentials()
	if err != nil || creds.Login != alert.MachineID {
		return nil, "they are on the machine " + session.Printable(alert.MachineID)
	}
	path := source(alert)
	if path == "" {
		return nil, "the events do not say from which log they are"
	}
	text, err := end(path)
	if err != nil {
		return nil, "the log cannot be read: " + err.Error()
	}
	for line := range bytes.Lines(text) {
		if word := strings.TrimSpace(string(line)); mentions(word, alert.GetValue()) {
			lines = append(lines, word)
		}
	}
	if len(lines) == 0 {
		return nil, "there are none in " + path + " any more"
	}
	return lines[max(0, len(lines)-maxLines):], ""
}

// source returns the log from which the events of an alert are.
func source(alert wire.Alert) string {
	for _, event := range alert.Events {
		for _, item := range event.Meta {
			if item.Key == "datasource_path" && filepath.IsAbs(item.Value) {
				return item.Value
			}
		}
	}
	return ""
}

// mentions reports whether an address stands in a line, and not only as a part of a longer one.
func mentions(line, address string) bool {
	part := func(b byte) bool { return b >= '0' && b <= '9' || b >= 'a' && b <= 'f' || b == ':' }
	for rest, offset := line, 0; ; {
		at := strings.Index(rest, address)
		if at < 0 || address == "" {
			return false
		}
		begin, after := offset+at, offset+at+len(address)
		if (begin == 0 || !part(line[begin-1]) && line[begin-1] != '.') && (after == len(line) || !part(line[after]) || line[after] == ':') {
			return true
		}
		offset = begin + 1
		rest = line[offset:]
	}
}

// end returns the end of a regular file.
func end(path string) ([]byte, error) {
	file, err := os.Open(path) //nolint:gosec // a log that this machine reads
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // only read
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no file")
	}
	begin := max(0, info.Size()-maxLogPart)
	text := make([]byte, info.Size()-begin)
	n, err := file.ReadAt(text, begin)
	if n == len(text) {
		err = nil
	}
	return text[:n], err
}

// explain lets the engine of this machine parse lines, or says why it cannot.
func (i *inquiry) explain(ctx context.Context, alert wire.Alert, lines []string) (drawn, note string) {
	kind := i.labelOf(source(alert))
	if kind == "" {
		return "", "no acquisition of this machine reads that log"
	}
	dir, err := os.MkdirTemp("", "cscli_why*")
	if err != nil {
		return "", err.Error()
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a leftover in /tmp is no reason to fail
	log, results := filepath.Join(dir, "lines.log"), filepath.Join(dir, "results")
	if err := os.WriteFile(log, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		return "", err.Error()
	}
	err = hubtest.Replay{
		Program: i.session.Program(i.crowdsec), Config: i.session.Config.FilePath, Type: kind, DSN: "file://" + log, DumpDir: results,
	}.Run(ctx)
	if err == nil {
		drawn, err = explain.View{OnlySuccessful: true, Fancy: i.session.Fancy && i.session.Output == session.Human}.Draw(results)
	}
	if err != nil {
		return "", "they cannot be explained: " + err.Error()
	}
	return drawn, ""
}

// labelOf returns the type that acquisition gives the lines of a log, "" where no file of it names the log.
func (i *inquiry) labelOf(log string) string {
	processor := i.session.Config.LogProcessor
	if processor == nil {
		return ""
	}
	paths := []string{processor.AcquisitionPath}
	for _, pattern := range []string{"*.yaml", "*.yml"} {
		if processor.AcquisitionDir != "" {
			more, _ := filepath.Glob(filepath.Join(processor.AcquisitionDir, pattern)) // the pattern is right
			paths = append(paths, more...)
		}
	}
	for _, path := range paths {
		if label := labelIn(path, log); label != "" {
			return label
		}
	}
	return ""
}

// labelIn looks into one file of acquisition. One that cannot be read gives no label.
func labelIn(path, log string) string {
	text, err := os.ReadFile(path) //nolint:gosec // the configured file
	if err != nil {
		return ""
	}
	documents, err := acquisition.ParseDocuments(path, text)
	if err != nil {
		return ""
	}
	for _, document := range documents {
		var source struct {
			acquisition.Common `yaml:",inline"`

			Filename  string         `yaml:"filename"`
			Filenames []string       `yaml:"filenames"`
			Rest      map[string]any `yaml:",inline"`
		}
		if document.Decode(&source) != nil {
			continue
		}
		for _, pattern := range append(source.Filenames, source.Filename) {
			if matches, err := filepath.Match(pattern, log); err == nil && matches {
				return source.Labels["type"]
			}
		}
	}
	return ""
}
