package replicas

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/localapi/store/sql"
	"shieldwall/internal/localapi/store/sql/dbtest"
)

// servers are shared by all tests of this process, because starting one takes seconds.
var servers dbtest.Servers

const seedFlag = "replicas.seed"

func TestMain(m *testing.M) {
	flag.Uint64(seedFlag, 0, "`seed` of what happens; 0: another one each time")
	flag.Parse()
	os.Exit(servers.Run(m))
}

func seed(t *testing.T) uint64 {
	t.Helper()
	chosen, err := strconv.ParseUint(flag.Lookup(seedFlag).Value.String(), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if chosen == 0 {
		chosen = rand.Uint64()
	}
	return chosen
}

// TestBouncersHoldTheActiveSet is the promise of the package on each database. On MariaDB and PostgreSQL nothing but
// the database is shared. Several Local APIs on one SQLite file are no way to run it, as those who write wait for each
// other without order: there the replicas share a store, and cscli has its own, as it does beside a daemon.
func TestBouncersHoldTheActiveSet(t *testing.T) {
	chosen := seed(t)
	for _, engine := range []struct {
		name   string
		rounds int // SQLite is Go, which the race detector slows down
		fresh  func(t *testing.T) sql.Config
	}{
		{"sqlite", 2, func(t *testing.T) sql.Config {
			t.Helper()
			return sql.Config{Type: "sqlite", Path: filepath.Join(t.TempDir(), "crowdsec.db")}
		}},
		{"mariadb", 4, func(t *testing.T) sql.Config { t.Helper(); return configOf(servers.MariaDB(t).Database(t)) }},
		{"postgresql", 4, func(t *testing.T) sql.Config { t.Helper(); return configOf(servers.PostgreSQL(t).Database(t)) }},
	} {
		t.Run(engine.name, func(t *testing.T) {
			t.Logf("-%s=%d", seedFlag, chosen)
			rounds := engine.rounds
			if os.Getenv("SHIELDWALL_LONG") != "" {
				rounds = 300
			}
			s := newStage(t, engine.fresh(t), chosen)
			began := time.Now()
			for round := range rounds {
				if err := s.play(t.Context(), round); err != nil {
					t.Fatalf("round %d of -%s=%d: %v", round, seedFlag, chosen, err)
				}
				if played := round + 1; played%25 == 0 || played == rounds {
					t.Logf("measured: %d rounds in %v: %v", played, time.Since(began).Round(time.Millisecond), s.counts())
				}
			}
		})
	}
}

func configOf(d dbtest.Database) sql.Config {
	return sql.Config{Type: d.Type, Path: d.Socket, User: d.User, Name: d.Name, MaxOpenConns: 8}
}

// stage is everybody who takes part.
type stage struct {
	cluster   *cluster
	history   *history
	writers   []*writer
	admin     *administrator
	followers []*follower
	random    func(who int) *rand.Rand
	restarts  int
}

const (
	writers = 4
	actions = 14 // of a writer in a round
	changes = 5  // of the allowlist in a round
)

func newStage(t *testing.T, database sql.Config, chosen uint64) *stage {
	t.Helper()
	s := &stage{
		cluster: newCluster(t, database), history: newHistory(),
		random: func(who int) *rand.Rand { return rand.New(rand.NewPCG(chosen, uint64(who))) },
	}
	if _, err := s.cluster.cscli.CreateAllowlist(t.Context(), domain.Allowlist{Name: listName}); err != nil {
		t.Fatal(err)
	}
	addBouncer := func(name string) {
		if err := s.cluster.addBouncer(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	addBouncer("writer")
	for i := range writers {
		s.writers = append(s.writers, &writer{
			Rand: s.random(i), cluster: s.cluster, history: s.history, key: "writer",
			client: &http.Client{Transport: &http.Transport{}}, counts: map[string]int{},
		})
	}
	s.admin = &administrator{Rand: s.random(writers), cluster: s.cluster, history: s.history, counts: map[string]int{}}
	for i, r := range roles() {
		if r.key == "" {
			r.key = r.name
			addBouncer(r.key)
		}
		s.followers = append(s.followers, newFollower(s.cluster, s.history, r, s.random(100+i)))
	}
	return s
}

// play is a round: everybody acts at the same time, then all come to rest and are compared.
func (s *stage) play(ctx context.Context, round int) error {
	if err := s.shareNewKey(ctx, round); err != nil {
		return err
	}
	for _, w := range s.writers {
		w.token = s.cluster.token()
	}
	writing, ctx := errgroup.WithContext(ctx)
	following, stop := context.WithCancel(ctx)
	defer stop()
	follow, _ := errgroup.WithContext(ctx)
	for _, f := range s.followers {
		follow.Go(func() error { return f.run(following) })
	}
	for _, w := range s.writers {
		writing.Go(func() error { return w.run(ctx, actions) })
	}
	writing.Go(func() error { return s.admin.run(ctx, changes) })
	if round%2 == 1 {
		writing.Go(func() error { return s.restart(ctx, round/2%len(s.cluster.replicas)) })
	}
	err := writing.Wait()
	stop()
	if err := errors.Join(err, follow.Wait()); err != nil {
		return err
	}
	return s.rest(context.WithoutCancel(ctx))
}

// shareNewKey gives those who share a key one that nobody has used before.
func (s *stage) shareNewKey(ctx context.Context, round int) error {
	name := fmt.Sprintf("shared-%d", round)
	if err := s.cluster.addBouncer(ctx, name); err != nil {
		return err
	}
	for _, f := range s.followers {
		if f.key != f.name {
			f.key, f.started = name, false
		}
	}
	return nil
}

// restart closes a replica in the middle of everything, and opens it again.
func (s *stage) restart(ctx context.Context, which int) error {
	s.restarts++
	r := s.cluster.replicas[which]
	if err := r.stop(); err != nil {
		return err
	}
	return r.run(ctx)
}

// rest returns when every bouncer and every replica holds what is in force, or says who does not.
func (s *stage) rest(ctx context.Context) error {
	s.cluster.clock.skip(3 * time.Second) // what is short is over
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		before, err := s.inForce(ctx)
		if err != nil {
			return fmt.Errorf("coming to rest: %w", err)
		}
		caught, err := s.catchUp(ctx, before.Seq)
		if err != nil {
			return err
		}
		after, err := s.inForce(ctx)
		if err != nil {
			return err
		}
		if before.Seq != after.Seq || !caught { // a replica has just learned of an item of an allowlist, or of anything
			continue
		}
		active := map[string]domain.Decision{}
		for _, d := range after.Decisions {
			active[d.Scenario] = d
		}
		if err := s.compare(ctx, active); err != nil {
			return err
		}
		s.history.settle(active)
		return nil
	}
}

func (s *stage) inForce(ctx context.Context) (store.Snapshot, error) {
	return s.cluster.cscli.Snapshot(ctx, s.cluster.clock.Now())
}

// catchUp lets every follower poll once. It reports whether the answers were from seq or later.
func (s *stage) catchUp(ctx context.Context, seq int64) (bool, error) {
	caught := true
	for _, f := range s.followers {
		answered, err := f.poll(ctx)
		if err != nil {
			return false, f.blame(err)
		}
		caught = caught && answered && f.revision >= seq
	}
	return caught, nil
}

func (s *stage) compare(ctx context.Context, active map[string]domain.Decision) error {
	wrong := []error{s.history.judge(active, s.cluster.clock.Now())}
	for _, f := range s.followers {
		if err := f.compare(active); err != nil {
			wrong = append(wrong, f.blame(err))
		}
	}
	for i, r := range s.cluster.replicas {
		if err := s.compareReplica(ctx, r, active); err != nil {
			wrong = append(wrong, fmt.Errorf("replica %d: %w", i, err))
		}
	}
	return errors.Join(wrong...)
}

// compareReplica compares the live answer of a replica.
func (s *stage) compareReplica(ctx context.Context, r *replica, active map[string]domain.Decision) error {
	query := url.Values{"simulated": {"true"}}
	status, text, err := s.writers[0].call(ctx, r, http.MethodGet, "/v1/decisions?"+query.Encode(), nil)
	if err != nil || status != http.StatusOK {
		return fmt.Errorf("%d %s: %w", status, text, err)
	}
	var got []string
	for _, d := range decisionsIn(text) {
		got = append(got, d.Scenario)
	}
	slices.Sort(got)
	if want := slices.Sorted(maps.Keys(active)); !slices.Equal(got, want) {
		return fmt.Errorf("answers %q instead of %q", got, want)
	}
	return nil
}

func (s *stage) counts() map[string]int {
	total := map[string]int{"restarts of a replica": s.restarts, "bouncers": len(s.followers)}
	add := func(counts map[string]int) {
		for name, count := range counts {
			total[name] += count
		}
	}
	add(s.admin.counts)
	for _, w := range s.writers {
		add(w.counts)
	}
	for _, f := range s.followers {
		add(f.counts)
	}
	return total
}
