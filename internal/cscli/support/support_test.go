package support

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"shieldwall/internal/config"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/platform/logging"
)

// No secret of the configuration or the credentials is in an archive, in whatever form files, logs and commands have it.
func TestNoSecretIsInTheArchive(t *testing.T) {
	t.Parallel()
	text := rapid.StringMatching(`[a-zA-Z0-9 '"\\&<>+=$é/:%#-]{4,24}`).Filter(func(text string) bool {
		return len(strings.TrimSpace(text)) >= shortestSecret && !strings.Contains(text, "$")
	})
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		database, machine, token, variable := "Sdb"+text.Draw(t, "database"), "Smc"+text.Draw(t, "machine"), "Stk"+text.Draw(t, "token"), "Svr"+text.Draw(t, "variable")
		s := installed(t, dir, map[string]any{
			"config_paths": map[string]any{"data_dir": dir},
			"common":       map[string]any{"log_dir": dir},
			"db_config":    map[string]any{"type": "mysql", "user": "crowdsec", "host": "db.example", "password": database},
			"api": map[string]any{
				"client": map[string]any{"credentials_path": filepath.Join(dir, "credentials.yaml")},
				"server": map[string]any{
					"listen_uri": "127.0.0.1:1", "profiles_path": filepath.Join(dir, "config.yaml"),
					"auto_registration": map[string]any{"enabled": false, "token": token},
				},
				"cti": map[string]any{"key": "$CTI"},
			},
		}, variable)
		write(t, filepath.Join(dir, "credentials.yaml"), encode(t, map[string]any{"url": "http://127.0.0.1:1/", "login": "m1", "password": machine}))
		secrets := []string{database, machine, token, variable}
		said := ""
		for _, secret := range secrets {
			said += fmt.Sprintf("raw %s quoted %q yaml %s\n", secret, secret, encode(t, secret))
		}
		said += "mysql://root:open-sesame@db.example/x\n"
		write(t, filepath.Join(dir, "crowdsec.log"), []byte(said))
		main := func(_ context.Context, env session.Env, _ []string) int {
			_, _ = io.WriteString(env.Stdout, said)
			return 1
		}
		content, err := collector{session: s, main: main, fast: true}.collect(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range unpack(t, content) {
			for _, secret := range append(secrets, "open-sesame", "db.example\n") {
				if strings.Contains(text, secret) {
					t.Fatalf("%s has %q: %s", name, secret, text)
				}
			}
		}
	})
}

// installed returns a session on a machine with such a configuration.
func installed(t *rapid.T, dir string, document map[string]any, variable string) *session.Session {
	path := filepath.Join(dir, "config.yaml")
	write(t, path, encode(t, document))
	cfg, err := config.Load(path, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	return &session.Session{
		Env: session.Env{
			Now:       func() time.Time { return time.Date(2026, 11, 21, 19, 22, 13, 0, time.UTC) },
			LookupEnv: func(name string) (string, bool) { return encodeInline(variable), name == "CTI" },
		},
		Config: cfg,
		Log:    logging.New(io.Discard, logging.Options{Level: slog.LevelInfo}),
	}
}

// encodeInline is a text as it may stand in the place of a variable.
func encodeInline(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func encode(t *rapid.T, value any) []byte {
	text, err := yaml.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func write(t *rapid.T, path string, text []byte) {
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func unpack(t *rapid.T, content []byte) map[string]string {
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, file := range archive.File {
		reader, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		files[file.Name] = string(text)
	}
	return files
}

// What is no YAML goes into no archive. What is one says nothing under the keys of secrets.
func FuzzRedaction(f *testing.F) {
	f.Add("a: {password: b, list: [{token: c}]}\n---\nuser: d # old: e\n")
	f.Add("password: |\n  several\n  lines\nother: several lines\n")
	f.Add("a: &x secret\npassword: *x\nsecrets: [a, {b: c}]\n")
	f.Add("x: [")
	f.Fuzz(func(t *testing.T, text string) {
		var r redactor
		r.learn([]byte(text))
		r.text([]byte(text))
		out := (&redactor{}).yaml([]byte(text))
		for _, document := range documents(out) {
			walk(document, func(key string, value *yaml.Node) {
				if isSecret(key) && value.Value != "" && value.Value != redacted {
					t.Errorf("%q becomes %q", text, out)
				}
			})
		}
	})
}
