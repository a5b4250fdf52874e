package logging_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"shieldwall/internal/platform/logging"
)

func TestTextFormat(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := logging.New(&out, logging.Options{Untimed: true}).With("module", "lapi").WithGroup("g")
	log.Warn("a \"quoted\" message", "key", "two words", "n", 3, "err", errors.New("x=y"))
	want := `level=warning msg="a \"quoted\" message" module=lapi g.key="two words" g.n=3 g.err="x=y"` + "\n"
	if out.String() != want {
		t.Errorf("got  %swant %s", out.String(), want)
	}
}

func TestTimedTextAndLevel(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := logging.New(&out, logging.Options{Level: slog.LevelInfo})
	log.Debug("hidden")
	log.Info("shown")
	pattern := regexp.MustCompile(`^time="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)" level=info msg="shown"\n$`)
	if !pattern.MatchString(out.String()) {
		t.Errorf("got %q", out.String())
	}
}

func TestJSONSpellsLevels(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	logging.New(&out, logging.Options{JSON: true}).Warn("careful")
	if !strings.Contains(out.String(), `"level":"warning","msg":"careful"`) {
		t.Errorf("got %s", out.String())
	}
}

func TestOpenFileRepeatsFatalOnStderr(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var stderr bytes.Buffer
	log, closeLog, err := logging.Open(logging.Options{Media: "file", Dir: dir, File: "x.log"}, nil, &stderr)
	if err != nil {
		t.Fatal(err)
	}
	log.Error("only in the file")
	log.Log(t.Context(), logging.LevelFatal, "in both")
	if err := closeLog(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "x.log"))
	if err != nil || strings.Count(string(text), "\n") != 2 {
		t.Errorf("file holds %q, %v", text, err)
	}
	if got := stderr.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "level=fatal msg=\"in both\"") {
		t.Errorf("stderr holds %q", got)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, options := range []logging.Options{
		{Media: "pigeon"},
		{Media: "file", Dir: "/does/not/exist", File: "x.log"},
	} {
		if _, _, err := logging.Open(options, nil, nil); err == nil {
			t.Errorf("Open(%+v) succeeded", options)
		}
	}
}

func TestParseLevel(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"trace", "debug", "info", "warning", "error", "fatal"} {
		level, err := logging.ParseLevel(name)
		if err != nil || logging.LevelName(level) != name {
			t.Errorf("%s: got %v, %v", name, level, err)
		}
	}
	if _, err := logging.ParseLevel("loud"); err == nil {
		t.Error("loud was accepted")
	}
}
