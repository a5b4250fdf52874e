package auth

import (
	"context"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store"
)

const (
	rememberBouncer = 5 * time.Second // a bouncer that is deleted keeps its access for so long
	rememberedMax   = 16384           // bouncers
)

// errForbidden is the one published answer to a key that is not accepted.
var errForbidden = errors.New("access forbidden")

// Bouncers authenticates remediation components. It remembers those it has seen for a few seconds, so that
// live queries are answered without the store. It is safe for concurrent use.
type Bouncers struct {
	store store.Bouncers
	log   *slog.Logger
	now   func() time.Time

	mu   sync.Mutex // guards seen
	seen *simplelru.LRU[caller, remembered]
}

// caller is what tells bouncers apart: several may share a key.
type caller struct {
	keyHash string
	address netip.Addr
}

type remembered struct {
	bouncer domain.Bouncer
	until   time.Time
}

// Caller is a request of a bouncer, as far as it says who calls.
type Caller struct {
	Key       string
	Address   netip.Addr
	UserAgent string
}

// NewBouncers returns Bouncers that are kept in bouncers.
func NewBouncers(bouncers store.Bouncers, log *slog.Logger, now func() time.Time) (*Bouncers, error) {
	seen, err := simplelru.NewLRU[caller, remembered](rememberedMax, nil)
	if err != nil {
		return nil, err
	}
	return &Bouncers{store: bouncers, log: log, now: now, seen: seen}, nil
}

// HashKey returns how the key of a bouncer is stored.
func HashKey(key string) string {
	sum := sha512.Sum512([]byte(key))
	return hex.EncodeToString(sum[:])
}

// Probe returns a bouncer with the key and changes nothing; Forbidden without one.
func (b *Bouncers) Probe(ctx context.Context, key string) (domain.Bouncer, error) {
	rows, err := b.withKey(ctx, HashKey(key))
	if err != nil {
		return domain.Bouncer{}, err
	}
	if key == "" || len(rows) == 0 {
		return domain.Bouncer{}, fault.Mark(fault.Forbidden, errForbidden)
	}
	return rows[0], nil
}

// Authenticate returns the bouncer that calls; Forbidden for an unknown key. A key that is used from a
// second address gets a bouncer of its own, named after the first one and the address.
func (b *Bouncers) Authenticate(ctx context.Context, who Caller) (domain.Bouncer, error) {
	if who.Key == "" {
		return domain.Bouncer{}, fault.Mark(fault.Forbidden, errForbidden)
	}
	id := caller{keyHash: HashKey(who.Key), address: who.Address}
	kind, version := agentOf(who.UserAgent)
	if bouncer, ok := b.recall(id); ok && bouncer.Type == kind && bouncer.Version == version {
		return bouncer, nil
	}
	bouncer, err := b.identify(ctx, id)
	if err != nil {
		return domain.Bouncer{}, err
	}
	if bouncer.Type != kind || bouncer.Version != version {
		bouncer.Type, bouncer.Version = kind, version
		change := store.BouncerChange{Type: &kind, Version: &version}
		if err := b.store.UpdateBouncer(ctx, bouncer.ID, change); err != nil {
			return domain.Bouncer{}, err
		}
	}
	b.remember(id, bouncer)
	return bouncer, nil
}

// Update stores what has changed about a bouncer that called from address.
func (b *Bouncers) Update(ctx context.Context, bouncer domain.Bouncer, address netip.Addr, change store.BouncerChange) error {
	id := caller{keyHash: bouncer.KeyHash, address: address}
	if err := b.store.UpdateBouncer(ctx, bouncer.ID, change); err != nil {
		b.forget(id)
		return err
	}
	if change.Cursor != nil {
		bouncer.Cursor = *change.Cursor
	}
	if change.LastPull != nil {
		bouncer.LastPull = *change.LastPull
	}
	b.remember(id, bouncer)
	return nil
}

func (b *Bouncers) recall(id caller) (domain.Bouncer, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	found, ok := b.seen.Get(id)
	if !ok || !b.now().Before(found.until) {
		return domain.Bouncer{}, false
	}
	return found.bouncer, true
}

// remember keeps a bouncer until it has to be asked for again; being used does not prolong that.
func (b *Bouncers) remember(id caller, bouncer domain.Bouncer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	until := b.now().Add(rememberBouncer)
	if found, ok := b.seen.Peek(id); ok && b.now().Before(found.until) {
		until = found.until
	}
	b.seen.Add(id, remembered{bouncer: bouncer, until: until})
}

func (b *Bouncers) forget(id caller) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen.Remove(id)
}

// identify finds or makes the bouncer of a key at an address.
func (b *Bouncers) identify(ctx context.Context, id caller) (domain.Bouncer, error) {
	rows, err := b.withKey(ctx, id.keyHash)
	if err != nil {
		return domain.Bouncer{}, err
	}
	address := id.address.String()
	for _, row := range rows {
		if row.IPAddress == address {
			return onlyKeyed(row)
		}
	}
	rows = keyed(rows)
	switch {
	case len(rows) == 0:
		return domain.Bouncer{}, fault.Mark(fault.Forbidden, errForbidden)
	case len(rows) == 1 && rows[0].IPAddress == "":
		rows[0].IPAddress = address
		return rows[0], b.store.UpdateBouncer(ctx, rows[0].ID, store.BouncerChange{IPAddress: &address})
	}
	return b.addSibling(ctx, rows[0], address)
}

// withKey returns the bouncers that may use a key, in the order of their making.
func (b *Bouncers) withKey(ctx context.Context, hash string) ([]domain.Bouncer, error) {
	rows, err := b.store.Bouncers(ctx, store.BouncerFilter{KeyHash: hash})
	if err != nil {
		return nil, err
	}
	usable := make([]domain.Bouncer, 0, len(rows))
	for _, row := range rows {
		if !row.Revoked && subtle.ConstantTimeCompare([]byte(row.KeyHash), []byte(hash)) == 1 {
			usable = append(usable, row)
		}
	}
	return usable, nil
}

func onlyKeyed(row domain.Bouncer) (domain.Bouncer, error) {
	if row.AuthType != domain.AuthAPIKey {
		return domain.Bouncer{}, fault.Mark(fault.Forbidden, errForbidden)
	}
	return row, nil
}

func keyed(rows []domain.Bouncer) []domain.Bouncer {
	var list []domain.Bouncer
	for _, row := range rows {
		if row.AuthType == domain.AuthAPIKey {
			list = append(list, row)
		}
	}
	return list
}

func (b *Bouncers) addSibling(ctx context.Context, first domain.Bouncer, address string) (domain.Bouncer, error) {
	sibling := domain.Bouncer{
		Name: familyName(first.Name) + "@" + address, KeyHash: first.KeyHash, IPAddress: address,
		AuthType: domain.AuthAPIKey, AutoCreated: true,
	}
	added, err := b.store.AddBouncer(ctx, sibling)
	if !fault.Is(err, fault.Exists) {
		return added, err
	}
	return b.raced(ctx, sibling)
}

// raced returns the sibling that another request has just added, or refuses when the name belongs to
// another key.
func (b *Bouncers) raced(ctx context.Context, sibling domain.Bouncer) (domain.Bouncer, error) {
	rows, err := b.withKey(ctx, sibling.KeyHash)
	if err != nil {
		return domain.Bouncer{}, err
	}
	for _, row := range rows {
		if row.Name == sibling.Name {
			return row, nil
		}
	}
	b.log.WarnContext(ctx, "bouncer refused, its name belongs to another key", "bouncer", sibling.Name)
	return domain.Bouncer{}, fault.Mark(fault.Forbidden, errForbidden)
}

// familyName removes every "@address" at the end of name.
func familyName(name string) string {
	for {
		at := strings.LastIndexByte(name, '@')
		if at < 0 {
			return name
		}
		if _, err := netip.ParseAddr(name[at+1:]); err != nil {
			return name
		}
		name = name[:at]
	}
}

// agentOf returns what a User-Agent says about type and version.
func agentOf(agent string) (kind, version string) {
	kind, version, err := splitAgent(agent)
	if err != nil {
		return agent, "N/A"
	}
	return kind, version
}
