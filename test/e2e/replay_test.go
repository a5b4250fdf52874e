package e2e

import (
	"encoding/json"
	"slices"
	"testing"
)

// TestReplay tries a scenario that is not installed on a log that a running engine has read: what it would have noticed
// comes as new, what was noticed stays, and what is not installed any more is gone. The engine is not disturbed.
func TestReplay(t *testing.T) {
	t.Parallel()
	const (
		attacker = "198.51.100.7"
		careful  = "198.51.100.8"
		strict   = "type: leaky\nname: me/strict-bf\ndescription: d\nfilter: evt.Meta.log_type == 'ssh_failed-auth'\n" +
			"groupby: evt.Meta.source_ip\ncapacity: 2\nleakspeed: 1h\nlabels: {remediation: true}\n"
	)
	in := newInstance(t, "")
	in.installContent()
	in.write("scenarios/patient.yaml", patient)
	in.write("tried.yaml", strict)
	in.register()
	in.log("the log exists")
	in.startEngine().await("following log file")
	in.log(bruteForce(attacker)...)
	in.log(bruteForce(careful)[:4]...)
	eventually(t, "the attack is noticed", func() bool { return slices.Contains(in.bruteForces(), 6) })

	type row struct {
		Change   string `json:"change"`
		Scenario string `json:"scenario"`
		Source   string `json:"source"`
		Decision string `json:"decision"`
	}
	replay := func(args ...string) (rows []row) {
		text := in.cscli(append([]string{"replay", "-o", "json"}, args...)...)
		if err := json.Unmarshal([]byte(text), &rows); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		return slices.DeleteFunc(rows, func(r row) bool { return r.Scenario != "me/patient-bf" && r.Scenario != "me/strict-bf" })
	}
	expect := func(what string, got []row, want ...row) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	expect("the same rules", replay("--unchanged"), row{"=", "me/patient-bf", "Ip:" + attacker, ""})
	expect("a scenario to try", replay("--scenario", in.path("tried.yaml")),
		row{"+", "me/strict-bf", "Ip:" + attacker, "ban"}, row{"+", "me/strict-bf", "Ip:" + careful, "ban"})
	in.write("tried.yaml", strict+"---\n"+patient+"overflow_filter: 'false'\n")
	expect("another version of an installed one", replay("--scenario", in.path("tried.yaml")),
		row{"+", "me/strict-bf", "Ip:" + attacker, "ban"}, row{"+", "me/strict-bf", "Ip:" + careful, "ban"},
		row{"-", "me/patient-bf", "Ip:" + attacker, ""})
	if got := in.bruteForces(); len(got) != 1 {
		t.Errorf("the Local API has alerts of %d events after the replays, want the one of before", got)
	}
}
