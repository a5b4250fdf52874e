package parser_test

import (
	"fmt"
	"testing"

	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/wire"
)

// whitelisting is what whitelists left in a line.
func whitelisting(evt *event.Event) string {
	return fmt.Sprint(evt.Whitelisted, " ", evt.WhitelistReason)
}

// TestWhitelistAddresses says which source a list of addresses covers.
func TestWhitelistAddresses(t *testing.T) {
	t.Parallel()
	patterns := embedded(t)
	for _, test := range []struct {
		list, source string
		want         bool
	}{
		{"ip: [192.0.2.1]", "192.0.2.1", true},
		{"ip: [192.0.2.1]", "192.0.2.2", false},
		{"ip: [192.0.2.2, 192.0.2.1]", "192.0.2.1", true},
		{"ip: ['2001:db8::1']", "2001:0db8:0::1", true},
		{"ip: [192.0.2.1]", "::ffff:192.0.2.1", false},
		{"ip: ['::ffff:192.0.2.1']", "::ffff:192.0.2.1", true},
		{"ip: [192.0.2.1]", "", false},
		{"ip: [192.0.2.1]", "nobody", false},
		{"cidr: [192.0.2.0/24]", "192.0.2.255", true},
		{"cidr: [192.0.2.77/24]", "192.0.2.1", true},
		{"cidr: [192.0.2.0/24]", "192.0.3.0", false},
		{"cidr: [192.0.2.0/24]", "::ffff:192.0.2.1", false},
		{"cidr: [10.0.0.0/8, '2001:db8::/32']", "2001:db8:ffff::1", true},
		{"cidr: [0.0.0.0/0]", "2001:db8::1", false},
		{"{ip: [192.0.2.1], cidr: [10.0.0.0/8]}", "10.1.2.3", true},
	} {
		t.Run(test.list+" "+test.source, func(t *testing.T) {
			t.Parallel()
			list := test.list
			if list[0] != '{' {
				list = "{" + list + "}"
			}
			set := newBench(patterns).mustLoad(t, "whitelist: "+list)
			evt := line("")
			evt.Meta["source_ip"] = test.source
			if !set.Parse(evt) || evt.Whitelisted != test.want {
				t.Errorf("process %v, whitelisted %v", evt.Process, evt.Whitelisted)
			}
		})
	}
}

func TestWhitelists(t *testing.T) {
	t.Parallel()
	from := func(source string) func(*event.Event) {
		return func(evt *event.Event) { evt.Meta["source_ip"] = source }
	}
	both := "-- s01/a.yaml --\nname: a\nwhitelist: {reason: first, expression: ['%s']}\n---\nname: b\nwhitelist: {reason: second, expression: ['true']}\nstatics: [{meta: b, value: ran}]"
	runRows(t, []row{
		{
			name: "addresses are enough", files: "whitelist: {reason: r, ip: [192.0.2.1], expression: ['false']}",
			before: from("192.0.2.1"), want: []string{"meta.source_ip=192.0.2.1"}, after: whitelisting, result: "true r",
		},
		{
			name: "so is an expression", files: "whitelist: {reason: r, ip: [192.0.2.1], expression: ['false', 'evt.Line.Raw contains \"world\"']}",
			before: from("192.0.2.9"), want: []string{"meta.source_ip=192.0.2.9"}, after: whitelisting, result: "true r",
		},
		{
			name: "nothing covers", files: "whitelist: {reason: r, ip: [192.0.2.1], expression: ['false']}",
			before: from("192.0.2.9"), want: []string{"meta.source_ip=192.0.2.9"}, after: whitelisting, result: "false ",
		},
		{
			name: "an expression that fails covers nothing and ends the list", files: "whitelist: {reason: r, expression: ['evt.Unmarshaled.a.b == 1', 'true']}",
			after: whitelisting, result: "false ", log: "level=WARN",
		},
		{
			name: "the first reason stays, the event goes on", files: fmt.Sprintf(both, "true"),
			want: []string{"meta.b=ran"}, after: whitelisting, result: "true first",
		},
		{
			name: "the second node can be the first to cover", files: fmt.Sprintf(both, "false"),
			want: []string{"meta.b=ran"}, after: whitelisting, result: "true second",
		},
		{
			name: "of a child", files: "nodes: [{whitelist: {reason: child, expression: ['true']}}]\nstatics: [{meta: a, value: ran}]",
			want: []string{"meta.a=ran"}, after: whitelisting, result: "true child",
		},
	})
}

// overflowOf makes a line an overflow with sources.
func overflowOf(values ...string) func(*event.Event) {
	return func(evt *event.Event) {
		evt.Type = event.Overflow
		evt.Overflow.Sources = map[string]*wire.Source{}
		for _, value := range values {
			source := &wire.Source{Scope: "Ip", Value: value, IP: value}
			evt.Overflow.Sources[value] = source
			evt.Overflow.APIAlerts = append(evt.Overflow.APIAlerts, &wire.Alert{Source: source})
		}
		evt.Overflow.Alert = evt.Overflow.APIAlerts[0]
	}
}

func TestWhitelistedOverflow(t *testing.T) {
	t.Parallel()
	verdict := func(evt *event.Event) string { return fmt.Sprint(evt.Overflow.Whitelisted, " ", evt.WhitelistReason) }
	const list = "whitelist: {reason: r, cidr: [192.0.2.0/24], expression: ['evt.Overflow.Alert.GetScenario() == \"trusted\"']}"
	runRows(t, []row{
		{name: "its source", files: list, before: overflowOf("192.0.2.1"), after: verdict, result: "true r"},
		{name: "one of its sources", files: list, before: overflowOf("198.51.100.1", "192.0.2.1"), after: verdict, result: "true r"},
		{name: "none of them", files: list, before: overflowOf("198.51.100.1"), after: verdict, result: "false "},
		{name: "source_ip does not count", files: list, before: func(evt *event.Event) {
			overflowOf("198.51.100.1")(evt)
			evt.Meta["source_ip"] = "192.0.2.1"
		}, want: []string{"meta.source_ip=192.0.2.1"}, after: verdict, result: "false "},
		{name: "an expression on the alert", files: list, before: func(evt *event.Event) {
			overflowOf("198.51.100.1")(evt)
			evt.Overflow.Alert.Scenario = "trusted"
		}, after: verdict, result: "true r"},
	})
}
