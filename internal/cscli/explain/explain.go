package explain

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/hub/hubtest"
)

// manyLines is from where on an explanation takes long to make, and longer to read.
const manyLines = 100

type options struct {
	file, dsn, log string
	logType        string
	labels         string
	crowdsec       string
	noClean        bool
	view           View
}

// New returns the command "explain".
func New(runner *session.Runner) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "explain",
		Short: "Explain what happens to a log line",
		Long:  "Show which parsers understand each line of a log, what they find in it, and which scenarios it reaches.",
		Example: "cscli explain --file ./myfile.log --type nginx\n" +
			"cscli explain --log \"Sep 19 18:33:22 host sshd[24865]: Failed password for root from 192.0.2.1\" --type syslog\n" +
			"cscli explain --dsn \"file://myfile.log\" --type nginx\n" +
			"tail -n 5 myfile.log | cscli explain --type nginx -f -",
		Args: session.Args(cobra.NoArgs),
		RunE: runner.Run(func(ctx context.Context, s *session.Session, _ []string) error { return explain(ctx, s, o) }),
	}
	set := cmd.Flags()
	set.StringVarP(&o.file, "file", "f", "", "log file, - for standard input")
	set.StringVarP(&o.dsn, "dsn", "d", "", "data source")
	set.StringVarP(&o.log, "log", "l", "", "a single line")
	set.StringVarP(&o.logType, "type", "t", "", "type of the log")
	set.StringVar(&o.labels, "labels", "", "further labels: key:value,key2:value2")
	set.BoolVarP(&o.view.Verbose, "verbose", "v", false, "show every value that a parser changes")
	set.BoolVar(&o.view.Failures, "failures", false, "only show lines that no parser understood")
	set.BoolVar(&o.view.OnlySuccessful, "only-successful-parsers", false, "only show parsers that understood the line")
	set.StringVar(&o.crowdsec, "crowdsec", "crowdsec", "program crowdsec: the one beside cscli, or of PATH")
	set.BoolVar(&o.noClean, "no-clean", false, "keep the temporary folder")
	cmd.MarkFlagsOneRequired("log", "file", "dsn")
	cmd.MarkFlagsMutuallyExclusive("log", "file", "dsn")
	_ = cmd.MarkFlagRequired("type") // the flag exists
	return cmd
}

func explain(ctx context.Context, s *session.Session, o options) (err error) {
	labels, err := parseLabels(o.labels)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "cscli_explain*")
	if err != nil {
		return fmt.Errorf("making a temporary folder: %w", err)
	}
	if o.noClean {
		s.Info(ctx, "temporary folder: %s", dir)
	} else {
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	source, err := o.source(ctx, s, dir)
	if err != nil {
		return err
	}
	results := filepath.Join(dir, "results")
	err = hubtest.Replay{
		Program: s.Program(o.crowdsec), Config: s.Config.FilePath, Type: o.logType, Labels: labels, DSN: source, DumpDir: results,
	}.Run(ctx)
	if err != nil {
		return err
	}
	o.view.Fancy = s.Fancy
	drawn, err := o.view.Draw(results)
	if err != nil {
		return err
	}
	return s.Print(drawn)
}

// source returns the data source to read. What is no file is written to one in dir.
func (o options) source(ctx context.Context, s *session.Session, dir string) (string, error) {
	path := o.file
	switch {
	case o.dsn != "":
		return o.dsn, nil
	case o.log != "":
		path = filepath.Join(dir, "cscli_test_tmp.log")
		if err := os.WriteFile(path, []byte(o.log+"\n"), 0o600); err != nil {
			return "", fmt.Errorf("writing the line: %w", err)
		}
	case o.file == "-":
		path = filepath.Join(dir, "cscli_test_tmp.log")
		if err := writeAll(path, s.Stdin); err != nil {
			return "", fmt.Errorf("reading standard input: %w", err)
		}
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("finding the log: %w", err)
	}
	n, err := countLines(path)
	if err != nil {
		return "", err
	}
	if n == 0 {
		return "", fmt.Errorf("the log file is empty: %s", path)
	}
	if n > manyLines {
		s.Warn(ctx, "%s has %d lines, which takes long to explain: a few of them may be enough", path, n)
	}
	return "file://" + path, nil
}

func writeAll(path string, from io.Reader) (err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600) //nolint:gosec // in our temporary folder
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	_, err = io.Copy(file, from)
	return err
}

// countLines counts the lines of a file, the last one also without its end.
func countLines(path string) (n int, err error) {
	file, err := os.Open(path) //nolint:gosec // the caller's log
	if err != nil {
		return 0, fmt.Errorf("reading the log: %w", err)
	}
	defer file.Close() //nolint:errcheck // only read
	for reader := bufio.NewReader(file); ; {
		text, err := reader.ReadString('\n')
		if text != "" {
			n++
		}
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return 0, fmt.Errorf("reading the log: %w", err)
		}
	}
}

func parseLabels(text string) (map[string]string, error) {
	labels := map[string]string{}
	if text == "" {
		return labels, nil
	}
	for pair := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(pair, ":")
		if !ok || key == "" || strings.Contains(value, ":") {
			return nil, fmt.Errorf("bad format for label '%s', expected key:value", pair)
		}
		labels[key] = value
	}
	return labels, nil
}
