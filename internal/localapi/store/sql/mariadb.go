package sql

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	dbsql "database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/pressly/goose/v3"

	"shieldwall/internal/domain/fault"
)

// mariadbEngine is for MySQL too.
//
// Transactions that write see what is committed (READ COMMITTED): with the engine's default they would read what was
// true when they began, and lock gaps in which others have to insert.
func mariadbEngine() *engine {
	return &engine{
		name: "mariadb", migrations: goose.DialectMySQL,
		lock:      "SELECT GET_LOCK(CONCAT('shieldwall.', MD5(DATABASE())), 3600)",
		forUpdate: " FOR UPDATE", clock: "SELECT UTC_TIMESTAMP(6)",
		reading: &dbsql.TxOptions{Isolation: dbsql.LevelRepeatableRead, ReadOnly: true},
		settles: true, width: 255, nullTimes: true,
		bindTime: bindMariaDBTime, clean: validUTF8, reasonOf: mariadbReason,
		adopt: adoptMariaDB, restore: restoreTimes,
	}
}

const mariadbPort = 3306

// mariadbMode gives " its standard meaning, and refuses values that do not fit instead of changing them.
const mariadbMode = "'ANSI_QUOTES,STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'"

func openMariaDB(ctx context.Context, cfg Config, log *slog.Logger) (*Store, error) {
	settings := mysql.NewConfig()
	settings.User, settings.Passwd, settings.DBName = cfg.User, cfg.Password, cfg.Name
	settings.Net, settings.Addr = "tcp", net.JoinHostPort(cfg.Host, strconv.Itoa(cmp.Or(cfg.Port, mariadbPort)))
	if cfg.Host == "" {
		settings.Net, settings.Addr = "unix", cfg.Path
	}
	settings.Timeout = connectTimeout
	settings.ParseTime, settings.ClientFoundRows, settings.InterpolateParams, settings.RejectReadOnly = true, true, true, true
	settings.Params = map[string]string{"sql_mode": mariadbMode}
	settings.Logger = driverLog{log} // whatever it says, the error says as well
	if err := secureMariaDB(settings, cfg); err != nil {
		return nil, err
	}
	connector, err := mysql.NewConnector(settings)
	if err != nil {
		return nil, fault.Mark(fault.Invalid, err)
	}
	return openServer(ctx, cfg, mariadbEngine(), readCommitted{connector}, log)
}

// driverLog keeps what the driver has to say about broken connections for those who look.
type driverLog struct{ *slog.Logger }

// Print implements the logger of the driver.
func (l driverLog) Print(v ...any) {
	l.Debug("database driver", "message", strings.TrimSpace(fmt.Sprint(v...)))
}

// readCommitted sets the isolation of every connection. Its name as a variable differs between servers.
type readCommitted struct{ driver.Connector }

// Connect implements driver.Connector.
func (c readCommitted) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	executor, ok := conn.(driver.ExecerContext)
	if !ok {
		return nil, errors.Join(errors.New("the driver cannot execute statements"), conn.Close())
	}
	if _, err := executor.ExecContext(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", nil); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// secureMariaDB reads the published words: true, false, skip-verify and preferred. An authority or a client
// certificate turn TLS on.
func secureMariaDB(settings *mysql.Config, cfg Config) error {
	mode := strings.ToLower(cfg.TLS.Mode)
	own := cfg.TLS.CACert != "" || cfg.TLS.ClientCert != "" && cfg.TLS.ClientKey != ""
	switch mode {
	case "", "false":
		if !own {
			return nil
		}
	case "true", "skip-verify", "preferred":
	default:
		return fault.Errorf(fault.Invalid, "sslmode '%s' is not one of true, false, skip-verify, preferred", cfg.TLS.Mode)
	}
	secured, err := tlsOf(cfg)
	if err != nil {
		return err
	}
	secured.InsecureSkipVerify = mode == "skip-verify" || mode == "preferred"
	settings.TLS, settings.AllowFallbackToPlaintext = secured, mode == "preferred"
	return nil
}

func tlsOf(cfg Config) (*tls.Config, error) {
	secured := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: cmp.Or(cfg.Host, "localhost")}
	if cfg.TLS.CACert != "" {
		roots, err := x509.SystemCertPool()
		if err != nil {
			roots = x509.NewCertPool()
		}
		authority, err := os.ReadFile(cfg.TLS.CACert)
		if err != nil {
			return nil, fault.Errorf(fault.Invalid, "reading ssl_ca_cert: %w", err)
		}
		if !roots.AppendCertsFromPEM(authority) {
			return nil, fault.Errorf(fault.Invalid, "reading ssl_ca_cert: no certificate in %s", cfg.TLS.CACert)
		}
		secured.RootCAs = roots
	}
	if cfg.TLS.ClientCert != "" && cfg.TLS.ClientKey != "" {
		pair, err := tls.LoadX509KeyPair(cfg.TLS.ClientCert, cfg.TLS.ClientKey)
		if err != nil {
			return nil, fault.Errorf(fault.Invalid, "reading ssl_client_cert and ssl_client_key: %w", err)
		}
		secured.Certificates = []tls.Certificate{pair}
	}
	return secured, nil
}

// bindMariaDBTime writes UTC, whatever the time zone of the server: datetime columns have none.
func bindMariaDBTime(t time.Time) any {
	const (
		layout = "2006-01-02 15:04:05.000000"
		last   = "9999-12-31 23:59:59.000000"
	)
	if t = t.UTC(); t.Year() > 9999 {
		return last
	}
	return t.Format(layout)
}

// validUTF8 takes out what is no text.
func validUTF8(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

func mariadbReason(err error) reason {
	if errors.Is(err, mysql.ErrInvalidConn) {
		return reason{kind: fault.Unavailable}
	}
	var refused *mysql.MySQLError
	if !errors.As(err, &refused) {
		return reason{}
	}
	switch refused.Number {
	case 1062, 1586: // duplicate key
		return reason{kind: fault.Exists}
	case 1020, 1205, 1213, 1412, 1452: // row has changed, lock wait timeout, deadlock, table was altered, a row went that another refers to
		return reason{kind: fault.Unavailable, again: true}
	case 1406, 1366, 1264, 1292, 3140, 3141, 4025: // too long, no text, out of range, no time, no JSON
		return reason{kind: fault.Invalid}
	case 1021, 1028, 1030, 1037, 1038, 1040, 1041, 1053, 1114, 1129, 1158, 1159, 1160, 1161, 1180, 1189, 1190,
		1203, 1226, 1290, 1317, 1792, 1836, 1927, 1969, 3024: // out of disk, memory or connections, shutting down, read-only, killed
		return reason{kind: fault.Unavailable}
	}
	return reason{}
}

// adoptMariaDB can be repeated, as statements of data definition cannot be undone. They also end the transaction that
// they are in, so what has to be done as a whole needs a new one.
func adoptMariaDB(ctx context.Context, tx session, now time.Time) error {
	if err := tx.addColumn(ctx, "bouncers", "stream_cursor", "bigint NOT NULL DEFAULT 0"); err != nil {
		return err
	}
	if err := tx.uniqueUUIDs(ctx, tx.hasMariaDBIndex); err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "START TRANSACTION"); err != nil {
		return err
	}
	return tx.logActive(ctx, now)
}

func (s session) addColumn(ctx context.Context, table, column, definition string) error {
	var known int
	err := s.one(ctx, []any{&known}, `SELECT COUNT(*) FROM information_schema.columns
		WHERE table_schema = DATABASE() AND table_name = ? AND column_name = ?`, table, column)
	if err != nil || known > 0 {
		return err
	}
	_, err = s.exec(ctx, "ALTER TABLE "+table+" ADD COLUMN "+column+" "+definition)
	return err
}

func (s session) hasMariaDBIndex(ctx context.Context, table, index string) (bool, error) {
	var known int
	err := s.one(ctx, []any{&known}, `SELECT COUNT(*) FROM information_schema.statistics
		WHERE table_schema = DATABASE() AND table_name = ? AND index_name = ?`, table, index)
	return known > 0, err
}

// restoreTimes gives the published time columns microseconds. The replaced system makes them with seconds, and gives
// them back seconds when it migrates a database of ours. Its columns of type timestamp hold UTC as text in the time
// zone of the server; changing the type in a session of that zone keeps the text.
func restoreTimes(ctx context.Context, tx session, log *slog.Logger) error {
	columns := map[string][]string{}
	err := tx.each(ctx, func(scan scanFunc) error {
		var table, column string
		if err := scan(&table, &column); err != nil {
			return err
		}
		columns[table] = append(columns[table], "MODIFY "+column+" datetime(6) NULL")
		return nil
	}, `SELECT table_name, column_name FROM information_schema.columns
		WHERE table_schema = DATABASE() AND data_type IN ('timestamp', 'datetime') AND datetime_precision < 6
			AND table_name IN ('machines', 'bouncers', 'alerts', 'decisions', 'events', 'meta', 'config_items', 'locks', 'metrics',
				'allow_lists', 'allow_list_items')`)
	if err != nil {
		return fmt.Errorf("searching time columns: %w", err)
	}
	for table, changes := range columns {
		log.InfoContext(ctx, "giving time columns microseconds", "table", table, "columns", len(changes))
		if _, err := tx.exec(ctx, "ALTER TABLE "+table+" "+strings.Join(changes, ", ")); err != nil {
			return fmt.Errorf("giving time columns of %s microseconds: %w", table, err)
		}
	}
	return nil
}
