package dbtest

import (
	"context"
	"path/filepath"
)

const (
	postgresqlPackage = "postgresql"
	postgresqlFolders = "/usr/lib/postgresql/*/bin"
)

func postgresql() program {
	return program{
		kind: "pgx", admin: "postgres", user: "postgres",
		prepare: preparePostgreSQL, command: postgresqlCommand,
		socket: func(dir string) string { return dir },
	}
}

func preparePostgreSQL(ctx context.Context, s *Server) error {
	initdb, err := find("initdb", postgresqlPackage, postgresqlFolders)
	if err != nil {
		return err
	}
	return s.run(ctx, initdb, "--pgdata="+filepath.Join(s.dir, "data"), "--auth=trust", "--username="+s.admin, "--no-sync",
		"--encoding=UTF8", "--locale=C")
}

func postgresqlCommand(s *Server) ([]string, error) {
	server, err := find("postgres", postgresqlPackage, postgresqlFolders)
	if err != nil {
		return nil, err
	}
	words := []string{
		server, "-D", filepath.Join(s.dir, "data"), "-k", s.socket(s.dir), "-c", "listen_addresses=", "-c", "max_connections=500",
		"-c", "shared_buffers=64MB",
	}
	if s.durable {
		return words, nil
	}
	return append(words, "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off"), nil
}
