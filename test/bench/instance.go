package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"shieldwall/content"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/localapi/store/sql"
	"shieldwall/test/bench/corpus"
)

// instance is an installation in a folder of its own, with engine and Local API in one process.
type instance struct {
	dir   string
	rules string
}

// newInstance makes one that is ready to run and has seen nothing.
func newInstance(ctx context.Context, dir string, from rules) (*instance, error) {
	in := &instance{dir: dir, rules: from.name}
	if err := os.CopyFS(dir, content.DefaultConfig()); err != nil {
		return nil, fmt.Errorf("installing the configuration: %w", err)
	}
	if err := os.MkdirAll(in.path("data"), 0o750); err != nil {
		return nil, fmt.Errorf("installing data: %w", err)
	}
	if err := from.install(dir); err != nil {
		return nil, fmt.Errorf("installing the rules %s: %w", from.name, err)
	}
	for _, workers := range []int{1, 2} {
		if err := write(in.configuration(from.hubDir, workers), in.config(workers)); err != nil {
			return nil, fmt.Errorf("installing the configuration: %w", err)
		}
	}
	register := exec.CommandContext(ctx, "bin/cscli", "-c", in.config(1), "--error", "machines", "add", "--auto", "--force") //nolint:gosec // our own program
	if out, err := register.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("registering: %w: %s", err, out)
	}
	return in, os.Rename(in.path("data"), in.path("pristine"))
}

func (in *instance) path(name ...string) string {
	return filepath.Join(append([]string{in.dir}, name...)...)
}

// config returns the path of the configuration with so many workers, 1 or 2.
func (in *instance) config(workers int) string {
	return in.path("config-" + strconv.Itoa(workers) + ".yaml")
}

func (in *instance) configuration(hubDir string, workers int) []byte {
	if hubDir == "" {
		hubDir = in.path("hub")
	}
	return fmt.Appendf(nil, `common: {log_media: stdout}
config_paths: {config_dir: %[1]s, data_dir: %[1]s/data, hub_dir: %[2]s}
crowdsec_service: {parser_routines: %[3]d, acquisition_path: %[1]s/acquis.yaml}
db_config: {type: sqlite, db_path: %[1]s/data/crowdsec.db}
api:
  client: {credentials_path: %[1]s/local_api_credentials.yaml}
  server: {listen_socket: %[1]s/lapi.sock, profiles_path: %[1]s/profiles.yaml}
`, in.dir, hubDir, workers)
}

// reset forgets everything that earlier runs left.
func (in *instance) reset() error {
	if err := os.RemoveAll(in.path("data")); err != nil {
		return fmt.Errorf("forgetting an earlier run: %w", err)
	}
	if err := os.CopyFS(in.path("data"), os.DirFS(in.path("pristine"))); err != nil {
		return fmt.Errorf("forgetting an earlier run: %w", err)
	}
	return nil
}

// log is a file to be read.
type log struct {
	kind  corpus.Kind
	path  string
	lines int
}

// label is what the engine calls lines of that kind.
func (l log) label() string {
	if l.kind == corpus.Nginx {
		return "nginx"
	}
	return "syslog"
}

// replay is the command that reads a log to its end with so many workers, and says what is of that level.
func (in *instance) replay(l log, workers int, level string) []string {
	return []string{"bin/crowdsec", "-c", in.config(workers), "-" + level, "-dsn", "file://" + l.path, "-type", l.label()}
}

// alerts returns how many the Local API has stored.
func (in *instance) alerts(ctx context.Context) (count int, err error) {
	database, err := sql.Open(ctx, sql.Config{Type: "sqlite", Path: in.path("data", "crowdsec.db")}, slog.New(slog.DiscardHandler))
	if err != nil {
		return 0, err
	}
	defer database.Close() //nolint:errcheck // only read
	stored, err := database.Alerts(ctx, store.AlertFilter{NoDecisions: true})
	return len(stored), err
}
