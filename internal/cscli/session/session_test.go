package session

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"shieldwall/internal/config"
)

func TestOutputIsChosenByFlagThenConfiguration(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		flag, configured string
		want             Output
		ok               bool
	}{
		{"", "", Human, true},
		{"", "json", JSON, true},
		{"raw", "json", Raw, true},
		{"human", "json", Human, true},
		{"xml", "", "", false},
		{"", "xml", "", false},
	} {
		got, err := parseOutput(c.flag, c.configured)
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("%+v: got %q, %v", c, got, err)
		}
	}
}

func TestColor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		flag, configured string
		terminal, want   bool
		ok               bool
	}{
		{"", "", true, true, true},
		{"", "", false, false, true},
		{"auto", "yes", false, false, true},
		{"", "yes", false, true, true},
		{"no", "yes", true, false, true},
		{"yes", "", false, true, true},
		{"blue", "", true, false, false},
	} {
		got, err := colored(c.flag, c.configured, c.terminal)
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("%+v: got %v, %v", c, got, err)
		}
	}
}

func TestTerminalsWithoutColors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		environment map[string]string
		want        bool
	}{
		{nil, true},
		{map[string]string{"TERM": "xterm"}, true},
		{map[string]string{"TERM": "dumb"}, false},
		{map[string]string{"NO_COLOR": "1"}, false},
	} {
		if got := wantsColors(func(name string) string { return c.environment[name] }); got != c.want {
			t.Errorf("%v: got %v", c.environment, got)
		}
	}
}

func TestFirstLevelFlagWins(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		want slog.Level
	}{
		{nil, slog.LevelInfo},
		{[]string{"--error"}, slog.LevelError},
		{[]string{"--error", "--debug"}, slog.LevelDebug},
		{[]string{"--warning", "--info", "--error"}, slog.LevelInfo},
	} {
		var f flags
		set := pflag.NewFlagSet("test", pflag.ContinueOnError)
		f.bind(set)
		if err := set.Parse(c.args); err != nil || f.level() != c.want {
			t.Errorf("%v: got %v, %v", c.args, f.level(), err)
		}
	}
}

func TestLogOnATerminal(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	log := newLog(Env{Stderr: &stderr, StderrTerminal: true}, slog.LevelInfo, Human).With("a", 1)
	log.Info("it happened", "b", "two")
	log.Debug("not shown")
	if got, want := stderr.String(), "\x1b[36mINFO\x1b[0m it happened a=1 b=two\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLogForProgramsIsQuiet(t *testing.T) {
	t.Parallel()
	for _, output := range []Output{JSON, Raw} {
		var stderr bytes.Buffer
		log := newLog(Env{Stderr: &stderr, StderrTerminal: true}, slog.LevelDebug, output)
		log.Warn("not shown")
		if stderr.Len() > 0 {
			t.Errorf("%s: got %q", output, stderr.String())
		}
		log.Error("shown")
		if stderr.Len() == 0 {
			t.Errorf("%s: nothing", output)
		}
	}
}

func TestPasswordIsOneLine(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{"secret\nmore\n": "secret", "no end": "no end", "\n": "", "with space \r\n": "with space "} {
		path := filepath.Join(t.TempDir(), "typed")
		if err := os.WriteFile(path, []byte(typed), 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := readPassword(file)
		if err != nil || got != want {
			t.Errorf("%q: got %q, %v", typed, got, err)
		}
		_ = file.Close()
	}
	if _, err := readLine(bytes.NewReader(nil)); !errors.Is(err, io.EOF) {
		t.Errorf("nothing typed: got %v", err)
	}
}

func TestWriteErrorsAreReturned(t *testing.T) {
	t.Parallel()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = reader.Close()
	_ = writer.Close()
	s := &Session{Env: Env{Stdout: writer}}
	for name, err := range map[string]error{
		"text": s.Print("x"), "json": s.PrintJSON(1, ""), "line": s.PrintJSONLine(1), "csv": s.PrintCSV([]string{"a"}, nil),
		"alerts": s.PrintAlerts(nil),
	} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestCompletionIsSilentWithoutConfiguration(t *testing.T) {
	t.Parallel()
	runner := NewRunner(Env{LookupEnv: os.LookupEnv})
	runner.flags.config = filepath.Join(t.TempDir(), "missing.yaml")
	names, directive := runner.Complete(nil)(&cobra.Command{}, nil, "")
	if len(names) != 0 || directive != cobra.ShellCompDirectiveNoFileComp {
		t.Errorf("got %v, %v", names, directive)
	}
}

func TestQuestions(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]bool{"y\n": true, "YES\n": true, " y \r\n": true, "n\n": false, "\n": false, "yeah\n": false, "y": true} {
		var stderr bytes.Buffer
		s := &Session{Env: Env{Stdin: strings.NewReader(typed), Stderr: &stderr}}
		got, err := s.Confirm("Sure?")
		if err != nil || got != want || stderr.String() != "Sure? (y/N) " {
			t.Errorf("%q: got %v, %v, asked %q", typed, got, err, stderr.String())
		}
	}
	s := &Session{Env: Env{Stdin: strings.NewReader(""), Stderr: io.Discard}}
	if _, err := s.Confirm("Sure?"); !errors.Is(err, io.EOF) {
		t.Errorf("nothing typed: got %v", err)
	}
}

func TestAQuestionLeavesTheNextAnswer(t *testing.T) {
	t.Parallel()
	s := &Session{Env: Env{Stdin: strings.NewReader("y\nn\n"), Stderr: io.Discard}}
	first, _ := s.Confirm("First?")
	second, err := s.Confirm("Second?")
	if !first || second || err != nil {
		t.Errorf("got %v, %v, %v", first, second, err)
	}
}

func TestWhatCannotBeRecordedIsSaid(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	path := filepath.Join(t.TempDir(), "crowdsec.db")
	s := &Session{Env: Env{User: "alice", Now: time.Now}, Log: newLog(Env{Stderr: &stderr}, slog.LevelError, Human)}
	s.Config = &config.Config{Database: &config.Database{Type: "sqlite", Path: path}, API: config.API{Server: &config.APIServer{}}}
	err := s.WithStore(t.Context(), func(db *Store) error {
		db.Record(t.Context(), "machine.add", "nothing changed", 0)
		db.Record(t.Context(), "machine.add", "m1", 1)
		entries, err := db.AuditEntries(t.Context(), 10)
		if err != nil || len(entries) != 1 || entries[0].Actor != "alice" || entries[0].ActorKind != "cscli" || entries[0].Subject != "m1" {
			t.Errorf("got %+v, %v", entries, err)
		}
		if err := db.Close(); err != nil {
			return err
		}
		db.Record(t.Context(), "machine.delete", "m1", 1)
		return nil
	})
	if err != nil || !strings.Contains(stderr.String(), `msg="the change is made, but not on record" action=machine.delete`) {
		t.Errorf("logged %q, %v", stderr.String(), err)
	}
}
