package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestTap watches an attacker, through a reload, and sees every line of theirs, what it matched and what overflowed.
func TestTap(t *testing.T) {
	t.Parallel()
	const watched, other = "192.0.2.7", "192.0.2.8"
	in := newInstance(t, "")
	in.installContent()
	in.register()
	in.log("the log exists")
	engine := in.startEngine()
	engine.await("following log file")
	tap := in.start("cscli", "-c", in.path("config.yaml"), "tap", "-o", "json", "--filter", "evt.Meta.source_ip == '"+watched+"'")
	engine.await("a viewer watches events")
	in.log(append(bruteForce(watched)[:3], bruteForce(other)...)...)
	eventually(t, "three lines are seen", func() bool { return counted(t, tap)["parsed"] == 3 })
	engine.reload()
	engine.await(`msg="reloaded"`)
	in.log(bruteForce(watched)[3:]...)
	eventually(t, "the overflow is seen", func() bool { return counted(t, tap)["overflow"] > 0 })
	seen := counted(t, tap)
	if seen["parsed"] != 6 || seen["matched"] != 6 || seen["unparsed"] != 0 {
		t.Errorf("seen: %v", seen)
	}
	// Being watched makes no difference to an attacker.
	eventually(t, "both attackers have the same alerts", func() bool {
		of := map[string]int{}
		for _, alert := range in.alerts() {
			if alert.EventsCount != 6 {
				t.Errorf("%s has an alert of %d events", alert.Source.Value, alert.EventsCount)
			}
			of[alert.Source.Value]++
		}
		return of[watched] > 0 && of[watched] == of[other]
	})
	engine.stop()
	<-tap.done
	if tap.cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("the engine has ended, the tap with exit code %d", tap.cmd.ProcessState.ExitCode())
	}
	if _, err := os.Stat(in.path("data/tap.sock")); !os.IsNotExist(err) {
		t.Errorf("the socket after the end: %v", err)
	}
}

// TestTapEnds: after the events that were asked for, by Ctrl-C, and at once when the filter makes no sense.
func TestTapEnds(t *testing.T) {
	t.Parallel()
	in := newInstance(t, "")
	in.installContent()
	in.register()
	in.log("the log exists")
	engine := in.startEngine()
	engine.await("following log file")
	tap := in.start("cscli", "-c", in.path("config.yaml"), "tap", "-n", "3", "--stage", "parsed")
	engine.await("a viewer watches events")
	in.log(bruteForce("192.0.2.7")...)
	<-tap.done
	printed, err := os.ReadFile(tap.logs)
	if err != nil {
		t.Fatal(err)
	}
	if tap.cmd.ProcessState.ExitCode() != 0 || strings.Count(string(printed), " parsed ") != 3 {
		t.Errorf("exit code %d:\n%s", tap.cmd.ProcessState.ExitCode(), printed)
	}

	tap = in.start("cscli", "-c", in.path("config.yaml"), "tap")
	engine.awaitTimes(2, "a viewer watches events")
	tap.await("watching, Ctrl-C ends")
	tap.end(syscall.SIGINT)
	if code := tap.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("Ctrl-C: exit code %d", code)
	}

	refused, err := in.command("cscli", "-c", in.path("config.yaml"), "tap", "--filter", "evt.Nope").CombinedOutput()
	if want := "Error: cscli tap: refused: filter: "; err == nil || !strings.Contains(string(refused), want) {
		t.Errorf("%v, %s; want %q", err, refused, want)
	}
}

// counted returns how many events a tap has shown of each stage.
func counted(t *testing.T, tap *process) map[string]int {
	t.Helper()
	printed, err := os.ReadFile(tap.logs)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for line := range bytes.Lines(printed) {
		var event struct {
			Stage string `json:"stage"`
		}
		if bytes.HasSuffix(line, []byte("\n")) && json.Unmarshal(line, &event) == nil {
			seen[event.Stage]++
		}
	}
	return seen
}
