package detection

import (
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/logprocessor"
	"shieldwall/internal/logprocessor/acquisition"
	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/logprocessor/parser"
	"shieldwall/internal/logprocessor/scenario"
)

// malformed returns lines that no program should write, by what is wrong with them. Each is a message, with
// and without a frame that a parser may expect around it.
func malformed() map[string][]string {
	random := rand.New(rand.NewPCG(4, 4))
	garbage := make([]byte, 300)
	for i := range garbage {
		garbage[i] = byte(random.UintN(255)) + 1
		if garbage[i] == '\n' {
			garbage[i] = 0xff
		}
	}
	long := func(part string) string { return strings.Repeat(part, 1<<20/len(part)) }
	lines := map[string][]string{
		"invalid UTF-8": {
			"\xff\xfe\xfd", string(garbage), "caf\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\xaf", "\x80 begins in the middle",
			"Failed password for \xff\xfe from 192.0.2.\xff port 22 ssh2",
			"192.0.2.1 - \xe9 [14/Mar/2026:09:26:53 +0000] \"GET /\xff\xff HTTP/1.1\" 404 1 \"\xfe\" \"\xfe\"",
			"{\"msg\": \"\xff\", \"\xfe\": 1}",
		},
		"1 MiB": {
			long("a"), long("a "), long("192.0.2.1 "), long(`"`), long("["), long("{\"a\":"), long("key=value "), long("2026-03-14T09:26:53Z "),
			`192.0.2.1 - - [14/Mar/2026:09:26:53 +0000] "GET /` + long("%2e%2e/") + ` HTTP/1.1" 404 1 "-" "-"`,
			"Failed password for invalid user " + long("root from 192.0.2.1 port 22 ") + " from 192.0.2.1 port 22 ssh2",
		},
		"NUL bytes": {
			"\x00", strings.Repeat("\x00", 4096), "a\x00b", "\x00sshd", "Failed password for ro\x00ot from 192.0.2.1 port 22 ssh2",
			"Failed password for root from 192.0.2.1\x00 port 22 ssh2", "192.0.2.1 - - [14/Mar/2026:09:26:53 +0000] \"GET /\x00 HTTP/1.1\" 404 1 \"-\" \"\x00\"",
			"{\"a\": \"\x00\"}", "key=\x00 \x00=value", "<Event>\x00</Event>",
		},
		"broken JSON": {
			"{", `{"a"`, `{"a":`, `{"a": 1,}`, `{"a": 1e999999}`, `[1, 2`, `{"a": "\ud800"}`, `{"a": {"a": {"a": }}}`, strings.Repeat(`{"a":[`, 20000), `{"a": 1} trailing`,
		},
		"broken KV, XML and CSV": {
			"=", "a=", "=b", `a="unterminated`, `a="b\"`, "<a", "<a><b></a></b>", "<?xml version='9'?><a/>", `"a,"b"",`, "a,,,,,,,,,,,,,,,,,,",
		},
	}
	for _, date := range []string{
		"0000-00-00T00:00:00Z", "9999999-01-01T00:00:00Z", "2026-02-30T25:61:61Z", "-62135596801", "99999999999999999999", "NaN",
		"30/Feb/2026:09:26:53 +9999", "Feb 30 24:00:00", "1e308", "0001-01-01T00:00:00+99:99",
	} {
		lines["absurd dates"] = append(lines["absurd dates"],
			date+" gate sshd[1]: Failed password for root from 192.0.2.1 port 22 ssh2",
			fmt.Sprintf(`192.0.2.1 - - [%s] "GET / HTTP/1.1" 404 1 "-" "-"`, date),
			fmt.Sprintf(`{"time": %q, "timestamp": %q, "ts": %q, "@timestamp": %q, "msg": "a"}`, date, date, date, date),
			fmt.Sprintf("{\"time\": %[1]s, \"timestamp\": %[1]s, \"ts\": %[1]s, \"level\": \"info\"}", date),
			fmt.Sprintf("date=%[1]s time=%[1]s eventtime=%[1]s", date))
	}
	return lines
}

// framed is a message of a program, as it comes in a file of its own and through syslog.
func framed(program, message string) []event.Line {
	line := func(kind, raw string) event.Line {
		return event.Line{Raw: raw, Src: "malformed.log", Module: "file", Process: true, Time: time.Now(), Labels: map[string]string{"type": kind, "program": program}}
	}
	return []event.Line{line(program, message), line("syslog", "Mar 14 09:26:53 gate "+program+"[1]: "+message), line("syslog", message)}
}

// TestMalformedLines sends what is wrong in every way through everything that we ship: each line is counted
// as parsed or unparsed, in the time that its length allows.
func TestMalformedLines(t *testing.T) {
	t.Parallel()
	parsers, scenarios := loadContent(t)
	for kind, messages := range malformed() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			if len(messages) < 10 {
				t.Errorf("only %d messages", len(messages))
			}
			counted := count{}
			for _, program := range []string{"sshd", "nginx", "apache2"} {
				for _, message := range messages {
					counted.add(passThrough(t, framed(program, message), parsers, scenarios))
				}
			}
			t.Logf("measured: %v", counted)
		})
	}
}

// TestMalformedLinesThroughTheHub does the same with every parser of the public hub, as every program that
// one of them asks for. SHIELDWALL_HUB_SAMPLE names a folder with the hub; data files are in the folder
// data beside it.
func TestMalformedLinesThroughTheHub(t *testing.T) {
	sample := os.Getenv("SHIELDWALL_HUB_SAMPLE")
	if sample == "" {
		t.Skip("needs a copy of the public hub: set SHIELDWALL_HUB_SAMPLE to its folder")
	}
	items := hubParsers(t, sample)
	parsers, err := parser.Load(items, parserDeps(t, filepath.Join(sample, "..", "data")))
	if err != nil {
		t.Fatal(err)
	}
	_, none := load(t, nil, nil)
	programs := askedFor(items)
	t.Logf("%d parsers, %d programs", len(items), len(programs))
	if len(programs) < 100 {
		t.Errorf("only %q", programs)
	}
	for kind, messages := range malformed() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			counted := count{}
			for _, program := range programs {
				for _, message := range messages {
					counted.add(passThrough(t, framed(program, message), parsers, none))
				}
			}
			t.Logf("measured: %v", counted)
		})
	}
}

func hubParsers(t *testing.T, hub string) []parser.Item {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(hub, "parsers", "*", "*", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	items := make([]parser.Item, 0, len(paths))
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, parser.Item{Path: path, Stage: filepath.Base(filepath.Dir(filepath.Dir(path))), Text: text})
	}
	return items
}

// askedFor returns every text that a filter compares something with: the names of programs and types are
// among them.
func askedFor(items []parser.Item) []string {
	filter, quoted := regexp.MustCompile(`(?m)^[ -]*filter:.*$`), regexp.MustCompile(`'([\w./-]+)'|"([\w./-]+)"`)
	found := map[string]bool{}
	for _, item := range items {
		for _, text := range filter.FindAll(item.Text, -1) {
			for _, match := range quoted.FindAllSubmatch(text, -1) {
				found[string(match[1])+string(match[2])] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// count is what became of lines.
type count struct {
	lines, parsed, unparsed int
	total, slowest          time.Duration
	slow                    string // the beginning of the slowest line
}

func (c *count) add(more count) {
	c.lines += more.lines
	c.parsed += more.parsed
	c.unparsed += more.unparsed
	c.total += more.total
	if more.slowest > c.slowest {
		c.slowest, c.slow = more.slowest, more.slow
	}
}

func (c count) String() string {
	return fmt.Sprintf("%d lines, %d parsed, %d unparsed, in %v; the slowest took %v: %.60q", c.lines, c.parsed, c.unparsed,
		c.total.Round(time.Millisecond), c.slowest.Round(time.Microsecond), c.slow)
}

// passThrough runs lines through a pipeline, one by one. How long the slowest took is measured, not asserted:
// that the matcher takes linear steps is a test of its own.
func passThrough(t *testing.T, lines []event.Line, parsers *parser.Set, scenarios *scenario.Set) count {
	t.Helper()
	counted := count{lines: len(lines)}
	for _, line := range lines {
		registry := prometheus.NewRegistry()
		begin := time.Now()
		pipeline := logprocessor.New(logprocessor.Options{
			Sources: []acquisition.Source{once{line}}, Parsers: parsers, Postoverflows: &parser.Set{}, Scenarios: scenarios,
			Engine: scenario.NewEngine(scenarios, bucket.NewStore(begin), nil), Alerts: &alerts{},
			Workers: 1, Now: time.Now, Log: slog.New(slog.DiscardHandler), Metrics: logprocessor.NewMetrics(registry),
		})
		if err := pipeline.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		took := time.Since(begin)
		metrics := gathered(t, registry)
		parsed, unparsed := metrics["cs_parser_hits_ok_total"], metrics["cs_parser_hits_ko_total"]
		if metrics["cs_parser_hits_total"] != 1 || parsed+unparsed != 1 {
			t.Errorf("%.100q: counted as %v", line.Raw, metrics)
		}
		counted.add(count{parsed: parsed, unparsed: unparsed, total: took, slowest: took, slow: line.Raw})
	}
	return counted
}

func gathered(t *testing.T, registry *prometheus.Registry) map[string]int {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]int{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			sums[family.GetName()] += int(metric.GetCounter().GetValue())
		}
	}
	return sums
}
