package dbtest

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

const (
	postgresqlPackage = "postgresql"
	postgresqlFolders = "/usr/lib/postgresql/*/bin"
)

func postgresql() program {
	return program{
		kind: "pgx", admin: "postgres", user: "postgres",
		prepare: preparePostgreSQL, command: postgresqlCommand,
		socket:  func(dir string) string { return dir },
		orderly: syscall.SIGINT,
	}
}

func preparePostgreSQL(ctx context.Context, s *Server) error {
	initdb, err := find("initdb", postgresqlPackage, postgresqlFolders)
	if err != nil {
		return err
	}
	data := filepath.Join(s.dir, "data")
	err = s.run(ctx, initdb, "--pgdata="+data, "--auth=trust", "--username="+s.admin, "--no-sync", "--encoding=UTF8", "--locale=C")
	if err != nil {
		return err
	}
	const access = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-full\n"
	return os.WriteFile(filepath.Join(data, "pg_hba.conf"), []byte(access), 0o600) // which exists, with its owner
}

func postgresqlCommand(s *Server) ([]string, error) {
	server, err := find("postgres", postgresqlPackage, postgresqlFolders)
	if err != nil {
		return nil, err
	}
	words := []string{
		server, "-D", filepath.Join(s.dir, "data"), "-k", s.socket(s.dir), "-c", "max_connections=500",
		"-c", "shared_buffers=64MB",
	}
	if s.port == 0 {
		words = append(words, "-c", "listen_addresses=")
	} else {
		files := filesIn(s.dir)
		words = append(words, "-c", "listen_addresses=127.0.0.1", "-p", strconv.Itoa(s.port), "-c", "ssl=on",
			"-c", "ssl_ca_file="+files.ca, "-c", "ssl_cert_file="+files.cert, "-c", "ssl_key_file="+files.key)
	}
	if s.durable {
		return words, nil
	}
	return append(words, "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off"), nil
}
