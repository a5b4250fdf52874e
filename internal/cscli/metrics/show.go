package metrics

import (
	"context"
	"errors"
	"net"
	"strconv"
	"sync"
	"time"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/domain"
)

// look is how tables are drawn.
type look struct {
	fancy bool
	exact bool // numbers are not shortened
}

// drawing is what tables look like, and whether empty ones are drawn: they are when someone asked for them.
type drawing struct {
	look

	asked bool
}

// sources are where the numbers come from. They are asked when the first type of metrics needs them.
type sources struct {
	samples func() samples              // none when the daemon does not answer
	reports func() []domain.UsageReport // none where there is no database
}

func show(ctx context.Context, s *session.Session, args []string, o options) error {
	chosen, err := choose(args)
	if err != nil {
		return err
	}
	if s.Output == session.Raw {
		return s.Unsupported()
	}
	if !s.Config.Prometheus.Enabled {
		return errors.New("prometheus is not enabled, can't show metrics")
	}
	from := sources{
		samples: sync.OnceValue(func() samples { return scrape(ctx, s, o.url) }),
		reports: sync.OnceValue(func() []domain.UsageReport { return reports(ctx, s) }),
	}
	if s.Output == session.JSON {
		documents := map[string]any{}
		for _, k := range chosen {
			documents[k.name] = k.content.document(from)
		}
		return s.PrintJSON(documents, " ")
	}
	return draw(s, chosen, from, drawing{look{s.Fancy, o.exact}, len(args) > 0})
}

func draw(s *session.Session, chosen []kind, from sources, d drawing) error {
	for _, k := range chosen {
		tables := k.content.tables(from, k.title, d)
		if err := s.PrintTables(tables...); err != nil {
			return err
		}
		if len(tables) == 0 && d.asked {
			if err := s.Print(k.none + "\n"); err != nil {
				return err
			}
		}
	}
	return nil
}

// scrape asks the daemon. That it does not run is no failure of this command.
func scrape(ctx context.Context, s *session.Session, url string) samples {
	if url == "" {
		url = defaultURL(s)
	}
	all, err := fetch(ctx, url)
	if err != nil {
		s.Warn(ctx, "fetching metrics: %s", err)
	}
	return all
}

// defaultURL is where the engine of this machine tells its metrics.
func defaultURL(s *session.Session) string {
	at := s.Config.Prometheus
	return "http://" + net.JoinHostPort(at.ListenAddr, strconv.Itoa(at.ListenPort)) + "/metrics"
}

// reports reads what components have told. A machine without a Local API has none.
func reports(ctx context.Context, s *session.Session) (all []domain.UsageReport) {
	if s.Config.API.Server == nil || s.Config.Database == nil {
		return nil
	}
	err := s.WithStore(ctx, func(db *session.Store) (err error) {
		all, err = db.UsageReports(ctx, time.Time{})
		return err
	})
	if err != nil {
		s.Warn(ctx, "unable to read usage metrics: %s", err)
	}
	return all
}
