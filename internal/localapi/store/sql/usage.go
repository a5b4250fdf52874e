package sql

import (
	"context"
	"strings"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store"
)

// AddUsage implements store.Usage.
func (s *Store) AddUsage(ctx context.Context, report domain.UsageReport, about store.UsageSender) error {
	return s.write(ctx, func(tx session) error {
		if err := tx.updateSender(ctx, report, about, s.now()); err != nil {
			return err
		}
		return tx.insertRows(ctx, "metrics", []string{"generated_type", "generated_by", "received_at", "pushed_at", "payload"},
			[]any{string(report.Kind), report.From, tx.time(s.now()), tx.timeOrNull(report.PushedAt), report.Payload})
	})
}

func (s session) updateSender(ctx context.Context, report domain.UsageReport, about store.UsageSender, now time.Time) error {
	var set assignments
	set.add("updated_at", s.time(now))
	set.add("version", about.Version)
	set.add("osname", about.OSName)
	set.add("osfamily", about.OSFamily)
	set.add("osversion", about.OSVersion)
	set.add("featureflags", strings.Join(about.FeatureFlags, ","))
	switch report.Kind {
	case domain.UsageRemediation:
		return set.update(ctx, s, "bouncers", "name = ?", report.From,
			fault.Errorf(fault.NotFound, "bouncer %s: bouncer not found", report.From))
	case domain.UsageLogProcessor:
		for column, document := range map[string]string{"hubstate": about.HubState, "datasources": about.Datasources} {
			if document != "" {
				set.add(column, document)
			}
		}
		return set.update(ctx, s, "machines", "machine_id = ?", report.From, machineNotFound(report.From))
	}
	return fault.Errorf(fault.Invalid, "usage report of unknown kind '%s'", report.Kind)
}

// UsageReports implements store.Usage.
func (s *Store) UsageReports(ctx context.Context, since time.Time) (reports []domain.UsageReport, err error) {
	err = s.ask(func(tx session) error {
		reports, err = collect(ctx, tx, scanUsageReport, `SELECT id, generated_type, generated_by, received_at, pushed_at, payload
			FROM metrics WHERE received_at >= ? ORDER BY id`, tx.time(since))
		return err
	})
	return reports, err
}

func scanUsageReport(scan scanFunc) (r domain.UsageReport, err error) {
	err = scan(&r.ID, &r.Kind, &r.From, instant{&r.ReceivedAt}, instant{&r.PushedAt}, &r.Payload)
	return r, err
}
