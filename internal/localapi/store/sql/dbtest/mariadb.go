package dbtest

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

const mariadbPackage = "mariadb-server"

func mariadb() program {
	return program{
		kind: "mysql", admin: "root",
		prepare: prepareMariaDB, command: mariadbCommand,
		socket:  func(dir string) string { return filepath.Join(dir, "socket") },
		orderly: syscall.SIGTERM,
	}
}

func prepareMariaDB(ctx context.Context, s *Server) error {
	install, err := find("mariadb-install-db", mariadbPackage)
	if err != nil {
		return err
	}
	return s.run(ctx, install, "--no-defaults", "--datadir="+filepath.Join(s.dir, "data"), "--skip-test-db",
		"--auth-root-authentication-method=normal", "--skip-name-resolve", mariadbUser())
}

// mariadbUser lets the server be root where the tests are.
func mariadbUser() string {
	if os.Geteuid() == 0 {
		return "--user=root"
	}
	return "--skip-log-bin" // which is the default
}

func mariadbCommand(s *Server) ([]string, error) {
	server, err := find("mariadbd", mariadbPackage)
	if err != nil {
		return nil, err
	}
	words := []string{
		server, "--no-defaults", mariadbUser(), "--datadir=" + filepath.Join(s.dir, "data"), "--socket=" + s.socket(s.dir),
		"--pid-file=" + filepath.Join(s.dir, "pid"), "--skip-name-resolve", "--max-connections=500",
		"--innodb-buffer-pool-size=64M", "--innodb-log-file-size=32M", "--performance-schema=OFF",
		"--character-set-server=latin1", // the worst that our tables have to bear
	}
	if s.port == 0 {
		words = append(words, "--skip-networking")
	} else {
		files := filesIn(s.dir)
		words = append(words, "--bind-address=127.0.0.1", "--port="+strconv.Itoa(s.port),
			"--ssl-ca="+files.ca, "--ssl-cert="+files.cert, "--ssl-key="+files.key)
	}
	if s.durable {
		return append(words, "--innodb-flush-log-at-trx-commit=1"), nil
	}
	return append(words, "--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync", "--innodb-doublewrite=OFF"), nil
}
