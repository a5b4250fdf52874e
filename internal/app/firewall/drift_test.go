package firewall_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"shieldwall/internal/remediation/backendtest"
)

// saved waits until the last known state is on disk and mentions value.
func (s *site) saved(t *testing.T, value string) {
	t.Helper()
	eventually(t, value+" is on disk", func() bool {
		files, _ := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(s.config)), "*", "state", "*.state"))
		for _, file := range files {
			if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), value) {
				return true
			}
		}
		return false
	})
}

// A machine that starts while its Local API is away has nothing in its kernel.
func TestTheLastKnownStateIsEnforcedWithoutTheLocalAPI(t *testing.T) {
	t.Parallel()
	s := newSite(t, "retry_initial_connect: true")
	s.api.decide([]string{attacker, "198.51.100.128/25"}, nil)
	s.api.allow("198.51.100.200")
	first := s.start(t)
	s.stops(t, attacker)
	s.passes(t, "198.51.100.200")
	if err := first.end(t, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.saved(t, attacker)
	s.passes(t, attacker)

	s.api.breakDown()
	second := s.start(t)
	s.stops(t, attacker)
	s.stops(t, "198.51.100.129")
	s.passes(t, neighbour)
	s.passes(t, "198.51.100.200")
	s.lab.Firewall.Run(t, "nft", "flush", "ruleset")
	s.stops(t, attacker)
	_ = second.end(t, syscall.SIGKILL)

	s.api.decide([]string{neighbour}, []string{attacker})
	s.api.recover()
	s.start(t)
	s.stops(t, neighbour)
	s.passes(t, attacker)
}

// A state that was kept for another Local API says nothing about this one.
func TestTheStateOfAnotherLocalAPIIsNotBelieved(t *testing.T) {
	t.Parallel()
	s := newSite(t, "retry_initial_connect: true")
	s.api.decide([]string{attacker}, nil)
	first := s.start(t)
	s.stops(t, attacker)
	_ = first.end(t, syscall.SIGTERM)
	if err := os.WriteFile(s.config+".local", []byte("retry_initial_connect: true\napi_url: http://127.0.0.1:1/\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	second := s.start(t)
	eventually(t, "a warning", func() bool { return strings.Contains(second.out.String(), "not believed") })
	s.passes(t, attacker)
}

func TestKeptOnStopNothingPassesDuringARestart(t *testing.T) {
	t.Parallel()
	s := newSite(t, "keep_on_stop: true")
	s.restartsWithoutAGap(t, syscall.SIGTERM)
}

// The Local API is away: what is in force stays so through kills and starts, packet by packet, and a start repairs what
// somebody has done in between.
func TestNothingPassesDuringARestartWithoutTheLocalAPI(t *testing.T) {
	t.Parallel()
	s := newSite(t, "retry_initial_connect: true", "reconcile_interval: 200ms")
	const inRange = "198.51.100.130"
	s.api.decide([]string{attacker, "198.51.100.128/25"}, nil)
	running := s.start(t)
	s.stops(t, attacker)
	s.stops(t, inRange)
	s.saved(t, attacker)
	s.api.breakDown()
	victims := []netip.Addr{netip.MustParseAddr(attacker), netip.MustParseAddr(inRange)}
	before := []int{s.lab.Arrived(victims[0]), s.lab.Arrived(victims[1])}
	stop := s.lab.Flood(t, victims...)
	defer stop()
	for range 5 {
		_ = running.end(t, syscall.SIGKILL)
		running = s.start(t)
		s.stops(t, attacker)
	}
	stop()
	for i, victim := range victims {
		if got := s.lab.Arrived(victim); got != before[i] {
			t.Errorf("%d packets from %s passed", got-before[i], victim)
		}
	}
	for _, damage := range [][]string{
		{"flush", "ruleset"},
		{"delete", "table", "ip", "crowdsec"},
		{"delete", "element", "ip", "crowdsec", "crowdsec-blacklists-cscli", "{ " + attacker + " }"},
	} {
		s.lab.Firewall.Run(t, "nft", damage...)
		s.stops(t, attacker)
		s.stops(t, inRange)
	}
	_ = running.end(t, syscall.SIGKILL)
	s.lab.Firewall.Run(t, "nft", "flush", "ruleset")
	s.start(t)
	s.stops(t, attacker)
	s.stops(t, inRange)
}

// The program is killed while it reads, plans, applies and saves, because the Local API has new decisions
// all the time.
func TestKilledAtAnyInstant(t *testing.T) {
	t.Parallel()
	newSite(t, "update_frequency: 1ms", "reconcile_interval: 3ms").restartsWithoutAGap(t, syscall.SIGKILL)
}

func (s *site) restartsWithoutAGap(t *testing.T, by syscall.Signal) {
	t.Helper()
	const restarts = 12
	banned := []string{attacker, "198.51.100.128/25"}
	victims := []netip.Addr{netip.MustParseAddr(attacker), netip.MustParseAddr("198.51.100.130")}
	s.api.decide(banned, nil)
	running := s.start(t)
	s.stops(t, attacker)
	s.stops(t, "198.51.100.130")
	before := []int{s.lab.Arrived(victims[0]), s.lab.Arrived(victims[1])}
	stop := s.lab.Flood(t, append(victims, netip.MustParseAddr(neighbour))...)
	defer stop()
	for i := range restarts {
		polled := len(s.api.seen()) + 3
		for j := 0; len(s.api.seen()) < polled+i; j++ {
			s.api.decide(append(banned, fmt.Sprintf("203.0.113.%d", (7*i+j)%250)), []string{fmt.Sprintf("203.0.113.%d", (7*i+j+100)%250)})
			time.Sleep(time.Millisecond) // the instant differs from run to run
		}
		_ = running.end(t, by)
		s.api.decide(append(banned, fmt.Sprintf("198.51.100.%d", 20+i)), nil)
		running = s.start(t)
		s.stops(t, fmt.Sprintf("198.51.100.%d", 20+i))
	}
	stop()
	for i, victim := range victims {
		if got := s.lab.Arrived(victim); got != before[i] {
			t.Errorf("%d packets from %s passed", got-before[i], victim)
		}
	}
}

// With an hour between two comparisons only the signal makes the program look.
func TestVerifyingOnDemand(t *testing.T) {
	t.Parallel()
	s := newSite(t, "reconcile_interval: 1h", "prometheus: {enabled: true, listen_addr: 127.0.0.1, listen_port: 0}")
	s.api.decide([]string{attacker}, nil)
	running := s.start(t)
	s.stops(t, attacker)
	s.api.decide(nil, nil) // a decision that is told again may end at another second, and to apply that makes it look
	polled := len(s.api.seen())
	eventually(t, "two more polls", func() bool { return len(s.api.seen()) >= polled+2 })
	s.lab.Firewall.Run(t, "nft", "delete", "table", "ip", "crowdsec")
	s.passes(t, attacker)
	if err := running.Process.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	s.stops(t, attacker)
	for _, want := range []string{"verified on demand", "verified, and found differences", "coverage_percent=0", "missing=1", "repaired=true"} {
		eventually(t, want, func() bool { return strings.Contains(running.out.String(), want) })
	}
}

func TestClosedUntilTheLocalAPIAnswers(t *testing.T) {
	t.Parallel()
	s := newSite(t, "fail_closed: true", "retry_initial_connect: true", "log_level: debug")
	s.api.breakDown()
	first := s.start(t)
	s.stops(t, neighbour)
	s.api.decide([]string{attacker}, nil)
	s.api.recover()
	_ = first.end(t, syscall.SIGKILL) // instead of waiting for the published ten seconds
	if answer := s.lab.Ask(t, neighbour); answer != backendtest.Silence {
		t.Errorf("killing the program opened the gate: %s", answer)
	}
	s.start(t)
	s.passes(t, neighbour)
	s.stops(t, attacker)
}
