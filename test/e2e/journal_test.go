package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// journalRemote is the program of systemd that writes entries it is given into a journal.
const journalRemote = "/lib/systemd/systemd-journal-remote"

func needsSystemd(t *testing.T) {
	t.Helper()
	for _, name := range []string{"journalctl", journalRemote} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("needs the Debian packages systemd and systemd-journal-remote: %v", err)
		}
	}
}

// journal appends lines as sshd's to the journal of an instance.
func (in *instance) journal(lines ...string) {
	in.t.Helper()
	if err := os.MkdirAll(in.path("journal"), 0o750); err != nil {
		in.t.Fatal(err)
	}
	var export bytes.Buffer
	for _, line := range lines {
		_, message, _ := strings.Cut(line, "]: ") // the header is for journalctl to write
		now := time.Now().UnixMicro()
		fmt.Fprintf(&export, "__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%032x\n", now, now/1000, 1)
		fmt.Fprintf(&export, "_HOSTNAME=server\nSYSLOG_IDENTIFIER=sshd\n_PID=4000\n_SYSTEMD_UNIT=ssh.service\nMESSAGE=%s\n\n", message)
	}
	write := exec.CommandContext(in.t.Context(), journalRemote, "--output="+in.path("journal/a.journal"), "-")
	write.Stdin = &export
	if out, err := write.CombinedOutput(); err != nil {
		in.t.Fatalf("writing a journal: %v: %s", err, out)
	}
}

// TestJournalSurvivesRestarts stops, kills and reloads the engine in the middle of brute forces that are in the journal
// of systemd. Nothing is waited for: no entry is missing, none is read twice.
func TestJournalSurvivesRestarts(t *testing.T) {
	t.Parallel()
	needsSystemd(t)
	in := newInstance(t, "")
	in.installContent()
	in.write("scenarios/patient.yaml", patient)
	in.write("acquis.yaml", fmt.Sprintf("journalctl_filter: [--directory=%s, _SYSTEMD_UNIT=ssh.service]\nlabels: {type: syslog}\n", in.path("journal")))
	in.register()
	in.journal(bruteForce("198.51.100.99")...) // before anybody watched
	engine := in.startEngine()
	const rounds = 9
	for i := range rounds {
		lines := bruteForce(attacker(i))
		in.journal(lines[:2]...)
		switch i % 3 {
		case 0:
			engine.reload()
			in.journal(lines[2:4]...)
		case 1:
			engine.stop()
			in.journal(lines[2:4]...)
			engine = in.startEngine()
		default:
			engine.kill()
			in.journal(lines[2:4]...)
			engine = in.startEngine()
		}
		in.journal(lines[4:]...)
	}
	in.journal(bruteForce(attacker(rounds))...)
	alerts := map[string]int{}
	eventually(t, "the last attacker has an alert", func() bool {
		alerts = in.patientAlerts()
		return alerts[attacker(rounds)] > 0
	})
	expectOnce(t, "alerts", alerts, rounds+1)
	if err := engine.cmd.Process.Signal(syscall.Signal(0)); err != nil {
		t.Error("the engine has ended:", err)
	}
}

// patientAlerts counts by address the alerts of the scenario that never forgets, each of which has seen six entries.
func (in *instance) patientAlerts() map[string]int {
	in.t.Helper()
	counts := map[string]int{}
	for _, alert := range in.alerts() {
		if alert.Scenario != "me/patient-bf" {
			continue
		}
		counts[alert.Source.Value]++
		if alert.EventsCount != 6 {
			in.t.Errorf("the alert of %s has %d events", alert.Source.Value, alert.EventsCount)
		}
	}
	return counts
}
