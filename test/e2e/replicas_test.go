package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"shieldwall/internal/localapi/store/sql/dbtest"
)

// leasePatience is longer than a lease lasts without its holder.
const leasePatience = time.Minute

// TestReplicaIsKilled: what it answered 201 is stored once, the other one serves on and takes the lease.
func TestReplicaIsKilled(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, server *dbtest.Server) {
		t.Helper()
		t.Parallel()
		c := newCluster(t, server)
		var victim *node
		eventually(t, "one of two Local APIs holds the lease", func() bool {
			victim = c.holder(c.nodes[0])
			return victim != nil && len(c.nodes[0].list()) == len(c.nodes)
		})
		survivor := c.other(victim)
		l := c.send()
		l.awaitMore(200)

		victim.engine.kill()
		killed := time.Now()
		l.awaitMore(200)
		taken := c.awaitLease(survivor)
		l.awaitMore(50)
		victim.engine = victim.startEngine("-no-cs")
		l.awaitMore(50)
		acknowledged := l.end()

		c.expectStored(acknowledged)
		key := strings.TrimSpace(survivor.cscli("bouncers", "add", "fw", "-o", "raw"))
		banned := len(c.count("SELECT value, COUNT(*) FROM decisions GROUP BY value"))
		for _, n := range c.nodes {
			eventually(t, "both tell of every address that is banned", func() bool {
				got, err := n.pull(t.Context(), key, "startup=true")
				return err == nil && len(got.New) == banned
			})
		}
		t.Logf("measured: %s, replica killed: %d alerts answered 201 and stored once; slowest took %v; the lease moved after %v", c.db.Type,
			len(acknowledged), time.Duration(l.slowest.Load()).Round(time.Millisecond), taken.Sub(killed).Round(100*time.Millisecond))
	})
}

// awaitLease returns when the node has the lease.
func (c *cluster) awaitLease(n *node) time.Time {
	c.t.Helper()
	for deadline := time.Now().Add(leasePatience); time.Now().Before(deadline); time.Sleep(retryPause) {
		if c.holder(n) == n {
			return time.Now()
		}
	}
	c.t.Fatalf("the lease did not move within %v", leasePatience)
	return time.Time{}
}

// TestLeaseIsGivenBack: an orderly end does not make the other one wait until the lease runs out, and the one that ended
// is off the list.
func TestLeaseIsGivenBack(t *testing.T) {
	t.Parallel()
	c := newCluster(t, dbtest.PostgreSQL(t))
	var first *node
	eventually(t, "a Local API holds the lease", func() bool {
		first = c.holder(c.nodes[0])
		return first != nil
	})
	next := c.other(first)
	first.engine.stop()
	stopped := time.Now()
	taken := c.awaitLease(next)
	if nodes := next.list(); len(nodes) != 1 || nodes[0].PID != next.engine.cmd.Process.Pid {
		t.Errorf("listed are %+v", nodes)
	}
	t.Logf("measured: replica stopped: the lease moved after %v", taken.Sub(stopped).Round(100*time.Millisecond))
}

// TestDatabaseIsRestarted: while it is away, clients are refused with 503 and Retry-After, or wait; afterwards everything
// goes on by itself, and nothing is lost.
func TestDatabaseIsRestarted(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, server *dbtest.Server) {
		t.Helper()
		t.Parallel()
		c := newCluster(t, server)
		l := c.send()
		var followers []*follower
		for i, n := range c.nodes {
			for _, wait := range []time.Duration{0, time.Second} {
				key := strings.TrimSpace(n.cscli("bouncers", "add", fmt.Sprintf("fw-%d-%v", i, wait), "-o", "raw"))
				followers = append(followers, n.follow(key, wait))
			}
		}
		l.awaitMore(100)
		for _, end := range []func(){server.Kill, server.Shutdown, server.Kill} {
			end()
			refused := l.refused.Load()
			eventually(t, "clients are refused while the database is away", func() bool { return l.refused.Load() > refused+10 })
			server.Restart(t)
			l.awaitMore(100)
		}
		acknowledged := l.end()
		for _, f := range followers {
			pulls := f.pulls.Load()
			eventually(t, "bouncers are served again", func() bool { return f.pulls.Load() > pulls+1 })
		}
		c.expectStored(acknowledged)
		for _, n := range c.nodes {
			select {
			case <-n.engine.done:
				t.Errorf("the Local API at %s has ended", n.address)
			default:
			}
		}
		refusedPulls := int64(0)
		for _, f := range followers {
			refusedPulls += f.refused.Load()
		}
		t.Logf("measured: %s restarted 3 times: %d alerts answered 201 and stored once, %d answered 503, %d without answer; slowest took %v; "+
			"%d pulls answered 503, none incomplete", c.db.Type, len(acknowledged), l.refused.Load(), l.cut.Load(),
			time.Duration(l.slowest.Load()).Round(time.Millisecond), refusedPulls)
	})
}

// TestDecisionReachesOtherReplica: a bouncer that waits at one Local API is told what was decided at the other one.
func TestDecisionReachesOtherReplica(t *testing.T) {
	t.Parallel()
	onServers(t, func(t *testing.T, server *dbtest.Server) {
		t.Helper()
		const decisions = 50
		c := newCluster(t, server)
		key := strings.TrimSpace(c.nodes[1].cscli("bouncers", "add", "fw", "-o", "raw"))
		f := c.nodes[1].follow(key, 30*time.Second)
		l := &load{t: t, token: c.token, client: &http.Client{Timeout: answerTimeout}}
		pace := time.NewTicker(130 * time.Millisecond) // not in step with how often the log is looked at
		defer pace.Stop()
		var took []time.Duration
		for i := range decisions {
			address := fmt.Sprintf("10.0.0.%d", i)
			sent := time.Now()
			if !l.attempt(t.Context(), "http://"+c.nodes[0].address, fmt.Sprintf("00000000-0000-4000-8000-%012d", i), address) {
				t.Fatal("the alert was not accepted")
			}
			got := f.next(t)
			if got.value != address {
				t.Fatalf("got %s, want %s", got.value, address)
			}
			took = append(took, got.at.Sub(sent))
			<-pace.C
		}
		slices.Sort(took)
		t.Logf("measured: %s, decision at one replica to a bouncer at the other: median %v, 90%% %v, longest %v of %d", c.db.Type,
			took[decisions/2].Round(time.Millisecond), took[decisions*9/10].Round(time.Millisecond), took[decisions-1].Round(time.Millisecond), decisions)
	})
}

func (f *follower) next(t *testing.T) arrival {
	t.Helper()
	select {
	case got := <-f.arrived:
		return got
	case <-time.After(patience):
		t.Fatal("the bouncer was not told")
		return arrival{}
	}
}

// TestCutStreamIsNoAnswer: a Local API dies while a slow bouncer reads everything that is active. What the bouncer has by
// then does not look like an answer.
func TestCutStreamIsNoAnswer(t *testing.T) {
	t.Parallel()
	const decisions = 100_000 // more than the kernel keeps for a slow reader
	in := newInstance(t, "")
	in.register()
	engine := in.startEngine("-no-cs")
	key := strings.TrimSpace(in.cscli("bouncers", "add", "slow", "-o", "raw"))
	var values strings.Builder
	for i := range decisions {
		fmt.Fprintf(&values, "10.%d.%d.%d\n", i>>16, i>>8&255, i&255)
	}
	in.write("values.txt", values.String())
	in.cscli("decisions", "import", "-i", in.path("values.txt"), "--format", "values")
	n := &node{instance: in, engine: engine}
	eventually(t, "the bouncer would be told of all", func() bool {
		got, err := n.pull(t.Context(), key, "startup=true")
		return err == nil && len(got.New) == decisions
	})

	conn := dialSlowly(t, in.address)
	if _, err := fmt.Fprintf(conn, "GET /v1/decisions/stream?startup=true HTTP/1.1\r\nHost: x\r\nX-Api-Key: %s\r\n\r\n", key); err != nil {
		t.Fatal(err)
	}
	w, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close() //nolint:errcheck // only read
	if w.StatusCode != http.StatusOK || w.Header.Get("X-Shieldwall-New") != strconv.Itoa(decisions) {
		t.Fatalf("got %d with %s decisions", w.StatusCode, w.Header.Get("X-Shieldwall-New"))
	}
	engine.kill()
	body, err := io.ReadAll(w.Body)
	if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("after %d bytes the bouncer reads %v", len(body), err)
	}
	if json.Valid(body) {
		t.Errorf("%d bytes look complete", len(body))
	}
	t.Logf("measured: stream cut after %d bytes: %v", len(body), err)
}

// dialSlowly connects with a small window, so that the other side cannot send ahead.
func dialSlowly(t *testing.T, address string) net.Conn {
	t.Helper()
	dialer := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		var failed error
		err := raw.Control(func(fd uintptr) { failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) })
		return errors.Join(err, failed)
	}}
	conn, err := dialer.DialContext(context.WithoutCancel(t.Context()), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
