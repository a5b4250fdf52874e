package scenario

import (
	"slices"

	"shieldwall/internal/expression"
	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/platform/yamlfile"
)

// evidence is one compiled bayesian condition.
type evidence struct {
	condition   *expression.Bool
	givenEvil   float32
	givenBenign float32
	staysTrue   bool
}

// verdict says after a pour whether the bucket overflows.
type verdict func(state *bucket.State, latest bucket.Latest) bool

// compileConditions sets what a bucket is asked after each pour: its condition, the odds of a bayesian one.
func (s *Scenario) compileConditions(from *spec, library *expression.Library) error {
	var verdicts []verdict
	if from.Condition != "" {
		condition, err := library.CompileBool(from.Condition, conditionEnv{})
		if err != nil {
			return yamlfile.In("condition", err)
		}
		s.conditions = append(s.conditions, condition)
		verdict, err := s.verdictOf(from.Condition, condition, library)
		if err != nil {
			return yamlfile.In("condition", err)
		}
		verdicts = append(verdicts, verdict)
	}
	if s.bucket.Kind == bucket.Bayesian {
		odds, err := s.compileBayesian(from, library)
		if err != nil {
			return err
		}
		verdicts = append(verdicts, odds)
	}
	if len(verdicts) > 0 {
		s.bucket.Overflows = func(state *bucket.State, latest bucket.Latest) bool {
			return slices.ContainsFunc(verdicts, func(v verdict) bool { return v(state, latest) })
		}
	}
	return nil
}

// verdictOf makes buckets ask what a condition wants to know of each event when it comes, where that is possible and
// nothing else looks at the whole queue.
func (s *Scenario) verdictOf(text string, condition *expression.Bool, library *expression.Library) (verdict, error) {
	inFull := func(state *bucket.State, latest bucket.Latest) bool {
		return s.holds(condition, s.conditionEnv(state, latest))
	}
	if s.bucket.Kind == bucket.Bayesian || library.IsPlain() {
		return inFull, nil
	}
	watch, err := newWatch(text, library)
	if err != nil || watch == nil {
		return inFull, err
	}
	s.bucket.Ask = watch.ask(s)
	return func(state *bucket.State, latest bucket.Latest) bool {
		return watch.holds(s, state, latest)
	}, nil
}

func (s *Scenario) compileBayesian(from *spec, library *expression.Library) (verdict, error) {
	list := make([]evidence, 0, len(from.BayesianConditions))
	for i, c := range from.BayesianConditions {
		compiled, err := library.CompileBool(c.Condition, conditionEnv{})
		if err != nil {
			return nil, yamlfile.In("bayesian_conditions", yamlfile.Entry(i, yamlfile.In("condition", err)))
		}
		s.conditions = append(s.conditions, compiled)
		list = append(list, evidence{compiled, c.ProbGivenEvil, c.ProbGivenBenign, c.Guillotine})
	}
	prior, threshold := from.BayesianPrior, from.BayesianThreshold
	return func(state *bucket.State, latest bucket.Latest) bool {
		return s.posterior(prior, list, state, latest) > threshold
	}, nil
}

// posterior is Bayes' rule applied to one condition after the other.
func (s *Scenario) posterior(prior float32, list []evidence, state *bucket.State, latest bucket.Latest) float32 {
	if state.Evidence == nil {
		state.Evidence = make([]bool, len(list))
	}
	p, env := prior, s.conditionEnv(state, latest)
	for i, e := range list {
		holds := state.Evidence[i]
		if !holds {
			result, err := e.condition.Eval(env)
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

func (s *Scenario) holds(condition *expression.Bool, env any) bool {
	result, err := condition.Eval(env)
	if err != nil {
		s.log.Warn("condition cannot be evaluated", "error", err)
		return false
	}
	return result
}

func (s *Scenario) conditionEnv(state *bucket.State, latest bucket.Latest) *conditionEnv {
	leaky := s.leaky(state, state.Queue)
	return &conditionEnv{Evt: latest.Event(), Queue: leaky.Queue, Leaky: leaky}
}

func (s *Scenario) leaky(state *bucket.State, queue []*event.Event) *Leaky {
	return &Leaky{
		Mode: int(state.Clock), Queue: Queue{Queue: queue, L: s.bucket.Keep}, Mapkey: s.mapKey(state.Group),
		First_ts: state.First, Last_ts: state.Last, Ovflw_ts: state.Last,
		Total_count: state.Total, Duration: s.bucket.Lifetime,
	}
}
