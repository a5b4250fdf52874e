package event_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"shieldwall/internal/expression"
	"shieldwall/internal/logprocessor/event"
)

// nginxEvent is what parsers make of an ordinary line of an access log.
func nginxEvent() *event.Event {
	evt := event.New(event.Line{
		Raw: `192.0.2.7 - - [21/Nov/2026:10:00:00 +0000] "GET /shop/item/1234?ref=mail HTTP/1.1" 200 5120 "-" "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"`,
		Src: "/var/log/nginx/access.log", Module: "file", Labels: map[string]string{"type": "nginx"},
	}, event.TimeMachine)
	evt.Stage = "s02-enrich"
	maps.Copy(evt.Parsed, map[string]string{
		"program": "nginx", "message": evt.Line.Raw, "remote_addr": "192.0.2.7", "verb": "GET", "request": "/shop/item/1234?ref=mail",
		"http_version": "1.1", "status": "200", "body_bytes_sent": "5120", "http_user_agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
		"file_name": "1234", "file_ext": "", "static_ressource": "false", "impact_completion": "false",
	})
	maps.Copy(evt.Meta, map[string]string{
		"service": "http", "log_type": "http_access-log", "source_ip": "192.0.2.7", "http_status": "200", "http_verb": "GET",
		"http_path": "/shop/item/1234", "http_args": "ref=mail", "http_args_len": "8", "http_user_agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
	})
	return evt
}

// sshdEvent is what parsers make of a line about an accepted key.
func sshdEvent() *event.Event {
	evt := event.New(event.Line{
		Raw: "Nov 21 10:00:00 host sshd[4711]: Accepted publickey for alice from 192.0.2.8 port 50022 ssh2",
		Src: "/var/log/auth.log", Module: "file", Labels: map[string]string{"type": "syslog"},
	}, event.TimeMachine)
	maps.Copy(evt.Parsed, map[string]string{"program": "sshd", "pid": "4711", "message": "Accepted publickey for alice from 192.0.2.8 port 50022 ssh2"})
	maps.Copy(evt.Meta, map[string]string{"service": "ssh", "log_type": "ssh_success", "source_ip": "192.0.2.8", "target_user": "alice"})
	return evt
}

// onCPU reports the processor time of an operation too: others may use the machine.
func onCPU(b *testing.B, operation func()) {
	b.Helper()
	b.ReportAllocs()
	begin := cpuTime(b)
	for b.Loop() {
		operation()
	}
	b.ReportMetric(float64(cpuTime(b)-begin)/float64(b.N), "cpu-ns/op")
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func BenchmarkCompile(b *testing.B) {
	for name, corpus := range corpora(b) {
		texts := slices.Sorted(maps.Keys(corpus.texts))
		for _, plain := range []bool{false, true} {
			b.Run(name+map[bool]string{false: "/direct", true: "/machine"}[plain], func(b *testing.B) {
				onCPU(b, func() {
					library := expression.New(expression.Deps{Plain: plain})
					for _, text := range texts {
						_, _ = library.CompileAny(text, event.Env{}) // some are for other environments
					}
				})
				b.ReportMetric(float64(len(texts)), "expressions")
			})
		}
	}
}

// BenchmarkFilters evaluates the filters of scenarios one by one, and together.
func BenchmarkFilters(b *testing.B) {
	for name, corpus := range corpora(b) {
		pair := newPair(corpus.loaded())
		fast, slow := compileFilters(b, pair.fast, corpus.filters), compileFilters(b, pair.slow, corpus.filters)
		selector := expression.NewSelector(fast)
		for about, evt := range map[string]*event.Event{"nginx": nginxEvent(), "sshd": sshdEvent()} {
			env := &event.Env{Evt: evt}
			for way, filters := range map[string][]*expression.Bool{"direct": fast, "machine": slow} {
				b.Run(name+"/"+about+"/"+way, func(b *testing.B) {
					onCPU(b, func() {
						for _, filter := range filters {
							_, _ = filter.Eval(env) // some fail, as they do in an engine
						}
					})
				})
			}
			b.Run(name+"/"+about+"/selector", func(b *testing.B) {
				into := make([]int, 0, len(fast))
				onCPU(b, func() { into = selector.Select(env, into[:0], nil) })
				b.ReportMetric(float64(len(fast)), "filters")
				b.ReportMetric(float64(len(into)), "true")
			})
		}
	}
}

// corpora are what to measure: our own items, and of the public hub all and what a web server with SSH installs.
func corpora(tb testing.TB) map[string]corpus {
	tb.Helper()
	found := map[string]corpus{}
	own := corpus{texts: map[string]string{}, dataDir: filepath.Join("..", "..", "..", "content", "data")}
	own.readAll(tb, filepath.Join("..", "..", "..", "content", "items"))
	found["own"] = own
	sample := os.Getenv("SHIELDWALL_HUB_SAMPLE")
	if sample == "" {
		return found
	}
	hub := corpus{texts: map[string]string{}, dataDir: filepath.Join(sample, "..", "data")}
	server := corpus{texts: map[string]string{}, dataDir: hub.dataDir}
	for _, kind := range []string{"parsers", "scenarios", "postoverflows"} {
		hub.readAll(tb, filepath.Join(sample, kind))
	}
	for _, name := range []string{"linux", "sshd", "nginx", "apache2", "base-http-scenarios", "http-cve"} {
		server.readCollection(tb, sample, "crowdsecurity/"+name)
	}
	found["hub"], found["server"] = hub, server
	return found
}

// readCollection reads the items of a collection and of those below it, each once.
func (c *corpus) readCollection(tb testing.TB, hub, name string) {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(hub, "collections", name+".yaml"))
	if err != nil {
		tb.Fatal(err)
	}
	var items struct{ Parsers, Scenarios, Postoverflows, Collections []string }
	if err := yaml.Unmarshal(text, &items); err != nil {
		tb.Fatal(err)
	}
	for _, below := range items.Collections {
		c.readCollection(tb, hub, below)
	}
	for kind, names := range map[string][]string{"scenarios": items.Scenarios, "parsers/*": items.Parsers, "postoverflows/*": items.Postoverflows} {
		for _, name := range names {
			paths, err := filepath.Glob(filepath.Join(hub, kind, name+".y*ml"))
			if err != nil || len(paths) != 1 {
				tb.Fatalf("%s %s: %q, %v", kind, name, paths, err)
			}
			if slices.Contains(c.paths, paths[0]) {
				continue
			}
			c.paths = append(c.paths, paths[0])
			if err := c.read(paths[0]); err != nil {
				tb.Fatal(err)
			}
		}
	}
}

func compileFilters(tb testing.TB, library *expression.Library, texts []string) []*expression.Bool {
	tb.Helper()
	filters := make([]*expression.Bool, 0, len(texts))
	for _, text := range texts {
		filter, err := library.CompileBool(text, event.Env{})
		if err != nil {
			tb.Fatal(err)
		}
		filters = append(filters, filter)
	}
	return filters
}
