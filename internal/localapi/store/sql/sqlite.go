package sql

import (
	"bytes"
	"context"
	dbsql "database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/pressly/goose/v3"
	"golang.org/x/sys/unix"
	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"shieldwall/internal/domain/fault"
)

func sqliteEngine() *engine {
	return &engine{
		name: "sqlite", migrations: goose.DialectSQLite3,
		reading:   &dbsql.TxOptions{ReadOnly: true},
		textTimes: true, bindTime: bindSQLiteTime, clean: asItIs, reasonOf: sqliteReason,
		stamp: "?1", firstID: firstSQLiteID,
		adopt: adoptSQLite,
	}
}

const (
	// sqliteTime is the published form of a time in SQLite. Only UTC is written, so texts compare, byte by byte,
	// as the instants they stand for: the first 19 bytes have a fixed width; then "+00:00" sorts before a
	// fraction ('+' < '.'), and inside fractions, which end without zeros, the end of the shorter one before any
	// further digit ('+' < '0'). One instant has one text. The years must have four digits.
	// Rows that are written otherwise are rewritten when a database is taken over, see normalizeTimes.
	sqliteTime = "2006-01-02 15:04:05.999999999-07:00"

	inMemory = ":memory:"

	// The published wait for another process's lock. It ends earlier with the context of the call.
	busyTimeout = "_pragma=busy_timeout(100000)"
	idleReaders = 8

	createMode = fs.FileMode(0o600)
	fileMode   = fs.FileMode(0o640) // so that a group may read it
)

func bindSQLiteTime(t time.Time) any {
	t = t.UTC()
	if t.Year() > 9999 {
		t = time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)
	}
	var room [len(sqliteTime)]byte
	text := t.AppendFormat(room[:0], time.RFC3339Nano) // which Go writes faster than sqliteTime
	text[bytes.IndexByte(text, 'T')] = ' '
	return string(append(text[:len(text)-len("Z")], "+00:00"...))
}

// firstSQLiteID holds for as long as the transaction has the database for itself.
func firstSQLiteID(ctx context.Context, tx session, table string) (last int64, err error) {
	err = tx.one(ctx, []any{&last}, "SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = ?", table)
	return last + 1, err
}

func sqliteReason(err error) reason {
	var refused *driver.Error
	if !errors.As(err, &refused) {
		return reason{}
	}
	switch refused.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return reason{kind: fault.Exists}
	}
	switch refused.Code() & 0xff { // without the extension
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PERM:
		return reason{kind: fault.Unavailable}
	}
	return reason{}
}

func openSQLite(ctx context.Context, cfg Config, log *slog.Logger) (*Store, error) {
	if cfg.Path == inMemory {
		return openInMemory(ctx, cfg, log)
	}
	// Another process may open the same file now: one of us creates and migrates it, the other waits here.
	unlock, err := lockDirectory(filepath.Dir(cfg.Path))
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := prepareFile(cfg.Path); err != nil {
		return nil, err
	}
	return connect(ctx, cfg, log)
}

// connect opens two pools. One connection writes, the others read. Writers of this process queue for it in memory, in
// order and under their contexts, instead of polling the lock of the file.
func connect(ctx context.Context, cfg Config, log *slog.Logger) (*Store, error) {
	writer, err := openPool(writerDSN(cfg.Path), 1)
	if err != nil {
		return nil, err
	}
	reader, err := openPool(fileURI(cfg.Path)+"?"+busyTimeout+"&_query_only=1", cfg.MaxOpenConns)
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	reader.SetMaxIdleConns(min(idleReaders, cfg.MaxOpenConns))
	s := newStore(sqliteEngine(), writer, reader, cfg.Now)
	want := "delete"
	if cfg.WAL == nil && !onNetwork(cfg.Path) || cfg.WAL != nil && *cfg.WAL {
		want = "wal"
	}
	if err := s.setJournalMode(ctx, want, log); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.migrate(ctx, log); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// openInMemory shares one connection between readers and writers: the database is the connection.
func openInMemory(ctx context.Context, cfg Config, log *slog.Logger) (*Store, error) {
	db, err := openPool(writerDSN(inMemory), 1)
	if err != nil {
		return nil, err
	}
	s := newStore(sqliteEngine(), db, db, cfg.Now)
	if err := s.migrate(ctx, log); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// writerDSN configures the connection that writes.
//
// Its transactions take the write lock when they begin: one that began by reading could not be repeated when
// another process wrote in between, and would end with SQLITE_BUSY whatever the timeout. Because there is one
// writer at a time, from BEGIN to COMMIT, sequence numbers rise in the order of the commits.
//
// synchronous is FULL: with NORMAL a write-ahead log is not flushed at a commit, and a power cut takes alerts
// back that were acknowledged and that their senders have forgotten.
func writerDSN(path string) string {
	return fileURI(path) + "?" + busyTimeout + "&_foreign_keys=1&_synchronous=FULL&_txlock=immediate" +
		"&_pragma=temp_store(2)&_pragma=cache_size(-16384)&_pragma=wal_autocheckpoint(8192)"
}

func fileURI(path string) string {
	if path == inMemory {
		return "file::memory:"
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath()
}

func openPool(dsn string, connections int) (*dbsql.DB, error) {
	connector, err := driver.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	db := dbsql.OpenDB(remembering{connector})
	db.SetMaxOpenConns(connections)
	return db, nil
}

// setJournalMode changes how the file keeps transactions; the file remembers it. It cannot be changed while
// another process uses the file, which is no reason to refuse: all processes use the mode that the file has.
func (s *Store) setJournalMode(ctx context.Context, want string, log *slog.Logger) error {
	var got string
	err := s.writer.QueryRowContext(ctx, "PRAGMA journal_mode = "+want).Scan(&got)
	if err != nil && sqliteReason(err).kind != fault.Unavailable {
		return fmt.Errorf("setting journal mode %s: %w", want, err)
	}
	if !strings.EqualFold(got, want) {
		log.WarnContext(ctx, "database keeps its journal mode", "wanted", want, "error", err)
	}
	return nil
}

// onNetwork says that the file is on a file system that other machines share, where the shared memory of a
// write-ahead log does not work.
func onNetwork(path string) bool {
	var about unix.Statfs_t
	if err := unix.Statfs(path, &about); err != nil {
		return false
	}
	switch about.Type {
	case unix.NFS_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC:
		return true
	}
	return false
}

// prepareFile creates a missing file so that nobody else can read it before it has its mode; SQLite gives the
// files beside it the same mode. An existing file is never opened here: closing it would drop the locks that
// SQLite holds on it in this process.
func prepareFile(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, createMode) //nolint:gosec // G304: the configured place of the database
	switch {
	case err == nil:
		err = file.Close()
	case errors.Is(err, fs.ErrExist):
		err = nil
	}
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() == fileMode {
		return err
	}
	return os.Chmod(path, fileMode)
}

// lockDirectory keeps other processes from opening a database in the directory until unlock is called. The
// directory itself is locked, which leaves no file behind; the kernel unlocks it for a process that dies. A file
// system that cannot lock directories (NFS) is used unlocked: only the very first start needs the lock. The wait
// lasts as long as another process migrates, and does not end with a context.
func lockDirectory(path string) (unlock func(), err error) {
	directory, err := os.Open(path) //nolint:gosec // G304: the configured place of the database
	if err != nil {
		return nil, err
	}
	unlock = func() { _ = directory.Close() } // nothing was written
	err = syscall.Flock(int(directory.Fd()), syscall.LOCK_EX)
	if err == nil || errors.Is(err, syscall.EBADF) || errors.Is(err, syscall.ENOTSUP) || errors.Is(err, syscall.ENOLCK) {
		return unlock, nil
	}
	unlock()
	return nil, fmt.Errorf("locking directory %s: %w", path, err)
}
