package dbtest

import (
	"cmp"
	dbsql "database/sql"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"
)

// Database is a database on a server that listens on a socket. Its fields are the keys of db_config.
type Database struct {
	Type   string // "mysql" or "pgx"
	Socket string // db_path
	User   string
	Name   string // db_name
	Port   int    // of the name of a PostgreSQL socket; 0: the usual one
}

// Admin returns the database that a server begins with.
func (s *Server) Admin() Database {
	d := Database{Type: s.kind, Socket: s.socket(s.dir), User: s.admin, Name: "postgres", Port: s.port}
	if d.Type == "mysql" {
		d.Name = "mysql"
	}
	return d
}

// Database creates an empty database. It lasts as long as the server.
func (s *Server) Database(tb testing.TB) Database {
	tb.Helper()
	d := s.Admin()
	admin, err := d.Open()
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = admin.Close() }()
	d.Name = "test_" + strconv.FormatInt(s.databases.Add(1), 10)
	if _, err := admin.ExecContext(tb.Context(), "CREATE DATABASE "+d.Name); err != nil {
		tb.Fatalf("creating a database: %v", err)
	}
	return d
}

// Open opens the database as its drivers do by themselves. The caller closes it.
func (d Database) Open() (*dbsql.DB, error) {
	if d.Type == "mysql" {
		cfg := mysql.NewConfig()
		cfg.Net, cfg.Addr, cfg.User, cfg.DBName, cfg.ParseTime = "unix", d.Socket, d.User, d.Name, true
		cfg.Logger = &mysql.NopLogger{}
		return dbsql.Open("mysql", cfg.FormatDSN())
	}
	return dbsql.Open("pgx", fmt.Sprintf("host=%s port=%d user=%s dbname=%s", d.Socket, cmp.Or(d.Port, 5432), d.User, d.Name))
}

// Load runs a script, as the client programs of the server read it.
func (d Database) Load(tb testing.TB, path string) {
	tb.Helper()
	words := []string{"psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--host=" + d.Socket, "--username=" + d.User, d.Name}
	pkg := postgresqlPackage
	if d.Type == "mysql" {
		words = []string{"mariadb", "--no-defaults", "--socket=" + d.Socket, "--user=" + d.User, d.Name}
		pkg = mariadbPackage
	}
	client, err := find(words[0], pkg, postgresqlFolders)
	require(tb, err)
	script, err := os.Open(path) //nolint:gosec // G304: of a test
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = script.Close() }()
	command := exec.CommandContext(tb.Context(), client, words[1:]...) //nolint:gosec // G204: found by find
	command.Stdin = script
	if output, err := command.CombinedOutput(); err != nil {
		tb.Fatalf("loading %s: %v: %s", path, err, output)
	}
}
