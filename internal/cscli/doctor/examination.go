package doctor

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapiclient"
	"shieldwall/internal/wire"
)

// The pauses between two looks at something that is to happen: each is twice the one before, as the access log of the
// Local API has a line for each look.
const (
	firstPause   = 5 * time.Millisecond
	longestPause = 320 * time.Millisecond
)

// firstPull is how long a component that has just been started may need to ask for decisions.
const firstPull = 12 * time.Second

// finding is what was found at a hop.
type finding struct {
	state  state
	detail string
	advice string
}

func seen(format string, args ...any) finding {
	return finding{proven, fmt.Sprintf(format, args...), ""}
}

func broken(advice, format string, args ...any) finding {
	return finding{failed, fmt.Sprintf(format, args...), advice}
}

// examination follows one attacker.
type examination struct {
	session *session.Session
	options options
	report  report

	client   *localapiclient.Client
	place    site
	kernel   *kernel // nil: it cannot be looked at
	blind    error   // why not
	attacker netip.Addr
	probe    *probe // nil: packets are not tried
	alert    wire.Alert
	decision int64
}

// run goes from hop to hop until one fails, and cleans up.
func (e *examination) run(ctx context.Context) {
	hops := []struct {
		name string
		look func(context.Context) finding
	}{
		{"local api", e.localAPI},
		{"log line", e.logLine},
		{"scenario", e.scenario},
		{"decision", e.decide},
		{"stream", e.stream},
		{"kernel", e.inKernel},
		{"packet", e.packet},
	}
	healthy := true
	for _, h := range hops {
		began := time.Now()
		f := finding{state: skipped}
		if healthy {
			f = e.look(ctx, h.look)
		}
		e.report.add(h.name, began, time.Now(), f)
		healthy = healthy && f.state != failed
	}
	if e.client == nil || !e.attacker.IsValid() {
		return
	}
	began := time.Now()
	f := e.cleanUp(context.WithoutCancel(ctx))
	e.report.add("clean-up", began, time.Now(), f)
	e.report.Proven = healthy && f.state != failed && e.isEnforced()
}

// look bounds a hop.
func (e *examination) look(ctx context.Context, at func(context.Context) finding) finding {
	ctx, cancel := context.WithTimeout(ctx, e.options.timeout)
	defer cancel()
	return at(ctx)
}

// isEnforced reports whether somebody enforces decisions, where that is expected.
func (e *examination) isEnforced() bool {
	return e.options.without || !slices.ContainsFunc(e.report.Hops, func(h hop) bool { return h.State == absent })
}

// until asks again and again whether something has happened. It reports false when it has not in time.
func until(ctx context.Context, happened func() (bool, error)) (bool, error) {
	timer := time.NewTimer(firstPause)
	defer timer.Stop()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		ok, err := happened()
		switch {
		case ok:
			return true, nil
		case ctx.Err() != nil:
			return false, nil
		case err != nil && !fault.Is(err, fault.Unavailable):
			return false, err
		}
		timer.Reset(pause)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
	}
}

// localAPI logs in, removes what an earlier examination left, and chooses the attacker.
func (e *examination) localAPI(ctx context.Context) finding {
	client, err := e.session.ConfiguredClient()
	if err != nil {
		return broken("register this machine: cscli machines add --auto", "%v", err)
	}
	if _, err := client.DeleteAlerts(ctx, localapiclient.AlertQuery{Scenario: scenarioName}); err != nil {
		return broken("start crowdsec, and look at \"cscli lapi status\"", "it does not answer: %v", err)
	}
	e.client = client
	if e.kernel, err = openKernel(ctx, e.session, e.options.firewall); err != nil {
		e.blind = err
	}
	if e.attacker, err = e.chooseAttacker(ctx); err != nil {
		return broken("end the decisions about 203.0.113.0/24, or choose an address with --ip", "%v", err)
	}
	e.report.Address = e.attacker.String()
	if e.kernel != nil && e.kernel.drops(e.attacker) {
		e.probe = openProbe(ctx, e.attacker)
	}
	return seen("logged in at %s; the attacker is %s", client.URL(), e.attacker)
}

// chooseAttacker returns an address that no decision is about, here and in the kernel.
func (e *examination) chooseAttacker(ctx context.Context) (netip.Addr, error) {
	candidates := []netip.Addr{}
	if e.options.address != "" {
		candidates = append(candidates, netip.MustParseAddr(e.options.address))
	} else {
		for _, last := range e.random(attempts) {
			candidates = append(candidates, netip.AddrFrom4([4]byte{203, 0, 113, 1 + last%254}))
		}
	}
	var reason error
	for _, address := range candidates {
		if reason = e.isFree(ctx, address); reason == nil {
			return address, nil
		}
	}
	return netip.Addr{}, reason
}

// attempts is how many addresses are tried.
const attempts = 8

func (e *examination) isFree(ctx context.Context, address netip.Addr) error {
	alerts, err := e.client.Alerts(ctx, localapiclient.AlertQuery{IP: address.String(), ActiveOnly: true, IncludeCAPI: true, Limit: 1})
	if err != nil {
		return err
	}
	if len(alerts) > 0 {
		return fmt.Errorf("there is a decision about %s already", address)
	}
	if e.kernel == nil {
		return nil
	}
	found, err := e.kernel.find(ctx, address)
	if err == nil && found.held {
		return fmt.Errorf("the kernel holds %s already", address)
	}
	return err
}

func (e *examination) random(count int) []byte {
	bytes := make([]byte, count)
	_, _ = io.ReadFull(e.session.Random, bytes) // any value will do
	return bytes
}

// logLine writes the attack to the log of the doctor.
func (e *examination) logLine(ctx context.Context) finding {
	place, err := findSite(e.session)
	if err != nil {
		return broken(installAdvice, "%v", err)
	}
	e.place = place
	e.place.readBefore = place.linesRead(ctx)
	line := fmt.Sprintf("%s shieldwall-doctor: synthetic attack from %s, visit %s\n",
		e.session.Now().UTC().Format("2006-01-02T15:04:05.000Z"), e.attacker, hex.EncodeToString(e.random(4)))
	if err := place.append(line); err != nil {
		return broken("run it as the user of crowdsec, or as root", "%v", err)
	}
	return seen("written to %s", place.log)
}

// scenario waits for the alert.
func (e *examination) scenario(ctx context.Context) finding {
	ok, err := until(ctx, func() (bool, error) {
		alerts, err := e.client.Alerts(ctx, localapiclient.AlertQuery{Scenario: scenarioName, Value: e.attacker.String()})
		if err != nil || len(alerts) == 0 {
			return false, err
		}
		e.alert = alerts[0]
		return true, nil
	})
	switch {
	case err != nil:
		return broken("look at \"cscli lapi status\"", "asking for the alert: %v", err)
	case !ok:
		return e.place.whyNoAlert(context.WithoutCancel(ctx), e.session)
	}
	return seen("alert %d of %s", e.alert.ID, e.alert.Scenario)
}

// decide looks at what the profiles made of the alert.
func (e *examination) decide(context.Context) finding {
	if len(e.alert.Decisions) == 0 {
		return broken("look at profiles.yaml: one has to decide about alerts with Alert.Remediation == true and the scope Ip",
			"no profile decided anything about alert %d", e.alert.ID)
	}
	d := e.alert.Decisions[0]
	if d.Simulated != nil && *d.Simulated {
		return broken("take it out of the simulation: cscli simulation disable "+scenarioName, "the decision is only simulated")
	}
	e.decision = d.ID
	return seen("decision %d: %s for %s", d.ID, d.Type, d.Duration)
}

// stream waits until every component that is heard of has been told, and one that reports has applied it.
func (e *examination) stream(ctx context.Context) finding {
	var last wire.Enforcement
	began := time.Now()
	ok, err := until(ctx, func() (bool, error) {
		now, err := e.client.Enforcement(ctx, e.decision)
		if err == nil {
			last = now
		}
		nobody := err == nil && len(now.Components) == 0 && (e.options.without || time.Since(began) > firstPull)
		return isTold(now) || nobody, err
	})
	text := describe(last)
	switch {
	case fault.Is(err, fault.NotFound):
		return broken("it has been deleted by somebody, or the Local API is another product that does not tell", "nothing is known of decision %d", e.decision)
	case err != nil:
		return broken("look at \"cscli lapi status\"", "asking how far it got: %v", err)
	case last.DecisionID == 0:
		return broken("look at \"cscli lapi status\"", "the local api did not say how far it got")
	case len(last.Components) == 0:
		return finding{
			absent, "no remediation component follows the decisions: nothing is enforced",
			"add one with \"cscli bouncers add\", and start crowdsec-firewall-bouncer; or say --without-firewall",
		}
	case !ok:
		return broken("see whether the components that are pending or silent run (\"cscli bouncers list\"), and what they log; "+
			"one that is excluded has filters that leave out bans of crowdsec", "not told to all: %s", text)
	}
	return seen("%s", text)
}

// isTold reports whether all who say what they enforce have applied it; when nobody says so, whether anybody was told.
func isTold(e wire.Enforcement) bool {
	applied, told := false, false
	for _, c := range e.Components {
		switch c.State {
		case wire.EnforcementVerified, wire.EnforcementApplied:
			applied = true
		case wire.EnforcementPending, wire.EnforcementPulled:
			if c.Reports {
				return false
			}
			told = told || c.State == wire.EnforcementPulled
		case wire.EnforcementSilent, wire.EnforcementExcluded:
		}
	}
	return applied || told
}

func describe(e wire.Enforcement) string {
	texts := make([]string, len(e.Components))
	for i, c := range e.Components {
		texts[i] = c.Name + " " + string(c.State)
	}
	return strings.Join(texts, ", ")
}

// inKernel waits until the address is in a set that a rule looks at.
func (e *examination) inKernel(ctx context.Context) finding {
	if e.kernel == nil {
		return e.kernelUnseen()
	}
	var last place
	ok, err := until(ctx, func() (bool, error) {
		now, err := e.kernel.find(ctx, e.attacker)
		if err == nil {
			last = now
		}
		return now.held && !now.idle, err
	})
	switch {
	case err != nil:
		return broken("run it as root", "reading the kernel: %v", err)
	case !ok && last.held:
		return broken(restoreAdvice, "%s is in the set %s, but no rule leads packets there", e.attacker, last.set.Group)
	case !ok:
		return broken(restoreAdvice, "%s is in no set of %s", e.attacker, e.kernel.path)
	}
	return seen("%s is in the set of %s, and a rule looks at it", e.attacker, last.set.Group)
}

const restoreAdvice = "see whether the firewall component runs and what it logs; it repairs its sets and rules every " +
	"reconcile_interval, and at once on SIGUSR1"

func (e *examination) kernelUnseen() finding {
	if slices.ContainsFunc(e.report.Hops, func(h hop) bool { return h.State == absent }) {
		return finding{absent, "there is no firewall component", ""}
	}
	return finding{unseen, e.blind.Error(), "run it as root where the firewall component runs, or name its configuration with --firewall"}
}

// packet sends a packet that pretends to come from the attacker.
func (e *examination) packet(ctx context.Context) finding {
	switch {
	case e.kernel == nil:
		return finding{state: e.kernelUnseen().state}
	case !e.kernel.drops(e.attacker):
		return finding{unseen, "the component has no rules of its own for packets to this machine: that the address is in the set is all that was verified", ""}
	case e.probe == nil:
		return finding{unseen, "no packet could be sent in the attacker's name: that the address is in the set is all that was verified", ""}
	}
	before, err := e.kernel.dropped(ctx, e.attacker)
	if err != nil {
		return broken("run it as root", "reading the counters: %v", err)
	}
	passed, err := e.probe.passes(ctx)
	switch {
	case err != nil:
		return broken("run it as root", "sending a packet: %v", err)
	case passed:
		return broken(restoreAdvice, "a packet from %s arrived although it is banned", e.attacker)
	}
	after, err := e.kernel.dropped(ctx, e.attacker)
	if err != nil || after <= before {
		return broken(restoreAdvice, "a packet from %s was dropped by something else: the counter did not rise (%v)", e.attacker, err)
	}
	return seen("one from %s arrived before, and is dropped now; the counter rose from %d to %d", e.attacker, before, after)
}

// cleanUp deletes alert and decision, and waits until nothing of the attacker is left.
func (e *examination) cleanUp(ctx context.Context) finding {
	ctx, cancel := context.WithTimeout(ctx, e.options.timeout)
	defer cancel()
	defer e.probe.close()
	if _, err := e.client.DeleteAlerts(ctx, localapiclient.AlertQuery{Scenario: scenarioName}); err != nil {
		return broken("delete it: cscli alerts delete --scenario "+scenarioName, "the alert was not deleted: %v", err)
	}
	var left []string
	ok, err := until(ctx, func() (bool, error) {
		now, err := e.leftovers(ctx)
		if err == nil {
			left = now
		}
		return err == nil && len(now) == 0, err
	})
	switch {
	case err != nil:
		return broken("", "looking for leftovers: %v", err)
	case !ok:
		return broken("see whether the firewall component runs, and what it logs; once the cause is removed run \"cscli doctor\" again",
			"left over: %s", strings.Join(left, "; "))
	}
	return seen("alert and decision deleted, no bucket is left%s", e.kernelIsClean())
}

func (e *examination) kernelIsClean() string {
	if e.kernel == nil {
		return ""
	}
	return ", the kernel has let go of " + e.attacker.String()
}

// leftovers names what there is still of the attacker.
func (e *examination) leftovers(ctx context.Context) (left []string, err error) {
	alerts, err := e.client.Alerts(ctx, localapiclient.AlertQuery{Scenario: scenarioName, Limit: 1})
	if err != nil {
		return []string{"the alert, perhaps"}, err
	}
	if len(alerts) > 0 {
		left = append(left, "an alert that came late")
		if _, err := e.client.DeleteAlerts(ctx, localapiclient.AlertQuery{Scenario: scenarioName}); err != nil {
			return left, err
		}
	}
	if e.place.bucketsLeft(ctx) {
		left = append(left, "a bucket of "+scenarioName)
	}
	if e.kernel != nil {
		found, err := e.kernel.find(ctx, e.attacker)
		if err != nil {
			return left, errors.Join(err)
		}
		if found.held {
			left = append(left, e.attacker.String()+" in the kernel")
		}
	}
	return left, nil
}
