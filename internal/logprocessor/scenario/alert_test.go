package scenario_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/logprocessor/scenario"
	"shieldwall/internal/wire"
)

// goldenAlert is an alert as the Local API gets it, keys in the published order.
const goldenAlert = `{
  "capacity": 1,
  "decisions": null,
  "events": [
    {
      "meta": [
        {
          "key": "source_ip",
          "value": "192.0.2.1"
        },
        {
          "key": "user",
          "value": "root"
        },
        {
          "key": "zone",
          "value": "dmz"
        }
      ],
      "timestamp": "2021-09-29T14:11:34+02:00"
    },
    {
      "meta": [
        {
          "key": "SourceRange",
          "value": "192.0.2.0/24"
        },
        {
          "key": "source_ip",
          "value": "192.0.2.1"
        }
      ],
      "timestamp": "2021-09-29T14:11:37.5+02:00"
    }
  ],
  "events_count": 2,
  "kind": "crowdsec",
  "labels": null,
  "leakspeed": "1m30s",
  "message": "Ip 192.0.2.1 performed 'shieldwall/test' (2 events over 3.5s) at 2021-09-29 14:11:37.5 +0200 +0200",
  "remediation": true,
  "scenario": "shieldwall/test",
  "scenario_hash": "0badc0de",
  "scenario_version": "1.2",
  "simulated": false,
  "source": {
    "as_name": "Example Net",
    "as_number": "64496",
    "cn": "FR",
    "ip": "192.0.2.1",
    "latitude": 48.8,
    "longitude": -2.25,
    "range": "192.0.2.0/24",
    "scope": "Ip",
    "value": "192.0.2.1"
  },
  "start_at": "2021-09-29T14:11:34+02:00",
  "stop_at": "2021-09-29T14:11:37.5+02:00"
}`

func TestAlertIsThePublishedOne(t *testing.T) {
	t.Parallel()
	b := newBench()
	set, err := b.load(scenario.Item{
		Path: "a.yaml", Hash: "0badc0de", Version: "1.2",
		Text: []byte(with(leaky, "name: shieldwall/test", "leakspeed: 90s", "version: 9.9", "labels: {remediation: true, service: ssh}")),
	})
	if err != nil {
		t.Fatal(err)
	}
	b.set, b.engine = set, scenario.NewEngine(set, b.store, b.metrics)
	last := replayed("3.5s")
	describe(last, "ASNumber=64496", "ASNOrg=Example Net", "IsoCode=FR", "Latitude=48.8", "Longitude=-2.25")
	last.Meta["SourceRange"] = "192.0.2.0/24"
	overflows := b.pour(replayed("0s zone=dmz user=root"), last)
	if len(overflows) != 1 {
		t.Fatalf("%d overflows", len(overflows))
	}
	got, err := json.Marshal(overflows[0].Overflow.Alert)
	if err != nil {
		t.Fatal(err)
	}
	if pretty := indent(t, got); pretty != goldenAlert {
		t.Errorf("got %s\nwant %s", pretty, goldenAlert)
	}
}

func indent(t *testing.T, text []byte) string {
	t.Helper()
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, text, "", "  "); err != nil {
		t.Fatal(err)
	}
	return pretty.String()
}

// describe sets what enrichment finds out.
func describe(evt *event.Event, facts ...string) {
	for _, fact := range facts {
		key, value, _ := strings.Cut(fact, "=")
		evt.Enriched[key] = value
	}
}

// contextFunc is a context that asks for meta only.
type contextFunc func(queue []*event.Event) []wire.MetaItem

func (f contextFunc) Meta(queue []*event.Event) []wire.MetaItem { return f(queue) }

func (f contextFunc) Footprint() event.Footprint { return event.Footprint{} }

func TestContext(t *testing.T) {
	t.Parallel()
	b := newBench()
	asked := 0
	b.context = contextFunc(func(queue []*event.Event) []wire.MetaItem {
		asked++
		return []wire.MetaItem{{Key: "users", Value: queue[0].GetMeta("user") + " " + queue[len(queue)-1].GetMeta("user")}}
	})
	b.use(t, with(leaky, "scope: {type: user, expression: evt.Meta.user}", "blackhole: 1m"))
	overflow := b.pour(replayed("0s user=root"), replayed("1s user=admin"), replayed("2s user=x"), replayed("3s user=y"))
	if len(overflow) != 1 || asked != 1 {
		t.Fatalf("%d overflows, context asked %d times: one and one should be heard of", len(overflow), asked)
	}
	for _, alert := range overflow[0].Overflow.APIAlerts {
		if alert.GetMeta("users") != "root admin" {
			t.Errorf("%s: meta %v", alert.Source.Value, alert.Meta)
		}
	}
	b.use(t, with(trigger, "overflow_filter: signal.Alert.GetMeta('users') != 'x x'"))
	if got := len(b.pour(replayed("4s user=x"), replayed("5s user=z"))); got != 1 {
		t.Errorf("%d overflows pass a filter on the context, want 1", got)
	}
}

func TestOverflowEvent(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.use(t, with(trigger, "reprocess: true"))
	evt := b.pour(replayed("1s user=root"))[0]
	if evt.Type != event.Overflow || evt.GetType() != "overflow" || evt.ExpectMode != event.Live {
		t.Errorf("type %v, clock %v", evt.Type, evt.ExpectMode)
	}
	if evt.MarshaledTime != "2021-09-29T14:11:35+02:00" || !evt.Time.Equal(epoch.Add(time.Second)) || evt.Stage != "" || len(evt.Meta) != 0 || evt.Meta == nil {
		t.Errorf("time %s, stage %q, meta %v", evt.MarshaledTime, evt.Stage, evt.Meta)
	}
	if !evt.Overflow.Reprocess || evt.Overflow.Whitelisted || evt.Overflow.Alert != evt.Overflow.APIAlerts[0] {
		t.Errorf("overflow %+v", evt.Overflow)
	}
	if source := evt.Overflow.Sources["192.0.2.1"]; source == nil || source != evt.Overflow.Alert.Source {
		t.Errorf("the source is not shared: %p, %p", source, evt.Overflow.Alert.Source)
	}
	if got := evt.GetMeta("user"); got != "root" {
		t.Errorf("meta of the events: %q", got)
	}
	evt.Overflow.Alert.Source.Scope = "Range"
	if next := b.pour(replayed("2s"))[0]; next.Overflow.Alert.GetScope() != "Ip" {
		t.Errorf("rewriting one alert changed the scope of the next to %s", next.Overflow.Alert.GetScope())
	}
}

func TestRemediationAndSimulation(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		lines       []string
		remediation bool
		simulated   bool
	}{
		{nil, false, false},
		{[]string{"labels: {remediation: true}"}, true, false},
		{[]string{"labels: {remediation: false}"}, false, false},
		{[]string{"labels: {remediation: 'true'}"}, false, false},
		{[]string{"labels: {remediation: 1}"}, false, false},
		{[]string{"labels: {service: ssh}"}, false, false},
		{[]string{"name: simulated/test", "labels: {remediation: true}"}, true, true},
	} {
		b := newBench()
		b.use(t, with(trigger, test.lines...))
		alert := b.pour(replayed("0s"))[0].Overflow.Alert
		if alert.Remediation != test.remediation || alert.Simulated != test.simulated {
			t.Errorf("%q: remediation %v, simulated %v", test.lines, alert.Remediation, alert.Simulated)
		}
		if alert.ScenarioHash != "" || alert.ScenarioVersion != "" {
			t.Errorf("%q: hash %q and version %q of a local item", test.lines, alert.ScenarioHash, alert.ScenarioVersion)
		}
	}
}

func TestAlertOfATrigger(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.use(t, trigger)
	alert := b.pour(live(""))[0].Overflow.Alert
	const want = "Ip 192.0.2.1 performed 'test' (1 events over 0s) at 2026-03-01 12:00:00 +0000 UTC"
	if alert.Capacity != 0 || alert.Leakspeed != "0s" || alert.Message != want || alert.Events[0].Timestamp != "2026-03-01T12:00:00Z" {
		t.Errorf("capacity %d, leakspeed %s, event at %s, message %s", alert.Capacity, alert.Leakspeed, alert.Events[0].Timestamp, alert.Message)
	}
}

func TestAlertForEachSource(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.use(t, with(leaky, "capacity: 2"))
	overflow := b.pour(eachReplayed([]string{"0s ip=192.0.2.2", "0s ip=192.0.2.1", "0s ip=192.0.2.2"})...)[0].Overflow
	if got := summary([]*event.Event{{Overflow: overflow}}); !slices.Equal(got, []string{"192.0.2.1 3/3", "192.0.2.2 3/3"}) {
		t.Errorf("got %q", got)
	}
	for _, alert := range overflow.APIAlerts {
		if !strings.HasPrefix(alert.Message, "Ip 2 sources performed 'test' (3 events over 0s) at ") || overflow.Sources[alert.GetValue()] != alert.Source {
			t.Errorf("source %p of %p, message %s", alert.Source, overflow.Sources[alert.GetValue()], alert.Message)
		}
	}
}

// source writes what is known about a source.
func source(s *wire.Source) string {
	return strings.TrimSpace(fmt.Sprintf("%s %q ip=%s range=%s as=%s %s cn=%s %v,%v", s.Scope, s.Value, s.IP, s.Range, s.AsNumber, s.AsName, s.Cn, s.Latitude, s.Longitude))
}

// TestScopes says which source a line gives. Without want there is no alert, and an error in the log.
func TestScopes(t *testing.T) {
	t.Parallel()
	const address, ranged, user = "{type: Ip}", "{type: Range}", "{type: username, expression: evt.Meta.user}"
	for _, test := range []struct {
		name     string
		scope    string
		event    string
		enriched []string
		want     string
	}{
		{"address", address, "0s", nil, `Ip "192.0.2.1" ip=192.0.2.1 range= as=  cn= 0,0`},
		{"address: IPv6", address, "0s ip=2001:db8::1", nil, `Ip "2001:db8::1" ip=2001:db8::1 range= as=  cn= 0,0`},
		{"address: described", address, "0s SourceRange=192.0.2.0/24", []string{"ASNumber=1", "ASNNumber=2", "ASNOrg=Net", "IsoCode=DE", "Latitude=1.5", "Longitude=-2"}, `Ip "192.0.2.1" ip=192.0.2.1 range=192.0.2.0/24 as=1 Net cn=DE 1.5,-2`},
		{"address: the other name of the number", address, "0s", []string{"ASNNumber=2"}, `Ip "192.0.2.1" ip=192.0.2.1 range= as=2  cn= 0,0`},
		{"address: no coordinates", address, "0s", []string{"Latitude=north", "Longitude="}, `Ip "192.0.2.1" ip=192.0.2.1 range= as=  cn= 0,0`},
		{"address: coordinates that no JSON can carry", address, "0s", []string{"Latitude=NaN", "Longitude=-Inf"}, `Ip "192.0.2.1" ip=192.0.2.1 range= as=  cn= 0,0`},
		{"address: the range is written in one way", address, "0s SourceRange=192.0.2.77/24", nil, `Ip "192.0.2.1" ip=192.0.2.1 range=192.0.2.0/24 as=  cn= 0,0`},
		{"address: none", address, "0s ip=", nil, ""},
		{"address: no address", address, "0s ip=example.org", nil, ""},
		{"address: of one link only", address, "0s ip=fe80::1%eth0", nil, ""},
		{"address: no range", address, "0s SourceRange=192.0.2.0", nil, ""},
		{"range", ranged, "0s SourceRange=192.0.2.77/24", []string{"IsoCode=DE"}, `Range "192.0.2.0/24" ip=192.0.2.1 range=192.0.2.0/24 as=  cn=DE 0,0`},
		{"range: absent", ranged, "0s", nil, `Range "" ip=192.0.2.1 range= as=  cn= 0,0`},
		{"range: no range", ranged, "0s SourceRange=192.0.2.0", nil, ""},
		{"range by expression", "{type: Range, expression: evt.Meta.net}", "0s net=192.0.0.0/16 SourceRange=192.0.2.0/24", nil, `Range "192.0.0.0/16" ip=192.0.2.1 range=192.0.2.0/24 as=  cn= 0,0`},
		{"other", user, "0s user=root SourceRange=192.0.2.0/24", []string{"IsoCode=DE"}, `username "root" ip= range= as=  cn= 0,0`},
		{"other: needs no address", user, "0s user=root ip=", nil, `username "root" ip= range= as=  cn= 0,0`},
		{"other: what is no text is nothing", "{type: number, expression: '1 + 1'}", "0s", nil, `number "" ip= range= as=  cn= 0,0`},
		{"other: so is an error", "{type: number, expression: evt.Unmarshaled.a.b}", "0s", nil, `number "" ip= range= as=  cn= 0,0`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench()
			b.use(t, with(trigger, "scope: "+test.scope))
			evt := replayed(test.event)
			describe(evt, test.enriched...)
			overflows := b.pour(evt)
			if test.want == "" {
				if len(overflows) != 0 || !strings.Contains(b.log.String(), "level=ERROR") {
					t.Errorf("%d overflows, log %s", len(overflows), b.log.String())
				}
				return
			}
			if len(overflows) != 1 {
				t.Fatalf("no overflow: %s", b.log.String())
			}
			if got := source(overflows[0].Overflow.Alert.Source); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestMessageNamesTheScope(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.use(t, with(trigger, "scope: {type: username, expression: evt.Meta.user}"))
	if got := b.pour(replayed("0s user=root"))[0].Overflow.Alert.Message; !strings.HasPrefix(got, "username root performed 'test' (1 events over 0s) at ") {
		t.Errorf("message %s", got)
	}
}

func TestLaterEventsDescribeTheSource(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.use(t, leaky)
	first, second := replayed("0s"), replayed("1s")
	describe(first, "IsoCode=DE")
	describe(second, "IsoCode=FR")
	if got := b.pour(first, second)[0].Overflow.Alert.Source.Cn; got != "FR" {
		t.Errorf("country %s", got)
	}
}

// TestFeedingBack pours the overflow of one scenario into another, and says which source that gives.
func TestFeedingBack(t *testing.T) {
	t.Parallel()
	const user = "scope: {type: username, expression: evt.Meta.user}"
	for _, test := range []struct {
		name        string
		from, to    string // scope lines
		line        string
		want        string // "" is no alert
		afterParser func(*event.Event)
	}{
		{"the same scope", "", "", "0s", `Ip "192.0.2.1" ip=192.0.2.1 range= as=  cn= 0,0`, nil},
		{"another scope, the same", user, user, "0s user=root", `username "root" ip= range= as=  cn= 0,0`, nil},
		{"an address becomes its range", "", "scope: {type: Range}", "0s SourceRange=192.0.2.0/24", `Range "192.0.2.0/24" ip=192.0.2.1 range=192.0.2.0/24 as=  cn= 0,0`, nil},
		{"an address without range becomes nothing", "", "scope: {type: Range}", "0s", "", nil},
		{
			"an address becomes a range by expression", "", "scope: {type: Range, expression: evt.Meta.net}", "0s", `Range "10.0.0.0/8" ip=192.0.2.1 range= as=  cn= 0,0`,
			func(evt *event.Event) { evt.Meta["net"] = "10.0.0.0/8" },
		},
		{"an empty expression gives nothing", "", "scope: {type: Range, expression: evt.Meta.net}", "0s SourceRange=192.0.2.0/24", "", nil},
		{"a range stays one", "scope: {type: Range}", "scope: {type: Range}", "0s SourceRange=192.0.2.0/24", `Range "192.0.2.0/24" ip=192.0.2.1 range=192.0.2.0/24 as=  cn= 0,0`, nil},
		{"a range becomes no address", "scope: {type: Range}", "", "0s SourceRange=192.0.2.0/24", "", nil},
		{"an address becomes no name", "", user, "0s user=root", "", nil},
		{"a name becomes no address", user, "", "0s user=root", "", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench()
			lines := func(more ...string) []string {
				return slices.DeleteFunc(more, func(line string) bool { return line == "" })
			}
			b.use(t, with(trigger, lines("name: first", "filter: evt.GetType() == 'log'", test.from)...),
				with(trigger, lines("name: second", "filter: evt.GetType() == 'overflow' && evt.Overflow.Alert.GetScenario() == 'first'", test.to)...))
			overflows := b.pour(replayed(test.line))
			if len(overflows) != 1 {
				t.Fatalf("%d overflows of the line", len(overflows))
			}
			if test.afterParser != nil {
				test.afterParser(overflows[0])
			}
			again := b.pour(overflows...)
			if test.want == "" {
				if len(again) != 0 {
					t.Errorf("alert about %s", source(again[0].Overflow.Alert.Source))
				}
				return
			}
			if len(again) != 1 {
				t.Fatalf("no overflow of the overflow: %s", b.log.String())
			}
			if got := source(again[0].Overflow.Alert.Source); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if at := again[0].Overflow.Alert.StopAt; at != "2026-03-01T12:00:00Z" {
				t.Errorf("at %s, not live", at)
			}
		})
	}
}

// TestSourcesThatCannotBeConvertedAreLeftOut of an alert that has others.
func TestSourcesThatCannotBeConvertedAreLeftOut(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.use(t, with(trigger, "name: user", "filter: evt.Meta.user != ''", "scope: {type: username, expression: evt.Meta.user}"),
		with(trigger, "name: address", "filter: evt.Meta.user == '' && evt.GetType() == 'log'"),
		with(leaky, "name: both", "filter: evt.GetType() == 'overflow'"))
	overflows := b.pour(replayed("0s user=root"), replayed("0s"))
	if got := summary(b.pour(overflows...)); !slices.Equal(got, []string{"192.0.2.1 2/2"}) {
		t.Errorf("got %q", got)
	}
}

// TestRewrittenSourceDoesNotReachBuckets: a source that is fed back is a copy.
func TestRewrittenSourceDoesNotReachBuckets(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.use(t, with(trigger, "name: first", "filter: evt.GetType() == 'log'"), with(trigger, "name: second", "filter: evt.GetType() == 'overflow'"))
	first := b.pour(replayed("0s"))
	second := b.pour(first...)
	second[0].Overflow.Alert.Source.Value = "changed"
	if got := first[0].Overflow.Alert.GetValue(); got != "192.0.2.1" {
		t.Errorf("the first alert is about %s", got)
	}
}
