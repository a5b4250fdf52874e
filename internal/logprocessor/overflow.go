package logprocessor

import (
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/logprocessor/parser"
	"shieldwall/internal/logprocessor/scenario"
	"shieldwall/internal/wire"
)

const (
	// finishers is how many overflows go through the postoverflows at a time. What takes them long is waiting: for the
	// names of addresses, mostly.
	finishers = 32
	// maxUnfinished is how many more may wait for that before pouring does.
	maxUnfinished = 512
	// maxReprocessed bounds how often the overflows that one event causes are fed back, so that a scenario that
	// answers its own overflow comes to an end.
	maxReprocessed = 1000
)

// finish takes overflows through the postoverflows, beside the lines that come next. The order of what comes out is
// that of what went in.
type finish struct {
	overflows chan *finishing   // written by the sequencer
	inTurn    *parser.Runner    // of the sequencer; nil: nothing depends on when an overflow is finished
	heard     bool              // somebody may want to see overflows that are fed back
	matcher   *scenario.Matcher // of the sequencer, for those
}

// finishing is an overflow on its way. Until done is closed it belongs to who finishes it.
type finishing struct {
	evt  *event.Event
	done chan struct{}
}

// newFinish takes a recorder to want to be told in turn.
func newFinish(options *Options, observe parser.Observer) finish {
	f := finish{overflows: make(chan *finishing, maxUnfinished), matcher: options.Scenarios.NewMatcher()}
	if observe != nil || options.Postoverflows.Remembers() {
		f.inTurn = options.Postoverflows.NewRunner(nil, observe)
	}
	filled, all := options.Postoverflows.Fills()
	f.heard = observe != nil || !all || options.Scenarios.Hears(filled) // recorders are told what is fed back
	return f
}

// workers returns how many of them finish overflows beside the sequencer.
func (f *finish) workers() int {
	if f.inTurn != nil {
		return 0
	}
	return finishers
}

// finishOverflows works beside others of its kind.
func (p *Pipeline) finishOverflows() {
	runner := p.Postoverflows.NewRunner(nil, p.observe)
	for one := range p.finish.overflows {
		p.finishOverflow(runner, one)
	}
}

func (p *Pipeline) finishOverflow(runner *parser.Runner, one *finishing) {
	defer close(one.done)
	runner.Parse(one.evt)
	runner.Flush()
	p.Recorder.Overflowed(one.evt)
	if p.watched() {
		p.Tap.Overflowed(one.evt)
	}
}

// settle has overflows finished, and feeds back those that scenarios want to see again: these, and all that they cause,
// are finished before anything else is poured.
func (p *Pipeline) settle(overflows []*event.Event) []*finishing {
	var all []*finishing
	for fedBack := 0; len(overflows) > 0; overflows = overflows[1:] {
		feedBack := p.finish.heard && overflows[0].Overflow.Reprocess
		one := p.begin(overflows[0])
		all = append(all, one)
		if !feedBack {
			continue
		}
		<-one.done
		if one.evt.Overflow.Whitelisted {
			continue
		}
		if fedBack++; fedBack > maxReprocessed {
			p.Log.Error("not feeding back an overflow: one event caused too many", "alert", one.evt.Overflow.Alert.Message)
			continue
		}
		overflows = append(overflows, p.pour(one.evt, one.evt.Line.Origin(), p.finish.matcher.Append(nil, one.evt, p.Now().UTC()))...)
	}
	return all
}

func (p *Pipeline) begin(evt *event.Event) *finishing {
	one := &finishing{evt: evt, done: make(chan struct{})}
	if p.finish.inTurn != nil {
		p.finishOverflow(p.finish.inTurn, one)
	} else {
		p.finish.overflows <- one
	}
	return one
}

// conclude waits for overflows and returns the alerts to send.
func (p *Pipeline) conclude(overflows []*finishing) []*wire.Alert {
	var alerts []*wire.Alert
	for _, one := range overflows {
		<-one.done
		evt := one.evt
		if evt.Overflow.Whitelisted {
			p.Log.Info("overflow is whitelisted, skipping it", "alert", evt.Overflow.Alert.Message, "reason", evt.WhitelistReason)
			continue
		}
		p.Log.Info("overflow", "alert", evt.Overflow.Alert.Message)
		if p.Savepoints != nil {
			p.Savepoints.Name(evt)
		}
		alerts = append(alerts, evt.Overflow.APIAlerts...)
	}
	return alerts
}
