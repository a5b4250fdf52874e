package e2e

import (
	"database/sql"
	"testing"

	_ "modernc.org/sqlite" // locks the database of an instance
)

// TestOwnLocalAPI: a log processor hands its alerts to the Local API of its process, and while the database is locked they
// take the long way. Each is stored once.
func TestOwnLocalAPI(t *testing.T) {
	t.Parallel()
	const direct = "protocol=in-process status=201"
	in := newInstance(t, "")
	in.installContent()
	in.write("scenarios/patient.yaml", patient)
	in.register()
	in.log("the log exists")
	engine := in.startEngine()
	engine.await("following log file")
	engine.await("path=/v1/heartbeat") // it is logged in
	in.log(bruteForce("203.0.113.1")...)
	engine.awaitTimes(1, direct)

	unlock := lockDatabase(t, in.path("data/crowdsec.db"))
	in.log(bruteForce("203.0.113.2")...)
	engine.await("alerts take the way through the spool")
	in.log(bruteForce("203.0.113.3")...)
	unlock()
	eventually(t, "the alerts of the outage are stored", func() bool { return len(in.bruteForces()) == 3 })

	in.log(bruteForce("203.0.113.4")...)
	eventually(t, "the last alert is stored", func() bool { return len(in.bruteForces()) == 4 })
	engine.awaitTimes(2, direct)
	engine.stop()
	in.startEngine()
	seen := map[string]int{}
	for _, alert := range in.alerts() {
		seen[alert.Scenario+" "+alert.Source.Value]++
	}
	for about, count := range seen {
		if count != 1 {
			t.Errorf("%d alerts of %s", count, about)
		}
	}
	if got := len(in.bruteForces()); got != 4 {
		t.Errorf("%d alerts, want 4", got)
	}
}

// lockDatabase keeps others from writing until unlock is called.
func lockDatabase(t *testing.T, path string) (unlock func()) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma=busy_timeout(60000)")
	if err != nil {
		t.Fatal(err)
	}
	lock, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return func() {
		if err := lock.Rollback(); err != nil {
			t.Error(err)
		}
	}
}
