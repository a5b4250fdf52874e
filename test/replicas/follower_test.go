package replicas

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/wire"
)

// role is how a bouncer behaves.
type role struct {
	name     string
	key      string // "": one of its own
	from     string // address that it calls from
	asks     url.Values
	wants    func(*decision) bool
	byID     bool // it keeps every decision, not one for each subject
	loses    bool // some answers; it says up to where it was told, and lets go of what has ended by itself
	waits    bool
	wanders  int // every so many polls it goes to another replica; 0: never
	restarts int // every so many polls it begins anew; 0: never
	home     int // the replica it begins with
}

func isAddress(d *decision) bool { return d.scope.IsAddress() && !d.simulated }

// roles pairs what bouncers ask for with what that means, said in another way.
func roles() []role {
	return []role{
		{name: "polls-0", wants: isAddress},
		{name: "polls-1", wants: isAddress, home: 1},
		{name: "waits-0", wants: isAddress, waits: true},
		{name: "waits-1", wants: isAddress, waits: true, home: 1, restarts: 20},
		{name: "wanders", wants: isAddress, wanders: 1},
		{name: "wanders-and-waits", wants: isAddress, wanders: 1, waits: true},
		{name: "restarts", wants: isAddress, wanders: 4, restarts: 3},
		{
			name: "scopes", asks: url.Values{"scopes": {"country,username"}}, wanders: 2, waits: true,
			wants: func(d *decision) bool { return !d.scope.IsAddress() && !d.simulated },
		},
		{
			name: "origins", asks: url.Values{"origins": {"crowdsec,cscli"}}, wanders: 3,
			wants: func(d *decision) bool { return isAddress(d) && (d.origin == "crowdsec" || d.origin == "cscli") },
		},
		{
			name: "scenarios", asks: url.Values{"scenarios_containing": {"SSH"}}, waits: true, wanders: 2,
			wants: func(d *decision) bool { return isAddress(d) && strings.HasPrefix(d.scenario, "acme/ssh-bf") },
		},
		{
			name: "not-scenarios", asks: url.Values{"scenarios_not_containing": {"ssh"}, "simulated": {"true"}}, restarts: 9,
			wants: func(d *decision) bool { return d.scope.IsAddress() && strings.HasPrefix(d.scenario, "acme/http-scan") },
		},
		{
			name: "range", asks: url.Values{"range": {"192.0.2.0/24"}, "contains": {"false"}, "type": {"ban"}}, wanders: 2,
			wants: func(d *decision) bool {
				return isAddress(d) && strings.HasPrefix(d.value, "192.0.2.") && d.kind == "ban"
			},
		},
		{name: "all-copies", asks: url.Values{"dedup": {"false"}}, wanders: 2, byID: true, wants: isAddress},
		{name: "loses", wants: isAddress, loses: true, wanders: 3},
		{name: "loses-and-waits", wants: isAddress, loses: true, wanders: 2, waits: true},
		{name: "shares-1", key: "shared", from: "127.0.0.2", wants: isAddress, wanders: 2, waits: true},
		{name: "shares-2", key: "shared", from: "127.0.0.3", home: 1, wants: isAddress, wanders: 3},
	}
}

// held is what a bouncer enforces: for a subject, or, of those who keep every decision, for one.
type held struct {
	subject  subject
	scenario string    // "" unless every decision is kept
	earliest time.Time // when it ends
	latest   time.Time
}

// follower is a bouncer that does what published ones do: it removes what is told as deleted, then puts what is
// told as new in the place of what it had. It does not let go of what has ended by itself, so that it shows whether
// the end is told.
type follower struct {
	role
	*rand.Rand

	cluster *cluster
	history *history
	client  *http.Client
	at      int // the replica it asks

	started  bool
	polls    int
	revision int64 // of the last answer since it started
	holds    map[string]held
	trace    []string
	counts   map[string]int
}

func newFollower(c *cluster, h *history, r role, random *rand.Rand) *follower {
	dialer := &net.Dialer{}
	if r.from != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(r.from)}
	}
	return &follower{
		role: r, Rand: random, cluster: c, history: h, at: r.home, counts: map[string]int{},
		client: &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableCompression: random.IntN(2) == 0}},
	}
}

// run polls until ctx ends; it finishes what it has begun.
func (f *follower) run(ctx context.Context) error {
	defer f.client.CloseIdleConnections()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		f.move()
		if _, err := f.poll(context.WithoutCancel(ctx)); err != nil {
			return f.blame(err)
		}
		timer.Reset(time.Duration(10+f.IntN(90)) * time.Millisecond)
	}
}

func (f *follower) move() {
	f.polls++
	if f.wanders > 0 && f.polls%f.wanders == 0 {
		f.at = 1 - f.at
	}
	if f.restarts > 0 && f.IntN(f.restarts) == 0 {
		f.started = false
	}
}

// poll asks once. It reports whether there was an answer.
func (f *follower) poll(ctx context.Context) (answered bool, err error) {
	asked := f.cluster.clock.Now()
	got, err := f.ask(ctx)
	if err != nil || got.status == http.StatusServiceUnavailable {
		// A replica that is stopped. Published bouncers just try again: what they were not told before, they must be now.
		f.counts["unanswered"]++
		f.note(fmt.Sprint("unanswered: ", err))
		f.at = 1 - f.at
		return false, nil
	}
	if got.status != http.StatusOK {
		return false, fmt.Errorf("%d %s", got.status, got.body)
	}
	var told wire.DecisionsStream
	if err := json.Unmarshal(got.body, &told); err != nil {
		return false, fmt.Errorf("%s: %w", got.body, err)
	}
	if f.loses && f.IntN(3) == 0 {
		f.counts["lost"]++
		f.note("lost: " + summary(told))
		return false, nil
	}
	f.note(fmt.Sprintf("%s%s: %s", got.header.Get("X-Shieldwall-Revision"), f.startText(), summary(told)))
	if err := f.check(got.header, told); err != nil {
		return false, err
	}
	f.apply(told, asked, f.cluster.clock.Now())
	f.started = true
	return true, nil
}

type reply struct {
	status int
	header http.Header
	body   []byte
}

func (f *follower) ask(ctx context.Context) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	query := url.Values{}
	for name, values := range f.asks {
		query[name] = values
	}
	if !f.started {
		query.Set("startup", "true")
	} else if f.loses {
		query.Set("revision", strconv.FormatInt(f.revision, 10))
	}
	if f.waits {
		query.Set("wait", strconv.Itoa(10+f.IntN(400))+"ms")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.cluster.replicas[f.at].url()+"/v1/decisions/stream?"+query.Encode(), nil)
	if err != nil {
		return reply{}, err
	}
	r.Header.Set("X-Api-Key", f.key)
	r.Header.Set("User-Agent", f.name+"/v1")
	response, err := f.client.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return reply{response.StatusCode, response.Header, body}, err
}

// check holds an answer against what is true whenever it comes.
func (f *follower) check(header http.Header, told wire.DecisionsStream) error {
	counts := fmt.Sprint(header.Get("X-Shieldwall-New"), "+", header.Get("X-Shieldwall-Deleted"))
	if want := fmt.Sprint(len(told.New), "+", len(told.Deleted)); counts != want {
		return fmt.Errorf("announced %s entries, sent %s", counts, want)
	}
	revision, err := strconv.ParseInt(header.Get("X-Shieldwall-Revision"), 10, 64)
	if err != nil {
		return err
	}
	since, err := strconv.ParseInt(header.Get("X-Shieldwall-Since"), 10, 64)
	if err != nil {
		return err
	}
	if revision < f.revision || since > f.revision && f.started {
		return fmt.Errorf("told changes %d to %d after %d", since, revision, f.revision)
	}
	f.revision = revision
	for _, d := range slices.Concat(told.New, told.Deleted) {
		if err := f.checkDecision(d); err != nil {
			return err
		}
	}
	return nil
}

func (f *follower) checkDecision(told wire.Decision) error {
	d, known := f.history.knows(told.Scenario)
	if !known {
		return nil // of a round before: it must not be held in the end
	}
	if d.origin != told.Origin || d.subject() != subjectOf(told) {
		return fmt.Errorf("told %+v of %+v", told, d)
	}
	if !f.wants(&d) {
		return fmt.Errorf("told what it did not ask for: %+v", told)
	}
	return nil
}

func subjectOf(d wire.Decision) subject { return subject{d.Type, domain.Scope(d.Scope), d.Value} }

func (f *follower) apply(told wire.DecisionsStream, asked, answered time.Time) {
	if !f.started {
		f.holds = map[string]held{}
	}
	for _, d := range told.Deleted {
		delete(f.holds, f.keyOf(d))
	}
	for _, d := range told.New {
		remaining, err := time.ParseDuration(d.Duration)
		if err != nil {
			continue // then it is not held, which will be noticed
		}
		// A snapshot may be a second old, and durations are told in whole seconds.
		next := held{
			subject: subjectOf(d), earliest: asked.Add(remaining - 1500*time.Millisecond), latest: answered.Add(remaining + 500*time.Millisecond),
		}
		if f.byID {
			next.scenario = d.Scenario
		}
		f.holds[f.keyOf(d)] = next
	}
	f.counts["told"] += len(told.New) + len(told.Deleted)
	f.counts["answers"]++
}

func (f *follower) keyOf(d wire.Decision) string {
	if f.byID {
		return strconv.FormatInt(d.ID, 10)
	}
	return fmt.Sprint(subjectOf(d))
}

// compare says how the follower differs from what is in force.
func (f *follower) compare(active map[string]domain.Decision) error {
	if f.loses {
		now := f.cluster.clock.Now()
		maps.DeleteFunc(f.holds, func(_ string, has held) bool { return has.latest.Before(now) })
	}
	want := map[string]domain.Decision{}
	for _, d := range active {
		stored := asDecided(&d)
		if !f.wants(&stored) {
			continue
		}
		key := fmt.Sprint(stored.subject())
		if f.byID {
			key = strconv.FormatInt(d.ID, 10)
		}
		if known, ok := want[key]; !ok || d.Until.After(known.Until) {
			want[key] = d
		}
	}
	var wrong []string
	for key, d := range want {
		switch has, ok := f.holds[key]; {
		case !ok:
			wrong = append(wrong, fmt.Sprintf("misses %s: %+v", key, d))
		case d.Until.Before(has.earliest) || d.Until.After(has.latest):
			wrong = append(wrong, fmt.Sprintf("lets %s end between %v and %v: %+v", key, has.earliest, has.latest, d))
		}
	}
	for key, has := range f.holds {
		if _, ok := want[key]; !ok {
			wrong = append(wrong, fmt.Sprintf("keeps %s %s: %+v", key, has.scenario, has))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	slices.Sort(wrong)
	return fmt.Errorf("%s", strings.Join(wrong, "\n"))
}

// blame adds what the follower was told to an error.
func (f *follower) blame(err error) error {
	return fmt.Errorf("bouncer %s: %w\nwhat it was told:\n%s", f.name, err, strings.Join(f.trace, "\n"))
}

func (f *follower) note(text string) {
	const most = 40
	if len(f.trace) >= most {
		f.trace = f.trace[1:]
	}
	f.trace = append(f.trace, fmt.Sprintf("  %s replica %d, %s", f.cluster.clock.Now().Format("05.000"), f.at, text))
}

func (f *follower) startText() string {
	if f.started {
		return ""
	}
	return " at its start"
}

func summary(told wire.DecisionsStream) string {
	texts := func(decisions []wire.Decision) []string {
		var list []string
		for _, d := range decisions {
			list = append(list, fmt.Sprintf("%d %s %s %s", d.ID, d.Type, d.Value, d.Duration))
		}
		return list
	}
	return fmt.Sprintf("new %q, deleted %q", texts(told.New), texts(told.Deleted))
}
