package metrics

import (
	"cmp"
	"fmt"
	"slices"

	"shieldwall/internal/cscli/table"
)

// kind is one type of metrics.
type kind struct {
	name        string
	title       string
	description string
	content     content
	none        string // said when there are no tables although someone asked for them
	onDemand    bool   // shown by its name only
}

// content is what a type of metrics has to show.
type content interface {
	// document returns it as it is in JSON.
	document(from sources) any
	// tables draws it.
	tables(from sources, title string, d drawing) []*table.Table
}

// kinds returns all types, by name.
func kinds() []kind {
	return slices.SortedFunc(slices.Values(slices.Concat(engineKinds(), localAPIKinds(), reportedKinds())), func(a, b kind) int {
		return cmp.Compare(a.name, b.name)
	})
}

// engineKinds are about lines and what became of them.
func engineKinds() []kind {
	return []kind{
		{
			name: "acquisition", title: "Acquisition Metrics",
			description: "How many lines were read from each source, how many of them were parsed, and how many went into buckets " +
				"or were whitelisted.",
			content: &section{brief: true, keys: []column{{"Source", "type:source", ""}}, counts: []column{
				{"Lines read", "cs_parser_hits_total", "reads"},
				{"Lines parsed", "cs_parser_hits_ok_total", "parsed"},
				{"Lines unparsed", "cs_parser_hits_ko_total", "unparsed"},
				{"Lines poured to bucket", "cs_bucket_poured_total", "pour"},
				{"Lines whitelisted", "cs_node_wl_hits_ok_total", "whitelisted"},
			}},
		},
		{
			name: "parsers", title: "Parser Metrics",
			description: "How many lines reached each parser, and how many it understood.",
			content: &section{brief: true, keys: []column{{"Parsers", "name", ""}}, counts: []column{
				{"Hits", "cs_node_hits_total", "hits"},
				{"Parsed", "cs_node_hits_ok_total", "parsed"},
				{"Unparsed", "cs_node_hits_ko_total", "unparsed"},
			}},
		},
		{
			name: "scenarios", title: "Scenario Metrics",
			description: "How many buckets each scenario has now, how many it had, and what became of them.",
			content: &section{brief: true, keys: []column{{"Scenario", "name", ""}}, counts: []column{
				{"Current Count", "cs_buckets", "curr_count"},
				{"Overflows", "cs_bucket_overflowed_total", "overflow"},
				{"Instantiated", "cs_bucket_instantiation_total", "instantiation"},
				{"Poured", "cs_bucket_poured_total", "pour"},
				{"Expired", "cs_bucket_underflowed_total", "underflow"},
			}},
		},
		{
			name: "stash", title: "Parser Stash Metrics",
			description: "How many values each stash remembers for parsers.",
			content: &section{
				keys:   []column{{"Name", "name", ""}, {"Type", "type", "Type"}},
				counts: []column{{"Items", "cs_cache_size", "Count"}},
			},
		},
		{
			name: "whitelists", title: "Whitelist Metrics",
			description: "How many events each whitelist looked at, and how many it let pass.",
			content: &section{keys: []column{{"Whitelist", "name", ""}, {"Reason", "reason", ""}}, counts: []column{
				{"Hits", "cs_node_wl_hits_total", "hits"}, {"Whitelisted", "cs_node_wl_hits_ok_total", "whitelisted"},
			}},
		},
	}
}

// localAPIKinds are about what the Local API keeps, and who asked it.
func localAPIKinds() []kind {
	return []kind{
		{
			name: "alerts", title: "Local API Alerts",
			description: "How many alerts the Local API keeps, by what they are about.",
			content:     &section{keys: []column{{"Reason", "reason", ""}}, counts: []column{{"Count", "cs_alerts", ""}}},
		},
		{
			name: "decisions", title: "Local API Decisions",
			description: "How many decisions are active, by reason, origin and action. Simulated ones are not counted.",
			content: &section{
				keys:   []column{{"Reason", "reason", ""}, {"Origin", "origin", ""}, {"Action", "action", ""}},
				counts: []column{{"Count", "cs_active_decisions", ""}},
			},
		},
		{
			name: "lapi", title: "Local API Metrics",
			description: "How many requests the Local API got, by route and method.",
			content:     requests("cs_lapi_route_requests_total"),
		},
		{
			name: "lapi-bouncer", title: "Local API Bouncers Metrics",
			description: "How many requests each bouncer made, by route and method.",
			content:     requests("cs_lapi_bouncer_requests_total", column{"Bouncer", "bouncer", ""}),
		},
		{
			name: "lapi-decisions", title: "Local API Bouncers Decisions",
			description: "How often bouncers asked about one address, and how often there was a decision on it.",
			content: &section{keys: []column{{"Bouncer", "bouncer", ""}}, counts: []column{
				{"Empty answers", "cs_lapi_decisions_ko_total", "Empty"}, {"Non-empty answers", "cs_lapi_decisions_ok_total", "NonEmpty"},
			}},
		},
		{
			name: "lapi-machine", title: "Local API Machines Metrics",
			description: "How many requests each machine made, by route and method.",
			content:     requests("cs_lapi_machine_requests_total", column{"Machine", "machine", ""}),
		},
	}
}

// reportedKinds are about what components have reported to the Local API.
func reportedKinds() []kind {
	return []kind{
		{
			name: "bouncers", title: "Bouncer Metrics",
			description: "What bouncers have reported of the traffic that they stopped, and how many decisions they enforce, by origin.",
			content:     bouncers{}, none: "No bouncer metrics found.",
		},
		{
			name: "machines", title: "Machine Metrics", onDemand: true,
			description: "What each log processor has reported of its sources. Shown when asked for by this name.",
			content:     machines{}, none: "No machine metrics found.",
		},
	}
}

// requests counts requests, by who made them if that is known, by route and by method.
func requests(family string, who ...column) *section {
	return &section{
		keys:   append(who, column{"Route", "route", ""}, column{"Method", "method", ""}),
		counts: []column{{"Hits", family, ""}},
	}
}

// groups are short names for several types.
func groups() map[string][]kind {
	return map[string][]kind{"engine": engineKinds(), "lapi": localAPIKinds()}
}

// names are what can be asked for.
func names() []string {
	all := []string{"engine"} // the other group is a type too
	for _, k := range kinds() {
		all = append(all, k.name)
	}
	slices.Sort(all)
	return all
}

// choose returns the types that the arguments name; without arguments those that are shown unasked.
func choose(args []string) ([]kind, error) {
	wanted := map[string]bool{}
	for _, arg := range args {
		if !slices.Contains(names(), arg) {
			return nil, fmt.Errorf("unknown metrics type: %s", arg)
		}
		wanted[arg] = true
		for _, member := range groups()[arg] {
			wanted[member.name] = true
		}
	}
	return slices.DeleteFunc(kinds(), func(k kind) bool {
		if len(args) == 0 {
			return k.onDemand
		}
		return !wanted[k.name]
	}), nil
}
