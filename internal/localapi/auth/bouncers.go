package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha512"
	"crypto/subtle"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/presence"
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
	store        store.Bouncers
	presence     *presence.Book
	certificates *Certificates
	log          *slog.Logger
	now          func() time.Time

	mu   sync.Mutex // guards seen
	seen *simplelru.LRU[caller, remembered]
}

// caller is what tells bouncers apart: several may share a key, or a certificate.
type caller struct {
	certified string // name of the bouncer with a certificate, "" for one with a key
	keyHash   string
	address   netip.Addr
}

type remembered struct {
	bouncer domain.Bouncer
	until   time.Time
}

// Caller is a request of a bouncer, as far as it says who calls.
type Caller struct {
	Key       string
	TLS       *tls.ConnectionState // with a certificate that the client has shown, Key does not count
	Address   netip.Addr
	UserAgent string
}

// BouncerOptions are what Bouncers work with.
type BouncerOptions struct {
	Certificates *Certificates // nil: none is accepted
	Presence     *presence.Book
	Log          *slog.Logger
	Now          func() time.Time
}

// NewBouncers returns Bouncers that are kept in bouncers.
func NewBouncers(bouncers store.Bouncers, options BouncerOptions) (*Bouncers, error) {
	seen, err := simplelru.NewLRU[caller, remembered](rememberedMax, nil)
	if err != nil {
		return nil, err
	}
	return &Bouncers{
		store: bouncers, presence: options.Presence, certificates: options.Certificates, log: options.Log, now: options.Now,
		seen: seen,
	}, nil
}

// HashKey returns how the key of a bouncer is stored.
func HashKey(key string) string {
	sum := sha512.Sum512([]byte(key))
	return hex.EncodeToString(sum[:])
}

// Probe returns a bouncer that may be who calls, and changes nothing; Forbidden without one. A bouncer whose
// certificate is good does not have to be known yet.
func (b *Bouncers) Probe(ctx context.Context, who Caller) (domain.Bouncer, error) {
	id, err := b.claim(ctx, who)
	if err != nil {
		return domain.Bouncer{}, err
	}
	if id.certified != "" {
		return domain.Bouncer{Name: id.certified, AuthType: domain.AuthTLS}, nil
	}
	rows, err := b.withKey(ctx, id.keyHash)
	if err != nil {
		return domain.Bouncer{}, err
	}
	if rows = slices.DeleteFunc(rows, isRevoked); len(rows) == 0 {
		return domain.Bouncer{}, forbidden(ReasonKey, "unknown key")
	}
	return rows[0], nil
}

// Authenticate returns the bouncer that calls; Forbidden for an unknown key, or a certificate that is not
// accepted. A key that is used from a second address gets a bouncer of its own, named after the first one
// and the address; so does a certificate from each address.
func (b *Bouncers) Authenticate(ctx context.Context, who Caller) (domain.Bouncer, error) {
	id, err := b.claim(ctx, who)
	if err != nil {
		return domain.Bouncer{}, err
	}
	kind, version := agentOf(who.UserAgent)
	if bouncer, ok := b.recall(id); ok && bouncer.Type == kind && bouncer.Version == version {
		return bouncer, nil
	}
	bouncer, err := b.identify(ctx, id)
	if err != nil {
		return domain.Bouncer{}, err
	}
	bouncer = b.presence.Amend(bouncer)
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

// claim returns who calls: proven by a certificate, or as the key says, which the store has to confirm.
func (b *Bouncers) claim(ctx context.Context, who Caller) (caller, error) {
	if !presented(who.TLS) {
		if who.Key == "" {
			return caller{}, forbidden(ReasonKey, "no key")
		}
		return caller{keyHash: HashKey(who.Key), address: who.Address}, nil
	}
	commonName, err := b.certificates.check(ctx, who.TLS)
	var refusal *RefusalError
	if errors.As(err, &refusal) {
		masked := forbidden(refusal.Reason, refusal.Error())
		masked.Certificate = refusal.Certificate
		return caller{}, masked
	}
	return caller{certified: certifiedName(commonName, who.Address), address: who.Address}, err
}

// forbidden is a refusal whose reason only the log may know.
func forbidden(reason Reason, detail string) *RefusalError {
	return refuse(SideBouncer, reason, fault.Forbidden, errForbidden).because(detail)
}

// Note takes down when a bouncer that called from address has pulled, and how far it got. It is in force at once, and is
// stored a moment later.
func (b *Bouncers) Note(bouncer domain.Bouncer, address netip.Addr, change store.BouncerChange) {
	id := caller{keyHash: bouncer.KeyHash, address: address}
	if bouncer.AuthType == domain.AuthTLS {
		id = caller{certified: bouncer.Name, address: address}
	}
	b.presence.NoteBouncer(bouncer.ID, change)
	if change.Cursor != nil {
		bouncer.Cursor = *change.Cursor
	}
	if change.LastPull != nil {
		bouncer.LastPull = *change.LastPull
	}
	if change.Standing != nil {
		bouncer.Standing = *change.Standing
	}
	b.remember(id, bouncer)
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

// identify finds or makes the bouncer of a caller.
func (b *Bouncers) identify(ctx context.Context, id caller) (domain.Bouncer, error) {
	if id.certified != "" {
		return b.identifyCertified(ctx, id)
	}
	rows, err := b.withKey(ctx, id.keyHash)
	if err != nil {
		return domain.Bouncer{}, err
	}
	address := id.address.String()
	for _, row := range rows {
		if row.IPAddress == address {
			return row, usable(row, domain.AuthAPIKey)
		}
	}
	rows = slices.DeleteFunc(rows, func(row domain.Bouncer) bool { return usable(row, domain.AuthAPIKey) != nil })
	switch {
	case len(rows) == 0:
		return domain.Bouncer{}, forbidden(ReasonKey, "unknown key")
	case len(rows) == 1 && rows[0].IPAddress == "":
		return b.claimFirst(ctx, rows[0], id)
	}
	return b.addSibling(ctx, rows[0], address)
}

// claimFirst gives a bouncer that was never used to who calls, unless somebody else with its key was faster, here or at
// another replica: two who share a bouncer would each miss what the other is told.
func (b *Bouncers) claimFirst(ctx context.Context, unused domain.Bouncer, id caller) (domain.Bouncer, error) {
	unused.IPAddress = id.address.String()
	err := b.store.UpdateBouncer(ctx, unused.ID, store.BouncerChange{IPAddress: &unused.IPAddress})
	if fault.Is(err, fault.NotFound) {
		return b.identify(ctx, id)
	}
	return unused, err
}

// identifyCertified finds or makes the bouncer of a certificate.
func (b *Bouncers) identifyCertified(ctx context.Context, id caller) (domain.Bouncer, error) {
	row, err := b.named(ctx, id.certified)
	if !fault.Is(err, fault.NotFound) {
		return row, err
	}
	added, err := b.store.AddBouncer(ctx, domain.Bouncer{
		Name: id.certified, KeyHash: HashKey(rand.Text()), IPAddress: id.address.String(),
		AuthType: domain.AuthTLS, AutoCreated: true,
	})
	if fault.Is(err, fault.Exists) { // another request was faster
		return b.named(ctx, id.certified)
	}
	if err == nil {
		b.log.InfoContext(ctx, "bouncer created for a client certificate", "bouncer", id.certified)
	}
	return added, err
}

// named returns the bouncer with the name if it uses a certificate, NotFound without one.
func (b *Bouncers) named(ctx context.Context, name string) (domain.Bouncer, error) {
	rows, err := b.store.Bouncers(ctx, store.BouncerFilter{Name: name})
	if err != nil {
		return domain.Bouncer{}, err
	}
	if len(rows) == 0 {
		return domain.Bouncer{}, fault.Errorf(fault.NotFound, "no bouncer %s", name)
	}
	return rows[0], usable(rows[0], domain.AuthTLS)
}

// withKey returns the bouncers of a key, in the order of their making.
func (b *Bouncers) withKey(ctx context.Context, hash string) ([]domain.Bouncer, error) {
	rows, err := b.store.Bouncers(ctx, store.BouncerFilter{KeyHash: hash})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(rows, func(row domain.Bouncer) bool {
		return subtle.ConstantTimeCompare([]byte(row.KeyHash), []byte(hash)) != 1
	}), nil
}

// usable returns why a bouncer may not be used by somebody who proves himself in a way.
func usable(row domain.Bouncer, way domain.AuthType) error {
	switch {
	case row.AuthType != way:
		return forbidden(ReasonAuthType, fmt.Sprintf("bouncer %s is configured to use %s", row.Name, row.AuthType))
	case isRevoked(row):
		return forbidden(ReasonRevoked, fmt.Sprintf("bouncer %s was revoked", row.Name))
	}
	return nil
}

func isRevoked(row domain.Bouncer) bool { return row.Revoked }

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
			return row, usable(row, domain.AuthAPIKey)
		}
	}
	return domain.Bouncer{}, forbidden(ReasonAuthType, fmt.Sprintf("the name %s belongs to another key", sibling.Name))
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
		return clip(agent), "N/A"
	}
	return kind, version
}
