package profile

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/expr-lang/expr"

	"shieldwall/internal/domain"
	"shieldwall/internal/platform/duration"
	"shieldwall/internal/wire"
)

// Evaluator runs alerts through profiles, in their order. It is safe for concurrent use.
type Evaluator struct {
	profiles []Profile
	log      *slog.Logger
}

// NewEvaluator returns an Evaluator of profiles, which must not be changed any more.
func NewEvaluator(profiles []Profile, log *slog.Logger) *Evaluator {
	return &Evaluator{profiles: profiles, log: log}
}

// Evaluate returns the decisions about alert, which must have none yet: those of the first profile that
// yields any. While it runs, expressions of later profiles see them in the alert; afterwards the alert is
// as before. An error means that a filter cannot be evaluated and the profile does not say what then: the
// profile is to blame, not the alert, so its kind is fault.Internal and its sender tries again.
func (e *Evaluator) Evaluate(ctx context.Context, alert *wire.Alert) ([]wire.Decision, error) {
	seen := *alert
	for i := range e.profiles {
		p := &e.profiles[i]
		result, err := e.try(ctx, p, &seen)
		if err != nil {
			return nil, fmt.Errorf("profile '%s': %w", p.Name, err)
		}
		if len(seen.Decisions) == 0 {
			seen.Decisions = result.decisions
		}
		if result.last {
			break
		}
	}
	return seen.Decisions, nil
}

// outcome is what one profile says to an alert.
type outcome struct {
	decisions []wire.Decision
	last      bool // no further profile is asked
}

func (e *Evaluator) try(ctx context.Context, p *Profile, alert *wire.Alert) (outcome, error) {
	hits, err := e.countHits(ctx, p, alert)
	if err != nil {
		return e.afterError(ctx, p, hits, err)
	}
	if hits == 0 {
		return outcome{}, nil
	}
	result := outcome{last: p.breakOnSuccess}
	if len(alert.Decisions) == 0 {
		result.decisions = e.decide(ctx, p, alert, hits)
	}
	return result, nil
}

// countHits evaluates all filters: each one that holds yields its own set of decisions.
func (e *Evaluator) countHits(ctx context.Context, p *Profile, alert *wire.Alert) (int, error) {
	hits := 0
	for _, filter := range p.filters {
		value, err := expr.Run(filter.program, environment{Alert: alert})
		if err != nil {
			return hits, fmt.Errorf("filter %q: %w", filter.text, err)
		}
		holds, _ := value.(bool) // compiled as one: Run refuses everything else
		if holds {
			hits++
		}
		if p.debug {
			e.log.InfoContext(ctx, "profile filter evaluated", "profile", p.Name, "filter", filter.text, "holds", holds)
		}
	}
	return hits, nil
}

func (e *Evaluator) afterError(ctx context.Context, p *Profile, hits int, err error) (outcome, error) {
	if p.onError == refuseAlert {
		return outcome{}, err
	}
	e.log.WarnContext(ctx, "profile not evaluated", "profile", p.Name, "error", err)
	return outcome{last: p.onError == applyAnyway && p.breakOnSuccess || p.onError == breakIfHit && hits > 0}, nil
}

func (e *Evaluator) decide(ctx context.Context, p *Profile, alert *wire.Alert, sets int) []wire.Decision {
	override := e.override(ctx, p, alert)
	decisions := make([]wire.Decision, 0, sets*len(p.templates))
	for range sets {
		for _, t := range p.templates {
			decisions = append(decisions, t.decision(alert, override))
		}
	}
	return decisions
}

func (t *template) decision(alert *wire.Alert, override string) wire.Decision {
	decision := wire.Decision{
		Duration: t.duration, Origin: t.origin, Scenario: alert.Scenario, Type: t.kind, Value: alert.GetValue(),
		Scope: string(domain.NormalizeScope(t.scope)),
	}
	if t.scope == "" {
		decision.Scope = alert.GetScope()
	}
	if override != "" {
		decision.Duration = override
	}
	return decision
}

// override returns the duration that the profile computes for alert; "" when it computes none or fails to.
func (e *Evaluator) override(ctx context.Context, p *Profile, alert *wire.Alert) string {
	if p.durationOverride == nil {
		return ""
	}
	text, err := p.durationOverride.duration(alert)
	if err != nil {
		e.log.WarnContext(ctx, "duration_expr not applied", "profile", p.Name, "error", err)
		return ""
	}
	if p.debug {
		e.log.InfoContext(ctx, "profile duration computed", "profile", p.Name, "duration", text)
	}
	return text
}

func (x *expression) duration(alert *wire.Alert) (string, error) {
	value, err := expr.Run(x.program, environment{Alert: alert})
	if err != nil {
		return "", err
	}
	text, ok := value.(string)
	if !ok {
		return "", fmt.Errorf("%q yields a %T, not a text", x.text, value)
	}
	if _, err := duration.Parse(text); err != nil {
		return "", err
	}
	return text, nil
}
