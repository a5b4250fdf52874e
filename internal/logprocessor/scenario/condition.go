package scenario

import (
	"fmt"

	"shieldwall/internal/expression"
	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/event"
)

// evidence is one compiled bayesian condition.
type evidence struct {
	condition   *expression.Bool
	givenEvil   float32
	givenBenign float32
	staysTrue   bool
}

// compileConditions sets what a bucket is asked after each pour.
func (s *Scenario) compileConditions(from *spec, library *expression.Library) error {
	var condition *expression.Bool
	if from.Condition != "" {
		compiled, err := library.CompileBool(from.Condition, conditionEnv{})
		if err != nil {
			return fmt.Errorf("condition: %w", err)
		}
		condition = compiled
	}
	if s.bucket.Kind == bucket.Bayesian {
		return s.compileBayesian(from, library)
	}
	if condition != nil {
		s.bucket.Overflows = func(state *bucket.State, evt *event.Event) bool {
			return s.holds(condition, state, evt)
		}
	}
	return nil
}

func (s *Scenario) compileBayesian(from *spec, library *expression.Library) error {
	list := make([]evidence, 0, len(from.BayesianConditions))
	for i, c := range from.BayesianConditions {
		compiled, err := library.CompileBool(c.Condition, conditionEnv{})
		if err != nil {
			return fmt.Errorf("bayesian_conditions %d: %w", i+1, err)
		}
		list = append(list, evidence{compiled, c.ProbGivenEvil, c.ProbGivenBenign, c.Guillotine})
	}
	prior, threshold := from.BayesianPrior, from.BayesianThreshold
	s.bucket.Overflows = func(state *bucket.State, evt *event.Event) bool {
		return s.posterior(prior, list, state, evt) > threshold
	}
	return nil
}

// posterior is Bayes' rule applied to one condition after the other.
func (s *Scenario) posterior(prior float32, list []evidence, state *bucket.State, evt *event.Event) float32 {
	if state.Evidence == nil {
		state.Evidence = make([]bool, len(list))
	}
	p := prior
	for i, e := range list {
		holds := state.Evidence[i]
		if !holds {
			result, err := e.condition.Eval(s.conditionEnv(state, evt))
			if err != nil {
				s.log.Warn("bayesian condition cannot be evaluated", "error", err)
				continue
			}
			holds = result
			state.Evidence[i] = result && e.staysTrue
		}
		evil, benign := e.givenEvil, e.givenBenign
		if !holds {
			evil, benign = 1-evil, 1-benign
		}
		p = evil * p / (evil*p + benign*(1-p))
	}
	return p
}

func (s *Scenario) holds(condition *expression.Bool, state *bucket.State, evt *event.Event) bool {
	result, err := condition.Eval(s.conditionEnv(state, evt))
	if err != nil {
		s.log.Warn("condition cannot be evaluated", "error", err)
		return false
	}
	return result
}

func (s *Scenario) conditionEnv(state *bucket.State, evt *event.Event) *conditionEnv {
	return &conditionEnv{Evt: evt, Queue: s.queue(state), Leaky: s.leaky(state)}
}

func (s *Scenario) queue(state *bucket.State) Queue {
	return Queue{Queue: state.Queue, L: s.bucket.Keep}
}

func (s *Scenario) leaky(state *bucket.State) *Leaky {
	return &Leaky{
		Queue: s.queue(state), First_ts: state.First, Last_ts: state.Last, Ovflw_ts: state.Last,
		Total_count: state.Total, Duration: s.bucket.Lifetime,
	}
}
