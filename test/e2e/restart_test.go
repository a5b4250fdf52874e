package e2e

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"
)

// patient overflows with the sixth failed login, however long the restarts in between take.
const patient = "type: leaky\nname: me/patient-bf\ndescription: d\nfilter: evt.Meta.log_type == 'ssh_failed-auth'\n" +
	"groupby: evt.Meta.source_ip\ncapacity: 5\nleakspeed: 1h\n"

// TestRestartKeepsBuckets stops the engine in every way in the middle of a brute force. Nothing is waited for
// between the lines and the end: what was not read, or not saved, is read again.
func TestRestartKeepsBuckets(t *testing.T) {
	t.Parallel()
	for name, signal := range map[string]syscall.Signal{"stopped": syscall.SIGTERM, "killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := newInstance(t, "")
			in.installContent()
			in.write("scenarios/patient.yaml", patient)
			in.register()
			in.log("the log exists")
			engine := in.startEngine()
			engine.await("following log file")
			attack := bruteForce("198.51.100.7")
			in.log(attack[:3]...)
			engine.end(signal)
			in.log(attack[3])
			in.startEngine()
			in.log(attack[4:]...)
			eventually(t, "the bucket overflows", func() bool { return slices.Contains(in.bruteForces(), 6) })
			if got := in.bruteForces(); len(got) != 1 {
				t.Errorf("alerts of %d events, want one of 6", got)
			}
		})
	}
}

// TestKilledAtAnyTime kills the engine again and again while many attackers are at work, each logged line by
// line: every one of them gets one alert of six events, none two.
func TestKilledAtAnyTime(t *testing.T) {
	t.Parallel()
	const attackers, kills = 40, 5
	in := newInstance(t, "")
	in.installContent()
	in.write("scenarios/patient.yaml", patient)
	in.register()
	in.log("the log exists")
	engine := in.startEngine()
	engine.await("following log file")
	var lines []string
	for i := range attackers {
		lines = append(lines, bruteForce(fmt.Sprintf("203.0.113.%d", i+1))...)
	}
	part := len(lines) / (kills + 1)
	for i := range kills {
		in.log(lines[i*part : (i+1)*part]...)
		time.Sleep(time.Duration(i*i) * 150 * time.Millisecond) // before, while and after alerts go out and buckets are saved
		engine.kill()
		engine = in.startEngine()
	}
	in.log(lines[kills*part:]...)
	eventually(t, "every attacker has an alert", func() bool { return len(in.bruteForces()) >= attackers })
	engine.stop()
	in.startEngine()
	if got := in.bruteForces(); len(got) != attackers || slices.Min(got) != 6 || slices.Max(got) != 6 {
		t.Errorf("%d alerts of %d events, want %d of 6", len(got), got, attackers)
	}
}

// bruteForces returns how many events each alert of the patient scenario has.
func (in *instance) bruteForces() []int {
	in.t.Helper()
	var events []int
	for _, alert := range in.alerts() {
		if alert.Scenario == "me/patient-bf" {
			events = append(events, alert.EventsCount)
		}
	}
	return events
}
