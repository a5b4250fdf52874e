package engine

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"testing"

	"shieldwall/internal/config"
	"shieldwall/internal/localapi"
	"shieldwall/internal/localapi/store/sql"
	"shieldwall/internal/localapiclient"
	"shieldwall/internal/logprocessor/output"
)

// TestWayOut is short only where nobody else can be meant.
func TestWayOut(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	db, err := sql.Open(t.Context(), sql.Config{Type: "sqlite", Path: filepath.Join(t.TempDir(), "lapi.db")}, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	server, err := localapi.New(t.Context(), localapi.Config{Listen: "127.0.0.1:0", Secret: bytes.Repeat([]byte("s"), 64)}, localapi.Deps{Store: db})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	spool, err := output.Open(t.TempDir(), output.Options{}, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = spool.Close() })
	own, other := "http://"+server.Addr().String()+"/", "http://127.0.0.1:1/"
	for name, test := range map[string]struct {
		api         *localapi.Server
		credentials config.Credentials
		short       bool
	}{
		"own":                   {server, config.Credentials{URL: localapiclient.URLs{own}, Login: "m"}, true},
		"no Local API":          {nil, config.Credentials{URL: localapiclient.URLs{own}, Login: "m"}, false},
		"another one":           {server, config.Credentials{URL: localapiclient.URLs{other}, Login: "m"}, false},
		"own and another one":   {server, config.Credentials{URL: localapiclient.URLs{own, other}, Login: "m"}, false},
		"own, by a certificate": {server, config.Credentials{URL: localapiclient.URLs{own}, CertPath: "c", KeyPath: "k"}, false},
	} {
		p := &processor{log: log, spool: spool, api: test.api}
		alerts, sender := p.wayOut(&plan{credentials: test.credentials})
		_, short := alerts.(*output.Direct)
		if _, notes := sender.(*output.Direct); short != test.short || notes != test.short {
			t.Errorf("%s: alerts go to %T, what waits is sent with %T", name, alerts, sender)
		}
	}
}
