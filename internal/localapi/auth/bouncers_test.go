package auth_test

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/auth"
	"shieldwall/internal/localapi/presence"
	"shieldwall/internal/localapi/store"
)

// bouncerStore keeps bouncers in memory and counts how often it is asked.
type bouncerStore struct {
	mu    sync.Mutex
	rows  []domain.Bouncer
	asked int
	race  func(*bouncerStore) // happens before an addition
}

func (s *bouncerStore) AddBouncer(_ context.Context, b domain.Bouncer) (domain.Bouncer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.race != nil {
		s.race(s)
	}
	for _, row := range s.rows {
		if row.Name == b.Name {
			return domain.Bouncer{}, fault.Errorf(fault.Exists, "taken")
		}
	}
	b.ID = int64(len(s.rows) + 1)
	s.rows = append(s.rows, b)
	return b, nil
}

func (s *bouncerStore) Bouncers(_ context.Context, filter store.BouncerFilter) ([]domain.Bouncer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	var found []domain.Bouncer
	for _, row := range s.rows {
		if (filter.KeyHash == "" || row.KeyHash == filter.KeyHash) && (filter.Name == "" || row.Name == filter.Name) {
			found = append(found, row)
		}
	}
	return found, nil
}

func (s *bouncerStore) UpdateBouncer(_ context.Context, id int64, change store.BouncerChange) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.IndexFunc(s.rows, func(b domain.Bouncer) bool { return b.ID == id })
	if at < 0 {
		return fault.Errorf(fault.NotFound, "no such bouncer")
	}
	row := &s.rows[at]
	if change.IPAddress != nil && row.IPAddress != "" {
		return fault.Errorf(fault.NotFound, "somebody else has it")
	}
	set(&row.IPAddress, change.IPAddress)
	set(&row.Type, change.Type)
	set(&row.Version, change.Version)
	set(&row.LastPull, change.LastPull)
	set(&row.Cursor, change.Cursor)
	return nil
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

func (s *bouncerStore) DeleteBouncer(context.Context, int64) error {
	s.rows = nil
	return nil
}

func (s *bouncerStore) names() string {
	var names []string
	for _, row := range s.rows {
		names = append(names, row.Name+"="+row.IPAddress)
	}
	return strings.Join(names, " ")
}

func keyed(id int64, name, address string) domain.Bouncer {
	return domain.Bouncer{ID: id, Name: name, KeyHash: auth.HashKey("k"), IPAddress: address, AuthType: domain.AuthAPIKey}
}

func newBouncers(t *testing.T, s store.Bouncers, now *time.Time) *auth.Bouncers {
	t.Helper()
	bouncers, err := auth.NewBouncers(s, auth.BouncerOptions{
		Presence: presence.New(nil, nil), Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return *now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return bouncers
}

func TestHashKeyIsThePublishedForm(t *testing.T) {
	t.Parallel()
	const want = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
	if got := auth.HashKey("abc"); got != want {
		t.Errorf("got %s", got)
	}
}

func TestAuthenticate(t *testing.T) {
	t.Parallel()
	revoked, revokedHere, tls := keyed(1, "b", ""), keyed(1, "b", "10.0.0.1"), keyed(1, "b", "10.0.0.1")
	revoked.Revoked, revokedHere.Revoked, tls.AuthType = true, true, domain.AuthTLS
	for _, test := range []struct {
		name, key string
		rows      []domain.Bouncer
		race      func(*bouncerStore)
		want      string // name of the bouncer, "" for refused
		then      string // all bouncers
	}{
		{"adopts its first address", "k", []domain.Bouncer{keyed(1, "b", "")}, nil, "b", "b=10.0.0.1"},
		{"known address", "k", []domain.Bouncer{keyed(1, "b", ""), keyed(2, "c", "10.0.0.1")}, nil, "c", "b= c=10.0.0.1"},
		{"second address", "k", []domain.Bouncer{keyed(1, "b", "10.0.0.2")}, nil, "b@10.0.0.1", "b=10.0.0.2 b@10.0.0.1=10.0.0.1"},
		{"two without address", "k", []domain.Bouncer{keyed(1, "b", ""), keyed(2, "c", "")}, nil, "b@10.0.0.1", "b= c= b@10.0.0.1=10.0.0.1"},
		{"the family name has no addresses", "k", []domain.Bouncer{keyed(1, "a@b@10.9.9.9@::1", "10.0.0.2")}, nil, "a@b@10.0.0.1", "a@b@10.9.9.9@::1=10.0.0.2 a@b@10.0.0.1=10.0.0.1"},
		{"wrong key", "x", []domain.Bouncer{keyed(1, "b", "")}, nil, "", "b="},
		{"no key", "", []domain.Bouncer{keyed(1, "b", "")}, nil, "", "b="},
		{"revoked", "k", []domain.Bouncer{revoked}, nil, "", "b="},
		{"revoked at its address", "k", []domain.Bouncer{revokedHere, keyed(2, "c", "10.0.0.2")}, nil, "", "b=10.0.0.1 c=10.0.0.2"},
		{"a revoked one beside it", "k", []domain.Bouncer{revoked, keyed(2, "c", "")}, nil, "c", "b= c=10.0.0.1"},
		{"of a certificate", "k", []domain.Bouncer{tls}, nil, "", "b=10.0.0.1"},
		{"of a certificate elsewhere", "k", []domain.Bouncer{{ID: 1, Name: "b", KeyHash: auth.HashKey("k"), IPAddress: "10.0.0.2", AuthType: domain.AuthTLS}}, nil, "", "b=10.0.0.2"},
		{
			"another request was faster", "k",
			[]domain.Bouncer{keyed(1, "b", "10.0.0.2")},
			func(s *bouncerStore) { s.rows = append(s.rows, keyed(2, "b@10.0.0.1", "10.0.0.1")) },
			"b@10.0.0.1", "b=10.0.0.2 b@10.0.0.1=10.0.0.1",
		},
		{
			"the name belongs to another key", "k",
			[]domain.Bouncer{keyed(1, "b", "10.0.0.2"), {ID: 2, Name: "b@10.0.0.1", KeyHash: auth.HashKey("other")}},
			nil, "", "b=10.0.0.2 b@10.0.0.1=",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			now := at(0)
			s := &bouncerStore{rows: test.rows, race: test.race}
			bouncers := newBouncers(t, s, &now)
			got, err := bouncers.Authenticate(t.Context(), auth.Caller{Key: test.key, Address: netip.MustParseAddr("10.0.0.1"), UserAgent: "a/1"})
			if got.Name != test.want || (test.want == "") != fault.Is(err, fault.Forbidden) {
				t.Errorf("got %q, %v, want %q", got.Name, err, test.want)
			}
			if test.want == "" && err.Error() != "access forbidden" {
				t.Errorf("error %v", err)
			}
			if test.want != "" && (got.Type != "a" || got.Version != "1") {
				t.Errorf("agent %q %q", got.Type, got.Version)
			}
			if s.names() != test.then {
				t.Errorf("left %q, want %q", s.names(), test.then)
			}
		})
	}
}

func TestBouncersAreRememberedForAMoment(t *testing.T) {
	t.Parallel()
	now := at(0)
	s := &bouncerStore{rows: []domain.Bouncer{keyed(1, "b", "")}}
	bouncers := newBouncers(t, s, &now)
	who := auth.Caller{Key: "k", Address: netip.MustParseAddr("10.0.0.1"), UserAgent: "a/1"}
	ask := func() (domain.Bouncer, error) { return bouncers.Authenticate(t.Context(), who) }
	b, err := ask()
	if err != nil {
		t.Fatal(err)
	}
	now = at(4)
	cursor := int64(7)
	pulled := now
	bouncers.Note(b, who.Address, store.BouncerChange{Cursor: &cursor, LastPull: &pulled})
	if b, err = ask(); err != nil || b.Cursor != 7 || !b.LastPull.Equal(at(4)) || s.asked != 1 {
		t.Errorf("got %+v, %v after asking %d times", b, err, s.asked)
	}
	who.UserAgent = "a/2"
	if b, err = ask(); err != nil || b.Version != "2" || b.Cursor != 7 || s.asked != 2 { // which is not stored yet
		t.Errorf("got %+v, %v after asking %d times", b, err, s.asked)
	}
	_ = s.DeleteBouncer(t.Context(), 1)
	now = at(5) // being used does not prolong the moment
	if _, err = ask(); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a deleted bouncer got in: %v", err)
	}
}

func TestManyAtOnceMakeOneSibling(t *testing.T) {
	t.Parallel()
	now := at(0)
	s := &bouncerStore{rows: []domain.Bouncer{keyed(1, "b", "10.0.0.2")}}
	bouncers := newBouncers(t, s, &now)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			b, err := bouncers.Authenticate(t.Context(), auth.Caller{Key: "k", Address: netip.MustParseAddr("10.0.0.1"), UserAgent: "a/1"})
			if err != nil || b.Name != "b@10.0.0.1" {
				t.Errorf("got %q, %v", b.Name, err)
			}
		})
	}
	group.Wait()
	if len(s.rows) != 2 {
		t.Errorf("left %q", s.names())
	}
}
