package localapi

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"shieldwall/internal/localapi/allowlist"
	"shieldwall/internal/localapi/auth"
	"shieldwall/internal/localapi/presence"
	"shieldwall/internal/localapi/profile"
	"shieldwall/internal/localapi/stream"
)

// Server is a Local API. Make it with New.
type Server struct {
	cfg        Config
	store      Store
	log        *slog.Logger
	now        func() time.Time
	newUUID    func() string
	tokens     *auth.Tokens
	machines   *auth.Machines
	bouncers   *auth.Bouncers
	secrecy    *secrecy       // nil: plain HTTP
	issuance   *issuance      // nil: there is no authority
	complaints *auth.Throttle // of lines in the log
	index      *stream.Index
	snapshots  snapshots
	allowlists *allowlist.Index
	profiles   atomic.Pointer[profile.Evaluator]
	proxies    []netip.Prefix
	metrics    *metrics
	presence   *presence.Book
	journal    *journal
	traces     traces
	large      chan struct{} // see admission
	openAPI    func() ([]byte, error)
	handler    http.Handler
	stopping   chan struct{} // closed when open requests should come to an end

	listeners []net.Listener // set by Listen
}

// New returns a Server that has read the active decisions and can answer requests. The caller keeps the
// store open for as long as the Server is used.
func New(ctx context.Context, cfg Config, deps Deps) (*Server, error) {
	deps = deps.withDefaults()
	s := &Server{
		cfg: cfg, store: deps.Store, log: deps.Log, now: deps.Now, newUUID: deps.NewUUID, proxies: cfg.proxies(),
		presence: presence.New(deps.Store, deps.Log), journal: &journal{store: deps.Store, log: deps.Log},
		traces: traces{dir: cfg.TraceDir}, large: make(chan struct{}, largeAtOnce),
		openAPI: sync.OnceValues(encodeOpenAPI), stopping: make(chan struct{}),
	}
	var err error
	if err = s.openAuth(cfg, deps); err != nil {
		return nil, err
	}
	if s.metrics, err = newMetrics(deps.Registry, cfg.AggregatedMetrics); err != nil {
		return nil, err
	}
	s.index, err = stream.Open(ctx, deps.Store, stream.Options{
		Log: deps.Log, Now: deps.Now, Interval: cfg.FollowInterval,
	})
	if err != nil {
		return nil, err
	}
	if s.allowlists, err = allowlist.Open(ctx, s.store, deps.Now); err != nil {
		return nil, err
	}
	if err := s.registerGauges(deps.Registry); err != nil {
		return nil, err
	}
	s.SetProfiles(cfg.Profiles)
	s.handler = s.observe(s.routes())
	return s, nil
}

// Handler returns the whole API. It can be used without Listen and Serve, which add listeners, the following of other
// replicas, and regular calls of Flush.
func (s *Server) Handler() http.Handler { return s.handler }

// Applied returns the number of the last change of the decision log that answers include.
func (s *Server) Applied() int64 { return s.index.Seq() }

// Flush stores what is kept in memory for a moment: when machines and bouncers were heard of, and who changed what.
func (s *Server) Flush(ctx context.Context) error {
	return errors.Join(s.presence.Flush(ctx), s.journal.flush(ctx))
}

// SetProfiles replaces the profiles for alerts that arrive from now on.
func (s *Server) SetProfiles(profiles []profile.Profile) {
	for _, p := range profiles {
		if len(p.Notifications) > 0 {
			s.log.Warn("notifications of the profile are not sent", "profile", p.Name, "notifications", p.Notifications)
		}
	}
	s.profiles.Store(profile.NewEvaluator(profiles, s.log))
}
