package stream_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/stream"
)

// subject is what a bouncer deletes by.
type subject struct {
	value, kind string
	scope       domain.Scope
}

func subjectOf(d domain.Decision) subject { return subject{d.Value, d.Type, d.Scope} }

// follower behaves like a bouncer: deletions first, then additions, the longest end stays. It does not even
// let go of what has ended by itself.
type follower struct {
	filter stream.Filter
	cursor int64
	since  time.Time
	holds  map[subject]time.Time
}

func (f *follower) apply(answer stream.Answer, now time.Time) {
	for _, r := range answer.Deleted {
		delete(f.holds, subjectOf(r.Decision()))
	}
	for _, r := range answer.New {
		d := r.Decision()
		if s := subjectOf(d); d.Until.After(f.holds[s]) {
			f.holds[s] = d.Until
		}
	}
	f.cursor, f.since = answer.Cursor, now
}

// model is every decision that was ever added, the naive way.
type model struct {
	log       memoryLog
	decisions map[int64]domain.Decision
	now       time.Time
}

func (m *model) add(t *rapid.T) {
	d := domain.Decision{
		ID:        int64(len(m.decisions) + 1),
		Value:     rapid.SampledFrom([]string{"192.0.2.1", "192.0.2.0/24", "2001:db8::1", "bob"}).Draw(t, "value"),
		Type:      rapid.SampledFrom([]string{"ban", "captcha"}).Draw(t, "type"),
		Scope:     rapid.SampledFrom([]domain.Scope{domain.ScopeIP, domain.ScopeRange, "username"}).Draw(t, "scope"),
		Origin:    rapid.SampledFrom([]string{"crowdsec", "cscli"}).Draw(t, "origin"),
		Scenario:  rapid.SampledFrom([]string{"acme/SSH-bf", "acme/http-scan"}).Draw(t, "scenario"),
		Simulated: rapid.IntRange(0, 4).Draw(t, "simulated") == 0,
		Until:     m.now.Add(time.Duration(rapid.IntRange(-1, 20).Draw(t, "seconds")) * time.Second),
	}
	m.decisions[d.ID] = d
	m.log.add(d)
}

// remove ends a decision, also one that has ended already.
func (m *model) remove(t *rapid.T) {
	if len(m.decisions) == 0 {
		return
	}
	d := m.decisions[rapid.SampledFrom(slices.Sorted(maps.Keys(m.decisions))).Draw(t, "id")]
	m.log.remove(d, m.now)
	d.Until = m.now
	m.decisions[d.ID] = d
}

func (m *model) active(matches func(domain.Decision) bool) map[subject]time.Time {
	ends := map[subject]time.Time{}
	for _, d := range m.decisions {
		if s := subjectOf(d); d.Until.After(m.now) && matches(d) && d.Until.After(ends[s]) {
			ends[s] = d.Until
		}
	}
	return ends
}

// audience pairs filters with what they mean, said in another way.
func audience() map[string]struct {
	filter  stream.Filter
	matches func(domain.Decision) bool
} {
	type pair = struct {
		filter  stream.Filter
		matches func(domain.Decision) bool
	}
	loopRange, _ := domain.ParseIPRange("192.0.2.0/25")
	return map[string]pair{
		"all": {stream.Filter{}, func(d domain.Decision) bool { return !d.Simulated }},
		"addresses": {
			stream.Filter{Scopes: []domain.Scope{domain.ScopeIP, domain.ScopeRange}, IncludeSimulated: true},
			func(d domain.Decision) bool { return d.Scope != "username" },
		},
		"one origin, with duplicates": {
			stream.Filter{Origins: []string{"cscli"}, KeepDuplicates: true},
			func(d domain.Decision) bool { return d.Origin == "cscli" && !d.Simulated },
		},
		"scenario": {
			stream.Filter{ScenariosContaining: []string{"ssh", "nothing"}, ScenariosNotContaining: []string{"scan"}},
			func(d domain.Decision) bool { return strings.HasSuffix(d.Scenario, "SSH-bf") && !d.Simulated },
		},
		"range and type": {
			stream.Filter{Range: loopRange, Type: "ban"},
			func(d domain.Decision) bool {
				return d.Value == "192.0.2.0/24" && d.Scope != "username" && d.Type == "ban" && !d.Simulated
			},
		},
		"nothing": {stream.Filter{Scopes: []domain.Scope{}}, func(domain.Decision) bool { return false }},
	}
}

func TestFollowersHoldExactlyWhatIsActive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := &model{decisions: map[int64]domain.Decision{}, now: time.Unix(1_800_000_000, 0).UTC()}
		clock := func() time.Time { return m.now }
		replicas := []*stream.Index{open(t, &m.log, clock), open(t, &m.log, clock)}
		pick := func(t *rapid.T) *stream.Index {
			index := rapid.SampledFrom(replicas).Draw(t, "replica")
			if err := index.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			return index
		}
		followers := map[string]*follower{}
		for name, member := range audience() {
			followers[name] = &follower{filter: member.filter, holds: map[subject]time.Time{}}
		}
		poll := func(t *rapid.T) {
			index := pick(t)
			for name, f := range followers {
				if rapid.Bool().Draw(t, "polls") {
					f.apply(index.Delta(f.cursor, f.since, f.filter, m.now), m.now)
					if want := m.active(audience()[name].matches); !maps.EqualFunc(f.holds, want, time.Time.Equal) {
						t.Fatalf("%s holds %v, want %v", name, f.holds, want)
					}
				}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"add":    m.add,
			"add ":   m.add,
			"remove": m.remove,
			"wait": func(t *rapid.T) {
				m.now = m.now.Add(time.Duration(rapid.IntRange(1, 4000).Draw(t, "ms")) * time.Millisecond)
			},
			"poll": poll,
			"sync": func(t *rapid.T) { pick(t) },
			"restart": func(t *rapid.T) {
				replicas[rapid.IntRange(0, 1).Draw(t, "restarted")] = open(t, &m.log, clock)
			},
			"startup": func(t *rapid.T) {
				index := pick(t)
				name := rapid.SampledFrom(slices.Sorted(maps.Keys(followers))).Draw(t, "who")
				fresh := &follower{holds: map[subject]time.Time{}}
				fresh.apply(index.Startup(followers[name].filter, m.now), m.now)
				if want := m.active(audience()[name].matches); !maps.EqualFunc(fresh.holds, want, time.Time.Equal) {
					t.Fatalf("%s starts with %v, want %v", name, fresh.holds, want)
				}
			},
		})
	})
}

// TestQueryFindsWhatAScanFinds compares the index structures with a linear scan.
func TestQueryFindsWhatAScanFinds(t *testing.T) {
	t.Parallel()
	values := []string{
		"192.0.2.1", "192.0.2.1/32", "192.0.2.0/24", "192.0.2.77/24", "192.0.0.0/16", "0.0.0.0/0", "192.0.2.128/25",
		"2001:db8::1", "2001:db8::/32", "2001:db8:0:1::/64", "::/0", "::ffff:192.0.2.1", "198.51.100.7", "FR", "",
	}
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(1_800_000_000, 0)
		var log memoryLog
		decisions := map[int64]domain.Decision{}
		for i := range rapid.IntRange(0, 30).Draw(t, "decisions") {
			d := domain.Decision{
				ID:    int64(i + 1),
				Value: rapid.SampledFrom(values).Draw(t, "value"),
				Scope: rapid.SampledFrom([]domain.Scope{domain.ScopeIP, domain.ScopeRange, "Country"}).Draw(t, "scope"),
				Until: now.Add(time.Hour),
			}
			decisions[d.ID] = d
			log.add(d)
		}
		for id, d := range decisions {
			if rapid.Bool().Draw(t, "removed") {
				log.remove(d, now)
				delete(decisions, id)
			}
		}
		index := open(t, &log, func() time.Time { return now })
		filter := stream.Filter{Inside: rapid.Bool().Draw(t, "inside")}
		filter.Range, _ = domain.ParseIPRange(rapid.SampledFrom(values[:len(values)-2]).Draw(t, "query"))
		var want []int64
		for id, d := range decisions {
			covered, err := domain.ParseIPRange(d.Value)
			if err != nil || !d.Scope.IsAddress() {
				continue
			}
			if filter.Inside && filter.Range.Contains(covered) || !filter.Inside && covered.Contains(filter.Range) {
				want = append(want, id)
			}
		}
		slices.Sort(want)
		if got := ids(index.Query(filter, now)); !slices.Equal(got, want) {
			t.Fatalf("%+v: got %v, want %v", filter, got, want)
		}
	})
}
