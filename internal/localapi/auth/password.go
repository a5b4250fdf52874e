package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/crypto/bcrypt"

	"shieldwall/internal/domain/fault"
)

// passwords hashes and compares machine passwords, no more at once than there are processors: the work is
// slow by intent and anybody can ask for it.
type passwords struct {
	slots  chan struct{}
	proven *proven
}

// decoy is the hash of random bytes that were thrown away, to compare with when there is no such machine.
const decoy = "$2a$10$84FuZBv0a5P0w/6jh5IVke3yraSaTQtAv4Bs6FSCDs/uiGNtrkxFq"

func newPasswords() (*passwords, error) {
	known, err := newProven()
	return &passwords{slots: make(chan struct{}, runtime.GOMAXPROCS(0)), proven: known}, err
}

// hash returns the bcrypt hash of password, Invalid when it is longer than 72 bytes.
func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	var hash []byte
	err := p.work(ctx, func() (err error) {
		hash, err = bcrypt.GenerateFromPassword([]byte(password), bcrypt.DefaultCost)
		return err
	})
	if errors.Is(err, bcrypt.ErrPasswordTooLong) {
		return "", fault.Errorf(fault.Invalid, "unable to hash")
	}
	return string(hash), err
}

// matches reports whether password is the one behind the hash that is stored for machine; "" stands for no such machine
// and takes as long as a wrong password. The right one takes its time once.
func (p *passwords) matches(ctx context.Context, machine, hash, password string) (bool, error) {
	shown := p.proven.proofOf(hash, password)
	if p.proven.holds(machine, shown) {
		return true, nil
	}
	right, err := p.compare(ctx, hash, password)
	if right {
		p.proven.keep(machine, shown)
	}
	return right, err
}

func (p *passwords) compare(ctx context.Context, hash, password string) (bool, error) {
	known := cmp.Or(hash, decoy)
	err := p.work(ctx, func() error { return bcrypt.CompareHashAndPassword([]byte(known), []byte(password)) })
	if fault.Is(err, fault.Unavailable) {
		return false, err
	}
	return err == nil && hash != "", nil
}

func (p *passwords) work(ctx context.Context, do func() error) error {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
		return do()
	case <-ctx.Done():
		return fault.Mark(fault.Unavailable, fmt.Errorf("waiting for a processor: %w", ctx.Err()))
	}
}
