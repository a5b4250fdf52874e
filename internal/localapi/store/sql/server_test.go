package sql_test

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store/sql"
	"shieldwall/internal/localapi/store/sql/dbtest"
)

func TestOpenRefusesServerConfiguration(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing.pem")
	for want, cfg := range map[string]sql.Config{
		"neither a host nor a socket (db_path) is given for the mysql database": {Type: "mysql", Name: "crowdsec"},
		"neither a host nor a socket (db_path) is given for the pgx database":   {Type: "pgx", Name: "crowdsec"},
		"no db_name is given for the postgresql database":                       {Type: "postgresql", Host: "localhost"},
		"sslmode 'require' is not one of true, false, skip-verify, preferred":   {Type: "mysql", Host: "localhost", Name: "c", TLS: sql.TLS{Mode: "require"}},
		"sslmode is invalid":                                          {Type: "postgres", Host: "localhost", Name: "c", TLS: sql.TLS{Mode: "skip-verify"}},
		"reading ssl_ca_cert: open " + missing:                        {Type: "mysql", Host: "localhost", Name: "c", TLS: sql.TLS{CACert: missing}},
		"reading ssl_client_cert and ssl_client_key: open " + missing: {Type: "mysql", Host: "localhost", Name: "c", TLS: sql.TLS{ClientCert: missing, ClientKey: missing}},
		"no such file": {Type: "pgx", Host: "localhost", Name: "c", TLS: sql.TLS{Mode: "verify-ca", CACert: missing}},
	} {
		cfg.Password = "secret of the database"
		_, err := sql.Open(t.Context(), cfg, discard())
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), cfg.Password) {
			t.Errorf("got %v (%s), want %s", err, fault.KindOf(err), want)
		}
	}
}

// A server that is not there, or does not let us in, is no reason to give up for ever; and nobody may read the password.
func TestOpenWithoutServer(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := closed.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert,errcheck // a test
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"mysql", "pgx"} {
		for name, cfg := range map[string]sql.Config{
			"socket": {Path: filepath.Join(t.TempDir(), "socket")},
			"host":   {Host: "127.0.0.1", Port: port},
		} {
			cfg.Type, cfg.Name, cfg.User, cfg.Password = kind, "crowdsec", "nobody", "secret of the database"
			_, err := sql.Open(t.Context(), cfg, discard())
			if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "crowdsec at ") || strings.Contains(err.Error(), cfg.Password) {
				t.Errorf("%s, %s: got %v (%s)", kind, name, err, fault.KindOf(err))
			}
		}
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		start  func(testing.TB) dbtest.Secured
		cfg    sql.Config // how to be let in
		others []sql.TLS  // how not
	}{
		"mariadb": {dbtest.SecuredMariaDB, sql.Config{Type: "mysql", TLS: sql.TLS{Mode: "true"}}, []sql.TLS{{Mode: "false"}, {Mode: "preferred"}, {Mode: "skip-verify"}}},
		"postgresql": {
			dbtest.SecuredPostgreSQL,
			sql.Config{Type: "pgx", TLS: sql.TLS{Mode: "verify-full"}},
			[]sql.TLS{{Mode: "disable"}, {Mode: "prefer"}, {Mode: "require"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := row.start(t)
			cfg := row.cfg
			cfg.Host, cfg.Port, cfg.User, cfg.Password, cfg.Name = "127.0.0.1", server.Port, server.User, server.Password, server.Name
			good := sql.TLS{Mode: cfg.TLS.Mode, CACert: server.CACert, ClientCert: server.ClientCert, ClientKey: server.ClientKey}
			cfg.TLS = good
			if _, err := openAny(t, cfg).AddAlerts(t.Context(), []domain.Alert{{Scenario: "s"}}); err != nil {
				t.Error(err)
			}
			untrusted, anonymous, halfPair := good, good, good
			untrusted.CACert = server.OtherCACert
			anonymous.ClientCert, anonymous.ClientKey = "", ""
			halfPair.ClientKey = ""
			for _, cfg.TLS = range append(row.others, untrusted, anonymous, halfPair) {
				if _, err := sql.Open(t.Context(), cfg, discard()); err == nil || strings.Contains(err.Error(), server.Password) {
					t.Errorf("%+v: let in, or %v", cfg.TLS, err)
				}
			}
		})
	}
}

// Whoever waits for a lock that somebody holds for long stops waiting when nobody is interested any more.
func TestWaitForTheServerEndsWithTheContext(t *testing.T) {
	t.Parallel()
	for name, fresh := range engines() {
		if name == "sqlite" {
			continue // see TestWaitForTheLockEndsWithTheContext
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := fresh(t)
			s := openAny(t, cfg)
			other, err := besideConfig(t, cfg).BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := other.ExecContext(t.Context(), "UPDATE counters SET value = value"); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- addWithDecision(ctx, s, "waiting") }()
			if err := s.AddMachine(t.Context(), domain.Machine{ID: "m"}); err != nil { // needs no number of the log
				t.Error(err)
			}
			cancel()
			if err := <-ended; err == nil {
				t.Error("the lock did not keep anybody out")
			}
			if err := other.Rollback(); err != nil {
				t.Fatal(err)
			}
			if err := addWithDecision(t.Context(), s, "after"); err != nil {
				t.Error(err)
			}
		})
	}
}
