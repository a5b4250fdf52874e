package detection

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"shieldwall/content"
	"shieldwall/internal/logprocessor"
	"shieldwall/internal/logprocessor/acquisition"
	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/logprocessor/parser"
	"shieldwall/internal/logprocessor/scenario"
	"shieldwall/internal/wire"
)

// TestReplayIsDeterministic replays one mixed log again and again, with more and more workers: the alerts are
// the same to the byte. SHIELDWALL_LONG=1 makes it 200,000 lines and 20 replays for each number of workers.
func TestReplayIsDeterministic(t *testing.T) {
	lines, replays := 10_000, 2
	if os.Getenv("SHIELDWALL_LONG") != "" {
		lines, replays = 200_000, 20
	}
	log := mixedLog(lines)
	var want []byte
	for _, workers := range []int{1, 2, 8} {
		begin := time.Now()
		for range replays {
			parsers, scenarios := loadMore(t) // nothing is left over from the replay before
			got := encoded(t, log.replay(t, workers, parsers, scenarios))
			if want == nil {
				want = got
				continue
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("%d workers: %s", workers, difference(got, want))
			}
		}
		t.Logf("measured: %d replays of %d lines with %d workers in %v: alerts of SHA-256 %x",
			replays, lines, workers, time.Since(begin).Round(time.Second), sha256.Sum256(want))
	}
	counted := countByScenario(t, want)
	for _, name := range mixedScenarios() {
		if counted[name] == 0 {
			t.Errorf("too little happens in the log: no alert of %s", name)
		}
	}
	t.Logf("measured: each replay gave the same %d bytes with %d alerts: %v", len(want), bytes.Count(want, []byte("\n")), counted)
}

// mixedScenarios are those that something happens to in the mixed log.
func mixedScenarios() []string {
	return []string{
		"shieldwall/http-bad-user-agent", "shieldwall/http-bf", "shieldwall/http-crawl", "shieldwall/http-path-traversal",
		"shieldwall/http-probing", "shieldwall/http-sensitive-files", "shieldwall/ssh-bf", "shieldwall/ssh-slow-bf",
		"shieldwall/ssh-user-enum", "test/app-spray", "test/app-distributed", "test/app-counter", "test/app-condition",
		"test/app-odds", "test/app-root", "test/vpn-refused",
	}
}

// loadMore loads our content, and items for what of the language it makes no use of.
func loadMore(t *testing.T) (*parser.Set, *scenario.Set) {
	t.Helper()
	more := os.DirFS("testdata/determinism")
	return load(t, append(parserItems(t, content.Items()), parserItems(t, more)...),
		append(scenarioItems(t, content.Items()), scenarioItems(t, more)...))
}

func countByScenario(t *testing.T, alerts []byte) map[string]int {
	t.Helper()
	counted := map[string]int{}
	for line := range bytes.Lines(alerts) {
		var alert wire.Alert
		if err := json.Unmarshal(line, &alert); err != nil {
			t.Fatal(err)
		}
		counted[alert.Scenario]++
	}
	return counted
}

func encoded(t *testing.T, found alerts) []byte {
	t.Helper()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	for _, alert := range found {
		if err := encoder.Encode(alert); err != nil {
			t.Fatal(err)
		}
	}
	return text.Bytes()
}

// difference shows the first alert that is not the same.
func difference(got, want []byte) string {
	a, b := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
	for i := range min(len(a), len(b)) {
		if !bytes.Equal(a[i], b[i]) {
			return fmt.Sprintf("alert %d is\n%s\ninstead of\n%s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d alerts instead of %d", len(a)-1, len(b)-1)
}

// mixed is a log that is delivered in batches.
type mixed []event.Line

// Run satisfies acquisition.Source.
func (m mixed) Run(ctx context.Context, out chan<- acquisition.Batch) error {
	for batch := range slices.Chunk(m, 500) {
		select {
		case out <- acquisition.Batch{Lines: slices.Clone(batch), Clock: event.TimeMachine, Ack: func() {}}:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

func (m mixed) replay(t *testing.T, workers int, parsers *parser.Set, scenarios *scenario.Set) alerts {
	t.Helper()
	var found alerts
	pipeline := logprocessor.New(logprocessor.Options{
		Sources: []acquisition.Source{m}, Parsers: parsers, Postoverflows: &parser.Set{}, Scenarios: scenarios,
		Engine: scenario.NewEngine(scenarios, bucket.NewReplay(time.Now()), nil), Alerts: &found,
		Workers: workers, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err := pipeline.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return found
}

// mixedLog is the same whenever it is made: visitors of five services, those who attack them, and what no
// parser knows.
func mixedLog(count int) mixed {
	m := mixer{Rand: rand.New(rand.NewPCG(2026, 3)), now: time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)}
	log := make(mixed, 0, count)
	for range count {
		log = append(log, m.line())
	}
	return log
}

// mixer makes one line after the other.
type mixer struct {
	*rand.Rand

	now  time.Time
	made int
}

func (m *mixer) pick(choices ...string) string { return choices[m.IntN(len(choices))] }

// address is of somebody who comes and goes.
func (m *mixer) address() string {
	return fmt.Sprintf("%s.%d", m.pick("192.0.2", "198.51.100", "203.0.113"), (m.made/1000+m.IntN(4))%256)
}

// line is a line of a file through syslog, or of the web server's own.
func (m *mixer) line() event.Line {
	m.made++
	if m.IntN(4) == 0 {
		m.now = m.now.Add(time.Duration(m.IntN(500)) * time.Millisecond)
	}
	at := m.now
	if m.IntN(25) == 0 {
		at = at.Add(-3 * time.Second) // some come late
	}
	line := event.Line{Src: "mixed.log", Module: "file", Process: true, Time: m.now}
	if m.IntN(8) == 0 {
		line.Raw, line.Labels = m.request(at), map[string]string{"type": "nginx"}
		return line
	}
	program, message := m.message(at)
	line.Raw = fmt.Sprintf("%s gate %s[%d]: %s", at.Format(time.RFC3339Nano), program, m.made%30000, message)
	line.Labels = map[string]string{"type": "syslog"}
	return line
}

func (m *mixer) message(at time.Time) (program, message string) {
	switch m.IntN(12) {
	case 0, 1:
		return "sshd", fmt.Sprintf("Failed password for %s from %s port %d ssh2", m.pick("root", "admin", "invalid user oracle"), m.address(), 1024+m.IntN(60000))
	case 2:
		return "sshd", fmt.Sprintf("Failed password for invalid user u%d from %s port 22 ssh2", m.IntN(40), m.address())
	case 3:
		return "sshd", fmt.Sprintf("Accepted publickey for root from %s port 22 ssh2", m.address())
	case 4, 5, 6:
		return "nginx", m.request(at)
	case 7:
		return "apache2", m.request(at)
	case 8:
		return "app", fmt.Sprintf(`{"event":%q,"client":%q,"user":%q}`, m.pick("failed", "failed", "failed", "accepted"), m.address(), m.pick("root", "ada", "bob", "eve", "mallory", "trent"))
	case 9:
		return "vpn", fmt.Sprintf("session s%d begins from %s", m.IntN(40), m.address())
	case 10:
		return "vpn", fmt.Sprintf("session s%d is refused", m.IntN(40))
	}
	return "cron", "nothing happened to " + m.address()
}

func (m *mixer) request(at time.Time) string {
	client, request, status, agent := m.address(), "GET /style.css", "200", "Mozilla/5.0"
	choice := m.IntN(7)
	if m.made%2000 < 400 {
		choice = 6
	}
	switch choice {
	case 0, 1:
		request, status = fmt.Sprintf("GET /missing/%d", m.IntN(500)), m.pick("404", "403")
	case 2:
		request, status = "GET "+m.pick("/.env", "/.git/config", "/id_rsa", "/backup.sql", "/wp-config.php.bak"), "404"
	case 3:
		request, status = "POST /login", "401"
	case 4:
		request = "GET /" + m.pick("../../etc/passwd", "%2e%2e/%2e%2e/etc/shadow", "..%5c..%5cwindows/win.ini", "../../../proc/self/environ")
	case 5:
		agent = m.pick("Mozilla/5.0", "sqlmap/1.8")
	case 6: // somebody reads everything
		client, request = "203.0.113.250", fmt.Sprintf("GET /article/%d", m.made)
	}
	return fmt.Sprintf(`%s - - [%s] "%s HTTP/1.1" %s 612 "-" "%s"`, client, at.Format("02/Jan/2006:15:04:05 -0700"), request, status, agent)
}
