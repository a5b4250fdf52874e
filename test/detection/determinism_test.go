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
	begin := time.Now()
	for _, workers := range []int{1, 2, 8} {
		for range replays {
			parsers, scenarios := loadContent(t) // nothing is left over from the replay before
			got := encoded(t, log.replay(t, workers, parsers, scenarios))
			if want == nil {
				want = got
				continue
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("%d workers: %s", workers, difference(got, want))
			}
		}
	}
	kinds := map[string]int{}
	for line := range bytes.Lines(want) {
		var alert wire.Alert
		if err := json.Unmarshal(line, &alert); err != nil {
			t.Fatal(err)
		}
		kinds[alert.Scenario]++
	}
	if len(kinds) < 5 {
		t.Errorf("only %v: too little happens in the log", kinds)
	}
	t.Logf("measured: %d replays of %d lines in %v, each gave the same %d bytes of alerts (SHA-256 %x): %v",
		3*replays, lines, time.Since(begin).Round(time.Second), len(want), sha256.Sum256(want), kinds)
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

// mixed is a log of sshd and nginx through syslog, delivered in batches.
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

// mixedLog is the same whenever it is made: visitors, attackers of both services, and what no parser knows.
func mixedLog(count int) mixed {
	random := rand.New(rand.NewPCG(2026, 3))
	pick := func(choices ...string) string { return choices[random.IntN(len(choices))] }
	now := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	log := make(mixed, 0, count)
	for i := range count {
		if random.IntN(4) == 0 {
			now = now.Add(time.Duration(random.IntN(500)) * time.Millisecond)
		}
		at := now
		if random.IntN(25) == 0 {
			at = now.Add(-3 * time.Second) // some come late
		}
		ip := fmt.Sprintf("%s.%d", pick("192.0.2", "198.51.100", "203.0.113"), (i/1000+random.IntN(4))%256) // they come and go
		web := func(request, status, agent string) string {
			return fmt.Sprintf(`nginx: %s - - [%s] "%s HTTP/1.1" %s 612 "-" "%s"`, ip, at.Format("02/Jan/2006:15:04:05 -0700"), request, status, agent)
		}
		var message string
		switch random.IntN(12) {
		case 0, 1:
			message = fmt.Sprintf("sshd[%d]: Failed password for %s from %s port %d ssh2", 1000+i%30000, pick("root", "admin", "invalid user oracle"), ip, 1024+i%60000)
		case 2:
			message = fmt.Sprintf("sshd[%d]: Failed password for invalid user u%d from %s port 22 ssh2", 1000+i%30000, random.IntN(40), ip)
		case 3:
			message = fmt.Sprintf("sshd[%d]: Accepted publickey for root from %s port 22 ssh2", 1000+i%30000, ip)
		case 4, 5:
			message = web(fmt.Sprintf("GET /missing/%d", random.IntN(500)), pick("404", "403"), "Mozilla/5.0")
		case 6:
			message = web("GET "+pick("/.env", "/.git/config", "/id_rsa", "/backup.sql", "/wp-config.php.bak"), "404", "Mozilla/5.0")
		case 7:
			message = web("POST /login", "401", "Mozilla/5.0")
		case 8, 9:
			message = web(fmt.Sprintf("GET /article/%d", random.IntN(3000)), "200", pick("Mozilla/5.0", "Mozilla/5.0", "sqlmap/1.8"))
		case 10:
			message = web("GET /style.css", "200", "Mozilla/5.0")
		default:
			message = fmt.Sprintf("cron[%d]: nothing happened to %s", i%30000, ip)
		}
		log = append(log, event.Line{
			Raw: at.Format(time.RFC3339Nano) + " gate " + message, Src: "mixed.log", Module: "file", Process: true,
			Time: now, Labels: map[string]string{"type": "syslog"},
		})
	}
	return log
}
