package remediation

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/wire"
)

const (
	// usageEvery is the published interval between two reports.
	usageEvery = 15 * time.Minute
	// usageTimeout bounds one report.
	usageTimeout = 10 * time.Second
	// componentType is what the Local API shows as the type of this component.
	componentType = "crowdsec-firewall-bouncer"
)

// UsageAPI takes usage metrics.
type UsageAPI interface {
	// PushBouncerUsage sends one report. NotFound when the Local API knows no usage metrics.
	PushBouncerUsage(ctx context.Context, usage wire.UsageMetrics) error
}

// Identity is what a component tells of itself.
type Identity struct {
	Version string
	OS      wire.OSVersion
	Started time.Time
}

// UsageReporter tells the Local API, every quarter of an hour, what was enforced.
type UsageReporter struct {
	api      UsageAPI
	backend  Backend
	enforcer *Enforcer
	identity Identity
	now      func() time.Time
	log      *slog.Logger

	previous map[counted]Counter // as of the last report that arrived
	unknown  bool                // the Local API knows no usage metrics: said already
}

// counted is what a Counter counts.
type counted struct {
	dropped bool
	group   string
	ipv6    bool
}

// NewUsageReporter returns a UsageReporter that does nothing before Run.
func NewUsageReporter(
	api UsageAPI, enforcer *Enforcer, identity Identity, now func() time.Time, log *slog.Logger,
) *UsageReporter {
	return &UsageReporter{
		api: api, backend: enforcer.backend, enforcer: enforcer, identity: identity, now: now, log: log,
	}
}

// Run reports until ctx ends. Traffic that was counted before Run began is not reported: an earlier process
// may have reported it.
func (u *UsageReporter) Run(ctx context.Context) {
	if counters, err := u.backend.Counters(ctx); err == nil {
		u.previous = index(counters)
	}
	ticker := time.NewTicker(usageEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			u.report(ctx)
		}
	}
}

func (u *UsageReporter) report(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, usageTimeout)
	defer cancel()
	counters, err := u.backend.Counters(ctx)
	if err != nil {
		u.log.ErrorContext(ctx, "collecting counters", "error", err)
		return
	}
	err = u.api.PushBouncerUsage(ctx, u.usage(counters))
	switch {
	case err == nil:
		u.previous, u.unknown = index(counters), false
	case errors.Is(err, context.DeadlineExceeded):
		u.log.WarnContext(ctx, "timeout sending metrics")
	case !fault.Is(err, fault.NotFound):
		u.log.WarnContext(ctx, "failed to send metrics", "error", err)
	case !u.unknown:
		u.log.WarnContext(ctx, "metrics endpoint not found, older LAPI?")
		u.unknown = true
	}
}

func index(counters []Counter) map[counted]Counter {
	byKey := make(map[counted]Counter, len(counters))
	for _, counter := range counters {
		byKey[counted{counter.Dropped, counter.Group, counter.IPv6}] = counter
	}
	return byKey
}

// usage is the report of what was counted since the previous one.
func (u *UsageReporter) usage(counters []Counter) wire.UsageMetrics {
	items := append(activeItems(u.enforcer.Active()), auditItems(u.enforcer.Audits())...)
	for _, counter := range counters {
		items = append(items, u.trafficItems(counter)...)
	}
	return wire.UsageMetrics{RemediationComponents: []wire.RemediationComponentUsage{{
		Type: componentType,
		ComponentUsage: wire.ComponentUsage{
			FeatureFlags:        []string{},
			OS:                  &u.identity.OS,
			UTCStartupTimestamp: u.identity.Started.Unix(),
			Version:             u.identity.Version,
			Metrics: []wire.UsageWindow{{
				Items: items,
				Meta: wire.UsageMeta{
					UTCNowTimestamp:   u.now().Unix(),
					WindowSizeSeconds: int64(usageEvery / time.Second),
				},
			}},
		},
	}}}
}

func activeItems(active []Active) []wire.UsageItem {
	items := make([]wire.UsageItem, 0, len(active))
	for _, group := range active {
		items = append(items, wire.UsageItem{
			Name: "active_decisions", Unit: "ip", Value: float64(group.Count),
			Labels: map[string]string{"origin": group.Group, "ip_type": familyLabel(group.IPv6)},
		})
	}
	return items
}

// auditItems tell what the last comparison has found, when there was one.
func auditItems(audits Audits) []wire.UsageItem {
	if audits.Verified == 0 {
		return nil
	}
	last := audits.Last
	return []wire.UsageItem{
		{Name: "coverage", Unit: "percent", Value: last.Coverage()},
		{Name: "desired", Unit: "element", Value: float64(last.Wanted)},
		{Name: "missing", Unit: "element", Value: float64(last.Missing)},
		{Name: "stale", Unit: "element", Value: float64(last.Stale)},
		{Name: "foreign", Unit: "element", Value: float64(last.Foreign)},
		{Name: "verified", Unit: "timestamp", Value: float64(last.At.Unix())},
	}
}

func (u *UsageReporter) trafficItems(counter Counter) []wire.UsageItem {
	name, labels := "processed", map[string]string{"ip_type": familyLabel(counter.IPv6)}
	if counter.Dropped {
		name, labels["origin"] = "dropped", counter.Group
	}
	before := u.previous[counted{counter.Dropped, counter.Group, counter.IPv6}]
	if before.Packets > counter.Packets || before.Bytes > counter.Bytes {
		u.log.Warn("counter was reset", "name", name, "origin", counter.Group)
		before = Counter{}
	}
	return []wire.UsageItem{
		{Name: name, Unit: "byte", Value: float64(counter.Bytes - before.Bytes), Labels: labels},
		{Name: name, Unit: "packet", Value: float64(counter.Packets - before.Packets), Labels: labels},
	}
}
