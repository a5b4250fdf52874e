package replica

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/domain"
)

const (
	seenEvery   = 5 * time.Second
	seenTimeout = 15 * time.Second // a store may be busy with something large
	endTimeout  = 5 * time.Second  // of what is left to be told at the end
)

// Store is what replicas share.
type Store interface {
	// Acquire takes or renews a lease, and reports false while another holds it.
	Acquire(ctx context.Context, job, holder string, ttl time.Duration) (bool, error)
	// Release gives a lease back.
	Release(ctx context.Context, job, holder string) error
	// SeenNode stores a sign of life and returns how many changes the node has not applied.
	SeenNode(ctx context.Context, node domain.Node) (lag int64, err error)
	// ForgetNode removes a node.
	ForgetNode(ctx context.Context, id string) error
}

// Options say who this process is, and what it works with. All but Registry are required.
type Options struct {
	Node     domain.Node  // Hostname, PID, Address and Version
	Applied  func() int64 // last change of the decision log that is in memory
	Log      *slog.Logger
	Now      func() time.Time
	Registry prometheus.Registerer // nil: the gauges are not registered
}

// Replica is this process among all Local APIs on one database. It is safe for concurrent use.
type Replica struct {
	store   Store
	options Options
	node    domain.Node
	lag     atomic.Int64
	held    *prometheus.GaugeVec
}

// New returns the Replica that begins now. Until Run nobody knows of it.
func New(store Store, options Options) (*Replica, error) {
	r := &Replica{store: store, options: options, node: options.Node}
	r.node.StartedAt = options.Now()
	r.node.ID = fmt.Sprintf("%s-%d-%.8s", r.node.Hostname, r.node.PID, uuid.NewString())
	r.held = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "cs_lapi_lease_held", Help: "Whether this Local API does a job that only one of all may do.",
	}, []string{"job"})
	if options.Registry == nil {
		return r, nil
	}
	lag := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "cs_lapi_change_lag", Help: "Committed changes of decisions that this Local API did not know at its last sign of life.",
	}, func() float64 { return float64(r.lag.Load()) })
	for _, gauge := range []prometheus.Collector{r.held, lag} {
		if err := options.Registry.Register(gauge); err != nil {
			return nil, fmt.Errorf("registering metrics: %w", err)
		}
	}
	return r, nil
}

// Run gives signs of life until ctx ends, and then takes this node off the list. That the store is away is said once.
func (r *Replica) Run(ctx context.Context) {
	ticker := time.NewTicker(seenEvery)
	defer ticker.Stop()
	defer r.leave(context.WithoutCancel(ctx))
	for known := true; ; {
		err := r.appear(ctx)
		if err != nil && known && ctx.Err() == nil {
			r.options.Log.WarnContext(ctx, "other Local APIs do not see this one for now", "error", err)
		}
		known = err == nil
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (r *Replica) appear(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, seenTimeout)
	defer cancel()
	node := r.node
	node.Applied = r.options.Applied()
	lag, err := r.store.SeenNode(ctx, node)
	if err == nil {
		r.lag.Store(lag)
	}
	return err
}

func (r *Replica) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, endTimeout)
	defer cancel()
	if err := r.store.ForgetNode(ctx, r.node.ID); err != nil {
		r.options.Log.WarnContext(ctx, "this node stays on the list for a while", "error", err)
	}
}
