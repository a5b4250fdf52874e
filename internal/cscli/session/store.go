package session

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store/sql"
)

// recordTimeout bounds how long a command that has done its work goes on trying to put it on record.
const recordTimeout = 5 * time.Second

// Store is the database of the Local API on this machine, and the record of what commands change in it.
type Store struct {
	*sql.Store

	user string
	log  *slog.Logger
}

// Record writes down that the user has done action to count rows, or to the one thing that subject names. Nothing was
// changed when count is zero. The change is made already: that it could not be recorded is logged, and does not make
// it a failure.
func (db *Store) Record(ctx context.Context, action, subject string, count int) {
	if count == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	err := db.AddAudit(ctx, []domain.AuditEntry{{
		ActorKind: "cscli", Actor: db.user, Action: action, Subject: subject, Count: count,
	}})
	if err != nil {
		db.log.ErrorContext(ctx, "the change is made, but not on record", "action", action, "subject", subject, "error", err)
	}
}

// WithStore calls do with the open database and closes it afterwards.
func (s *Session) WithStore(ctx context.Context, do func(*Store) error) (err error) {
	db, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return do(db)
}

// openStore opens the database of the Local API on this machine.
func (s *Session) openStore(ctx context.Context) (*Store, error) {
	if s.Config.API.Server == nil {
		s.Log.WarnContext(ctx, "crowdsec local API is disabled")
		return nil, errors.New("local API is disabled -- this command must be run on the local API machine")
	}
	db := s.Config.Database
	if db == nil {
		return nil, errors.New("no database configuration provided")
	}
	opened, err := sql.Open(ctx, sql.Config{
		Type: db.Type, Path: db.Path, User: db.User, Password: db.Password, Name: db.Name, Host: db.Host, Port: db.Port,
		TLS: sql.TLS{Mode: db.SSLMode, CACert: db.SSLCACert, ClientCert: db.SSLClientCert, ClientKey: db.SSLClientKey},
		WAL: db.UseWAL, MaxOpenConns: db.MaxOpenConns, Now: s.Now,
	}, s.Log)
	if err != nil {
		return nil, err
	}
	return &Store{Store: opened, user: s.User, log: s.Log}, nil
}

// StoreFunc is the body of a command that works on the database.
type StoreFunc func(ctx context.Context, s *Session, db *Store, args []string) error

// RunOnStore is Run with the database opened before and closed after.
func (r *Runner) RunOnStore(do StoreFunc) func(*cobra.Command, []string) error {
	return r.Run(func(ctx context.Context, s *Session, args []string) error {
		return s.WithStore(ctx, func(db *Store) error { return do(ctx, s, db, args) })
	})
}

// CompleteOnStore is Complete for names that the database knows.
func (r *Runner) CompleteOnStore(names func(context.Context, *Session, *Store) ([]string, error)) cobra.CompletionFunc {
	return r.Complete(func(ctx context.Context, s *Session) (list []string, err error) {
		err = s.WithStore(ctx, func(db *Store) error {
			list, err = names(ctx, s, db)
			return err
		})
		return list, err
	})
}
