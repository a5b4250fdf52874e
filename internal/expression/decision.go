package expression

import (
	"context"
	"time"

	"shieldwall/internal/platform/duration"
)

const queryTimeout = 10 * time.Second

func (l *Library) decisionHelpers() []helper {
	return []helper{
		try1("GetActiveDecisionsCount", func(value string) (int, error) {
			return query(l, func(ctx context.Context) (int, error) {
				return l.decisions.CountActiveDecisions(ctx, value)
			})
		}),
		try1("GetActiveDecisionsTimeLeft", func(value string) (time.Duration, error) {
			return query(l, func(ctx context.Context) (time.Duration, error) {
				return l.decisions.ActiveDecisionsTimeLeft(ctx, value)
			})
		}),
		try1("GetDecisionsCount", func(value string) (int, error) {
			return query(l, func(ctx context.Context) (int, error) {
				return l.decisions.CountDecisions(ctx, value)
			})
		}),
		try2("GetDecisionsSinceCount", l.decisionsSince),
	}
}

// decisionsSince counts back from now over a duration such as "24h" or "7d".
func (l *Library) decisionsSince(value, back string) (int, error) {
	span, err := duration.Parse(back)
	if err != nil {
		return 0, err
	}
	since := l.now().Add(-span)
	return query(l, func(ctx context.Context) (int, error) {
		return l.decisions.CountDecisionsSince(ctx, value, since)
	})
}

// query yields 0 where there is no database to ask, as on a machine that only processes logs.
func query[R any](l *Library, ask func(context.Context) (R, error)) (R, error) {
	if l.decisions == nil {
		var none R
		l.log.Error("decisions are not available to expressions")
		return none, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
	defer cancel()
	return ask(ctx)
}
