package e2e

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"
)

// TestReloadsLoseNothing reloads again and again while attackers log one line each in turn: every line counts once, in
// the one alert of its attacker. Every other reload is refused for a broken new scenario.
func TestReloadsLoseNothing(t *testing.T) {
	t.Parallel()
	const reloads = 8
	in := newInstance(t, "")
	in.installContent()
	if err := os.RemoveAll(in.path("scenarios")); err != nil {
		t.Fatal(err)
	}
	in.write("scenarios/patient.yaml", patient)
	in.register()
	in.log("the log exists")
	engine := in.startEngine()
	engine.await("following log file")
	writer := in.writeSteadily()
	for i := range reloads {
		if i%2 == 0 {
			in.write("scenarios/new.yaml", "type: nonsense\nname: me/new\ndescription: x\nfilter: 'true'\n")
			engine.reload()
			engine.awaitTimes(i/2+1, "the running configuration stays in force\" error=\"loading scenarios: "+in.path("scenarios/new.yaml")+": line 1: me/new: type: ")
			continue
		}
		in.write("scenarios/new.yaml", "type: trigger\nname: me/new\ndescription: x\nfilter: evt.Meta.service == 'none'\n")
		engine.reload()
		engine.awaitTimes(i/2+1, `level=info msg="reloaded"`)
	}
	attackers, users := writer.finish(t)
	eventually(t, "every attacker has an alert", func() bool { return len(in.bruteForces()) >= attackers })
	engine.stop() // what is on its way is delivered
	in.startEngine("-no-cs")
	counted := map[string]int{}
	alerts := in.alerts()
	for _, alert := range alerts {
		if alert.EventsCount != 6 {
			t.Errorf("%s has an alert of %d events", alert.Source.Value, alert.EventsCount)
		}
		for _, event := range alert.Events {
			counted[event.meta("target_user")]++
		}
	}
	if len(alerts) != attackers {
		t.Errorf("%d alerts of %d attackers", len(alerts), attackers)
	}
	for _, user := range users {
		if counted[user] != 1 {
			t.Errorf("the line of %s counts %d times", user, counted[user])
		}
	}
	t.Logf("measured: %d lines of %d attackers during %d reloads, half of them refused: each counts once", len(users), attackers, reloads)
}

// writer logs until it is told to finish.
type writer struct {
	stop      context.CancelFunc
	done      chan struct{}
	attackers int
	users     []string // one a line
	err       error
}

// writeSteadily starts to log a line a millisecond, some of them in two parts. Groups of attackers fail six times each, in
// turn.
func (in *instance) writeSteadily() *writer {
	in.t.Helper()
	file, err := os.OpenFile(in.path("logs/auth.log"), os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		in.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(in.t.Context())
	w := &writer{stop: stop, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		defer file.Close() //nolint:errcheck // each write is checked
		w.run(ctx, file)
	}()
	return w
}

func (w *writer) run(ctx context.Context, file *os.File) {
	const group, tries = 20, 6
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for ; ctx.Err() == nil; w.attackers += group {
		for i := range group * tries {
			<-ticker.C
			if w.err = w.write(file, w.line(w.attackers+i%group), ticker); w.err != nil {
				return
			}
		}
	}
}

// write writes every seventh line in two parts, so that some reload comes between them.
func (w *writer) write(file *os.File, line string, ticker *time.Ticker) error {
	if len(w.users)%7 == 0 {
		half := len(line) / 2
		if _, err := file.WriteString(line[:half]); err != nil {
			return err
		}
		line = line[half:]
		<-ticker.C
	}
	_, err := file.WriteString(line)
	return err
}

// line is the next failed login of an attacker, as a user of whom there is no other line.
func (w *writer) line(attacker int) string {
	user := fmt.Sprintf("u%d", len(w.users))
	w.users = append(w.users, user)
	return fmt.Sprintf("%s server sshd[1]: Failed password for invalid user %s from 2001:db8::%x port 22 ssh2\n",
		time.Now().Format(time.Stamp), user, attacker+1)
}

// finish waits until the group that is being written is complete.
func (w *writer) finish(t *testing.T) (attackers int, users []string) {
	t.Helper()
	w.stop()
	<-w.done
	if w.err != nil {
		t.Fatal(w.err)
	}
	return w.attackers, w.users
}
