package replicas

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi"
	"shieldwall/internal/localapi/auth"
	"shieldwall/internal/localapi/profile"
	"shieldwall/internal/localapi/store/sql"
)

const (
	machineID = "m1"
	// judged is how long the decisions of the profile last, counted from the end of the attack.
	judged = time.Hour

	profiles = `name: ban
filters: ['Alert.Remediation == true && Alert.GetScope() in ["Ip", "Range"]']
decisions: [{type: ban, duration: 1h}]
on_success: break
`
)

// cluster is a database, the replicas that serve it, and cscli beside them.
type cluster struct {
	t        *testing.T
	clock    *clock
	database sql.Config
	profiles []profile.Profile
	secret   []byte
	replicas []*replica
	cscli    *sql.Store
	shared   *sql.Store // by the replicas; nil: each has its own
	log      *slog.Logger
}

func newCluster(t *testing.T, database sql.Config) *cluster {
	t.Helper()
	c := &cluster{t: t, clock: newClock(), database: database, secret: bytes.Repeat([]byte("s"), 64), log: slog.New(slog.DiscardHandler)}
	c.database.Now = c.clock.Now
	path := filepath.Join(t.TempDir(), "profiles.yaml")
	if err := os.WriteFile(path, []byte(profiles), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if c.profiles, err = profile.Load(path); err != nil {
		t.Fatal(err)
	}
	c.cscli = c.open()
	if database.Type == "sqlite" {
		c.shared = c.open()
	}
	err = c.cscli.AddMachine(t.Context(), domain.Machine{ID: machineID, Validated: true, AuthType: domain.AuthPassword})
	if err != nil {
		t.Fatal(err)
	}
	// One replica looks for what the other has done as often as it can, the other as seldom as by default.
	c.replicas = []*replica{{cluster: c, follow: 20 * time.Millisecond}, {cluster: c}}
	for _, r := range c.replicas {
		if err := r.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := r.stop(); err != nil {
				t.Error(err)
			}
		})
	}
	return c
}

func (c *cluster) open() *sql.Store {
	c.t.Helper()
	s, err := sql.Open(c.t.Context(), c.database, c.log)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			c.t.Error(err)
		}
	})
	return s
}

// store returns what a replica works with, and how to let go of it.
func (c *cluster) store(ctx context.Context) (s *sql.Store, closeStore func() error, err error) {
	if c.shared != nil {
		return c.shared, func() error { return nil }, nil
	}
	if s, err = sql.Open(ctx, c.database, c.log); err != nil {
		return nil, nil, err
	}
	return s, s.Close, nil
}

// token lets the machine in, for an hour of the clock.
func (c *cluster) token() string {
	c.t.Helper()
	tokens, err := auth.NewTokens(c.secret, c.clock.Now)
	if err != nil {
		c.t.Fatal(err)
	}
	token, _, err := tokens.Issue(machineID)
	if err != nil {
		c.t.Fatal(err)
	}
	return token
}

func (c *cluster) addBouncer(ctx context.Context, name string) error {
	_, err := c.cscli.AddBouncer(ctx, domain.Bouncer{Name: name, KeyHash: auth.HashKey(name), AuthType: domain.AuthAPIKey})
	return err
}

// replica is one Local API. It is used by one goroutine, but for url.
type replica struct {
	cluster *cluster
	follow  time.Duration // between two looks at what others have done
	end     func() error  // nil while it is stopped

	mu      sync.Mutex // guards address
	address string
}

func (r *replica) url() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return "http://" + r.address
}

// run returns when the replica listens. It serves until it is stopped, whatever ctx.
func (r *replica) run(ctx context.Context) error {
	c := r.cluster
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	db, closeStore, err := c.store(ctx)
	if err != nil {
		cancel()
		return err
	}
	server, err := localapi.New(ctx, localapi.Config{
		Listen: "127.0.0.1:0", Secret: c.secret, Profiles: c.profiles, FollowInterval: r.follow,
	}, localapi.Deps{Store: db, Now: c.clock.Now, Log: c.log})
	if err == nil {
		err = server.Listen(ctx)
	}
	if err != nil {
		cancel()
		return errors.Join(err, closeStore())
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx) }()
	r.end = func() error {
		cancel()
		return errors.Join(<-served, closeStore())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.address = server.Addr().String()
	return nil
}

// stop returns when the replica is gone. Its address refuses connections from then on.
func (r *replica) stop() error {
	if r.end == nil {
		return nil
	}
	err := r.end()
	r.end = nil
	return err
}
