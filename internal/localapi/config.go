package localapi

import (
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/localapi/auth"
	"shieldwall/internal/localapi/profile"
	"shieldwall/internal/localapi/store"
)

// Config says how to serve. It is valid as it is; at least one of Listen and Socket is needed to listen.
type Config struct {
	Listen                    string // host:port, "" for none
	Socket                    string // path of a Unix socket, "" for none
	TrustedIPs                []netip.Prefix
	UseForwardedFor           bool
	TrustedProxies            []netip.Prefix // any turns UseForwardedFor on; none with it trusts every IPv4 peer
	DisableRemoteRegistration bool
	AutoRegistration          *auth.AutoRegistration // nil: off
	TLS                       *TLS                   // of Listen; nil: plain HTTP
	Secret                    []byte                 // signs tokens, at least 64 bytes; shared by replicas
	Profiles                  []profile.Profile
	AggregatedMetrics         bool          // leaves out what is counted by machine, bouncer or scenario
	TraceDir                  string        // where the stacks of panics are kept, "" for nowhere
	FollowInterval            time.Duration // between two looks for what other replicas wrote, default 1s
	Alone                     bool          // no other Local API shares the database, so nobody needs to ask what others told
}

// Deps are what a Server works with. Store is required.
type Deps struct {
	Store    Store
	Log      *slog.Logger          // nil: no logs
	Now      func() time.Time      // nil: time.Now
	NewUUID  func() string         // nil: random ones
	HTTP     *http.Client          // asks OCSP servers; nil: one of its own
	Registry prometheus.Registerer // nil: the metrics are not registered

	Authority Authority // issues certificates to those who ask over TLS; nil: nobody does
}

// Store is everything a Server keeps.
type Store interface {
	store.Machines
	store.Bouncers
	store.Alerts
	store.Decisions
	store.ChangeLog
	store.Allowlists
	store.Usage
	store.Audit
	store.Presence
}

func (d Deps) withDefaults() Deps {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.NewUUID == nil {
		d.NewUUID = uuid.NewString
	}
	if d.HTTP == nil {
		d.HTTP = defaultHTTP()
	}
	return d
}

// proxies returns the peers whose forwarding headers are believed.
func (c Config) proxies() []netip.Prefix {
	if len(c.TrustedProxies) > 0 {
		return slices.Clone(c.TrustedProxies)
	}
	if c.UseForwardedFor {
		return []netip.Prefix{netip.PrefixFrom(netip.IPv4Unspecified(), 0)}
	}
	return nil
}
