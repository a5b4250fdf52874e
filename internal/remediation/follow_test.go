package remediation_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapiclient"
	"shieldwall/internal/remediation"
	"shieldwall/internal/remediation/backendtest"
	"shieldwall/internal/wire"
)

// cloud is a Local API of two replicas that fail as written, and are well afterwards.
type cloud struct {
	t       *testing.T
	backend *fragile
	marked  bool
	events  []cloudEvent
	steady  string // a ban that lasts, told with the first answer

	log     []entry // from revision 1 on
	replica int
	told    [2]int // what each replica believes to have told, when it is not marked
	calls   []localapiclient.StreamQuery
	at      []time.Time
	arrived bool // an answer has
	missing bool // the steady ban was, at some time
}

type entry struct {
	value string
	ban   bool
}

// cloudEvent is what comes of a call.
type cloudEvent struct {
	outcome outcome
	changes []entry // before the answer
}

type outcome int

const (
	fine      outcome = iota
	dead              // nobody is reached
	refusing          // 503
	vanished          // the answer is sent, and lost
	cut               // the answer does not hold what its marks say
	moved             // another replica answers
	forgotten         // it cannot continue, and tells everything
	stubborn          // it continues from where it believes to have told
	outcomes          // how many there are
)

func (c *cloud) Stream(
	ctx context.Context, query localapiclient.StreamQuery, open func(localapiclient.Stream) wire.StreamVisitor,
) (localapiclient.Stream, error) {
	c.calls, c.at = append(c.calls, query), append(c.at, time.Now())
	c.missing = c.missing || c.arrived && !c.backend.holds(c.t)[c.steady] //nolint:contextcheck // the helper has that of the test
	var event cloudEvent
	if len(c.events) > 0 {
		event, c.events = c.events[0], c.events[1:]
	}
	if c.marked && query.Wait > 0 && len(event.changes) == 0 && event.outcome == fine && c.isNews(query) {
		if err := sleep(ctx, query.Wait); err != nil {
			return localapiclient.Stream{}, err
		}
	}
	c.log = append(c.log, event.changes...)
	if event.outcome == moved {
		c.replica = 1 - c.replica
		c.told[c.replica] = len(c.log) // it has told somebody else
	}
	if event.outcome == dead {
		return localapiclient.Stream{}, unreachable
	}
	if event.outcome == refusing {
		return localapiclient.Stream{}, fault.Mark(fault.Unavailable, &localapiclient.Error{Status: 503})
	}
	answer, told := c.answer(query, event.outcome)
	backendtest.Show(open(answer), told)
	if event.outcome == vanished {
		return localapiclient.Stream{}, lost
	}
	if event.outcome == cut {
		return localapiclient.Stream{}, fault.Mark(fault.Unavailable, fmt.Errorf("cut: %w", localapiclient.ErrNotWhole))
	}
	c.arrived = true
	return answer, nil
}

// isNews reports whether the caller knows everything.
func (c *cloud) isNews(query localapiclient.StreamQuery) bool {
	return query.Revision == int64(len(c.log))
}

func (c *cloud) answer(query localapiclient.StreamQuery, how outcome) (localapiclient.Stream, wire.DecisionsStream) {
	from := c.told[c.replica]
	if c.marked && query.Revision > 0 && how != stubborn {
		from = int(query.Revision)
	}
	if query.Startup || how == forgotten && c.marked {
		from = 0
	}
	c.told[c.replica] = len(c.log)
	answer := localapiclient.Stream{
		Endpoint: fmt.Sprint(c.replica), Marked: c.marked, Since: int64(from), Revision: int64(len(c.log)),
	}
	if !c.marked {
		answer.Since, answer.Revision = 0, 0
	}
	var told wire.DecisionsStream
	active := c.active()
	for _, value := range c.touched(from) {
		d := decision(value, "crowdsec", "24h")
		switch {
		case active[value]:
			told.New = append(told.New, d)
		case from > 0:
			told.Deleted = append(told.Deleted, d)
		}
	}
	return answer, told
}

func (c *cloud) active() map[string]bool {
	active := map[string]bool{}
	for _, entry := range c.log {
		if delete(active, entry.value); entry.ban {
			active[entry.value] = true
		}
	}
	return active
}

func (c *cloud) touched(from int) []string {
	var values []string
	for _, entry := range c.log[from:] {
		if !slices.Contains(values, entry.value) {
			values = append(values, entry.value)
		}
	}
	return values
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// follow lets a component follow a cloud for a while of fake time.
func follow(t *testing.T, c *cloud, lifetime time.Duration) {
	t.Helper()
	c.t, c.backend, c.steady = t, newFragile(time.Now), "192.0.2.250"
	c.log = append(c.log, entry{c.steady, true})
	component := remediation.NewComponent(c, newEnforcer(c.backend, time.Now), remediation.Options{
		PollEvery: 10 * time.Second, ReconcileEvery: time.Hour, RetryConnection: true, Random: func() float64 { return 0.5 },
	}, remediation.NewRequests(prometheus.NewRegistry()), slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithTimeout(t.Context(), lifetime)
	defer cancel()
	if err := component.Run(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func (c *cloud) expectEnforced(t *testing.T) {
	t.Helper()
	got, want := c.backend.holds(t), c.active()
	for value := range want {
		if !got[value] {
			t.Errorf("%s is not enforced", value)
		}
	}
	for value := range got {
		if !want[value] {
			t.Errorf("%s is still enforced", value)
		}
	}
	if c.missing {
		t.Error("a ban that lasts was not in force at some time")
	}
}

// TestComponentEndsUpRight whatever happens to requests, and whichever replica answers; and a ban that lasts is in
// force all the time.
func TestComponentEndsUpRight(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		c := &cloud{marked: rapid.Bool().Draw(r, "marked")}
		c.events = rapid.SliceOfN(rapid.Custom(func(r *rapid.T) cloudEvent {
			return cloudEvent{
				outcome: outcome(rapid.IntRange(0, int(outcomes)-1).Draw(r, "outcome")),
				changes: rapid.SliceOfN(rapid.Custom(func(r *rapid.T) entry {
					return entry{fmt.Sprintf("192.0.2.%d", rapid.IntRange(1, 5).Draw(r, "value")), rapid.Bool().Draw(r, "ban")}
				}), 0, 3).Draw(r, "changes"),
			}
		}), 0, 30).Draw(r, "events")
		synctest.Test(t, func(t *testing.T) {
			follow(t, c, 10*time.Minute)
			if len(c.events) > 0 {
				t.Errorf("%d events did not come", len(c.events))
			}
			c.expectEnforced(t)
		})
		if t.Failed() {
			r.Fatal("not right")
		}
	})
}

func TestComponentIsPushed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ban := cloudEvent{changes: []entry{{"192.0.2.1", true}}}
		c := &cloud{marked: true, events: []cloudEvent{{}, ban, {}, {outcome: vanished}, {outcome: dead}}}
		follow(t, c, 58*time.Second)
		c.expectEnforced(t)
		type call struct {
			after    time.Duration
			startup  bool
			revision int64
		}
		var got []call
		for i, query := range c.calls {
			got = append(got, call{c.at[i].Sub(c.at[0]).Round(time.Millisecond), query.Startup, query.Revision})
			if wait := query.Wait; wait != 25*time.Second && i > 0 {
				t.Errorf("call %d waits %v", i, wait)
			}
		}
		want := []call{
			{0, true, 0}, // everything
			{0, false, 1},
			{0, false, 2},                // the ban was told at once; nothing for 25 s
			{25 * time.Second, false, 2}, // lost
			{25*time.Second + 150*time.Millisecond, false, 2}, // nobody is there
			{25*time.Second + 450*time.Millisecond, false, 2}, // nothing for 25 s
			{50*time.Second + 450*time.Millisecond, false, 2},
		}
		if !slices.Equal(got, want) {
			t.Errorf("calls\n%+v, want\n%+v", got, want)
		}
	})
}

// impatient is a Local API that marks its answers and does not hold requests open.
type impatient struct {
	calls int
	news  bool
}

func (i *impatient) Stream(
	_ context.Context, _ localapiclient.StreamQuery, open func(localapiclient.Stream) wire.StreamVisitor,
) (localapiclient.Stream, error) {
	i.calls++
	stream := localapiclient.Stream{Marked: true, Since: 1, Revision: 1}
	visitor := open(stream)
	if i.news {
		backendtest.Show(visitor, added("192.0.2.1").stream)
	}
	return stream, nil
}

func TestComponentDoesNotHammerALocalAPIThatDoesNotWait(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		news bool
		most int
	}{{false, 20}, {true, 60*50 + 5}} {
		synctest.Test(t, func(t *testing.T) {
			api := &impatient{news: test.news}
			component := remediation.NewComponent(api, newEnforcer(newFragile(time.Now), time.Now), remediation.Options{
				PollEvery: 10 * time.Second, ReconcileEvery: time.Hour,
			}, remediation.NewRequests(prometheus.NewRegistry()), slog.New(slog.DiscardHandler))
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_ = component.Run(ctx)
			if api.calls > test.most || api.calls < 6 {
				t.Errorf("%d calls in a minute, want at most %d", api.calls, test.most)
			}
		})
	}
}

func TestComponentHonoursRetryAfter(t *testing.T) {
	t.Parallel()
	for name, pushing := range map[string]bool{"polling": false, "pushed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				api := &busy{marked: pushing}
				component := remediation.NewComponent(api, newEnforcer(newFragile(time.Now), time.Now), remediation.Options{
					PollEvery: 10 * time.Second, ReconcileEvery: time.Hour,
				}, remediation.NewRequests(prometheus.NewRegistry()), slog.New(slog.DiscardHandler))
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
				defer cancel()
				_ = component.Run(ctx)
				if len(api.at) < 3 || api.at[2].Sub(api.at[1]) != time.Minute {
					t.Errorf("asked at %v", api.at)
				}
			})
		})
	}
}

// busy answers once, and then asks to be left alone for a minute.
type busy struct {
	marked bool
	at     []time.Time
}

func (b *busy) Stream(
	_ context.Context, _ localapiclient.StreamQuery, open func(localapiclient.Stream) wire.StreamVisitor,
) (localapiclient.Stream, error) {
	b.at = append(b.at, time.Now())
	if len(b.at) > 1 {
		return localapiclient.Stream{}, fault.Mark(fault.Unavailable, &localapiclient.Error{Status: 503, RetryAfter: time.Minute})
	}
	stream := localapiclient.Stream{Marked: b.marked, Revision: 1}
	open(stream)
	return stream, nil
}

// silent is a Local API without decisions.
type silent struct{ marked bool }

func (s silent) Stream(
	ctx context.Context, query localapiclient.StreamQuery, open func(localapiclient.Stream) wire.StreamVisitor,
) (localapiclient.Stream, error) {
	stream := localapiclient.Stream{Marked: s.marked}
	err := sleep(ctx, query.Wait)
	if err == nil {
		open(stream)
	}
	return stream, err
}

func TestThatThereIsNothingIsBelievedWhenItIsProven(t *testing.T) {
	t.Parallel()
	for _, proven := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			backend := newFragile(time.Now)
			snapshot(t, newEnforcer(backend, time.Now), added("192.0.2.1").stream) // of an earlier process
			component := remediation.NewComponent(silent{proven}, newEnforcer(backend, time.Now), remediation.Options{
				PollEvery: 10 * time.Second, ReconcileEvery: time.Hour,
			}, remediation.NewRequests(prometheus.NewRegistry()), slog.New(slog.DiscardHandler))
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_ = component.Run(ctx)
			if banned := backend.holds(t)["192.0.2.1"]; banned == proven {
				t.Errorf("proven: %v, banned: %v", proven, banned)
			}
		})
	}
}

// verified is a Local API that holds every request until its end and keeps what it is told with them.
type verified struct {
	standings []wire.Standing
	at        []time.Time
}

func (v *verified) Stream(
	ctx context.Context, query localapiclient.StreamQuery, open func(localapiclient.Stream) wire.StreamVisitor,
) (localapiclient.Stream, error) {
	v.at = append(v.at, time.Now())
	stream := localapiclient.Stream{Marked: true, Since: query.Revision, Revision: 7}
	if query.Standing == nil {
		backendtest.Show(open(stream), added("192.0.2.1", "192.0.2.2").stream)
		return stream, nil
	}
	v.standings = append(v.standings, *query.Standing)
	if err := sleep(ctx, query.Wait); err != nil {
		return localapiclient.Stream{}, err
	}
	open(stream)
	return stream, nil
}

// TestComponentSaysWhatItEnforces: what the backend has acknowledged at once, what was read back as soon as it was,
// though the Local API holds the request open; and that what was read back counts no more after something was
// missing, until the next look.
func TestComponentSaysWhatItEnforces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		backend, api := newFragile(time.Now), &verified{}
		began := time.Now()
		registry := prometheus.NewRegistry()
		enforcer := newEnforcer(backend, time.Now)
		must(t, enforcer.Start(t.Context()))
		component := remediation.NewComponent(api, enforcer, remediation.Options{
			PollEvery: 10 * time.Second, ReconcileEvery: 10 * time.Second,
		}, remediation.NewRequests(registry), slog.New(slog.DiscardHandler))
		time.AfterFunc(15*time.Second, func() { _ = backend.Remove(t.Context()) })
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		_ = component.Run(ctx)
		type line struct {
			at                         time.Duration
			applied, verified          int64
			wanted, missing, verifying int
		}
		var got []line
		for i, s := range api.standings {
			looked := -1
			if s.Wanted > 0 {
				looked = int(s.VerifiedAt.Sub(began).Seconds())
			}
			got = append(got, line{api.at[i+1].Sub(began), s.Applied, s.Verified, s.Wanted, s.Missing, looked})
		}
		want := []line{
			{0, 7, 0, 0, 0, -1},
			{10 * time.Second, 7, 7, 2, 0, 10},
			{20 * time.Second, 7, 0, 2, 2, 20},
			{22 * time.Second, 7, 7, 2, 0, 22},
		}
		if !slices.Equal(got, want) {
			t.Errorf("said\n%v, want\n%v", got, want)
		}
		expectMetrics(t, registry, `
			# HELP lapi_requests_failures_total The total number of calls to the Local API that failed.
			# TYPE lapi_requests_failures_total counter
			lapi_requests_failures_total 1
			# HELP lapi_requests_total The total number of calls to the Local API.
			# TYPE lapi_requests_total counter
			lapi_requests_total 5
		`)
	})
}
