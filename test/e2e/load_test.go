package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
)

const (
	senders       = 4
	retryPause    = 50 * time.Millisecond
	answerTimeout = 30 * time.Second
)

// load is log processors that send alerts one after the other, each of them until it is answered 201, by the Local API
// that answered the last one or, when that one does not, by the next.
type load struct {
	t      *testing.T
	urls   []string
	token  string
	client *http.Client
	stop   context.CancelFunc
	group  sync.WaitGroup

	accepted, refused, cut atomic.Int64
	slowest                atomic.Int64 // nanoseconds from the first attempt to the 201

	mu           sync.Mutex // guards acknowledged
	acknowledged []string
}

// send starts the load.
func (c *cluster) send() *load {
	c.t.Helper()
	ctx, stop := context.WithCancel(c.t.Context())
	l := &load{t: c.t, token: c.token, client: &http.Client{Timeout: answerTimeout, Transport: &http.Transport{MaxIdleConnsPerHost: senders}}, stop: stop}
	for _, n := range c.nodes {
		l.urls = append(l.urls, "http://"+n.address)
	}
	for i := range senders {
		l.group.Go(func() { l.run(ctx, i) })
	}
	c.t.Cleanup(func() {
		stop()
		l.group.Wait()
	})
	return l
}

// end stops the load and returns what was answered 201.
func (l *load) end() []string {
	l.stop()
	l.group.Wait()
	return l.acknowledged
}

// awaitMore returns when so many further alerts are accepted.
func (l *load) awaitMore(count int64) {
	l.t.Helper()
	before := l.accepted.Load()
	eventually(l.t, fmt.Sprintf("%d more alerts are accepted", count), func() bool { return l.accepted.Load() >= before+count })
}

func (l *load) run(ctx context.Context, sender int) {
	at := sender
	for i := 0; ctx.Err() == nil; i++ {
		id := uuid.NewString()
		began := time.Now()
		for !l.attempt(ctx, l.urls[at%len(l.urls)], id, fmt.Sprintf("10.%d.%d.%d", sender, i/250%250, i%250)) {
			if ctx.Err() != nil {
				return
			}
			at++
			time.Sleep(retryPause)
		}
		raise(&l.slowest, int64(time.Since(began)))
		l.accepted.Add(1)
		l.mu.Lock()
		l.acknowledged = append(l.acknowledged, id)
		l.mu.Unlock()
	}
}

// loadAlert takes a UUID, an address and the time.
const loadAlert = `[{"uuid":%q,"scenario":"s","scenario_hash":"","scenario_version":"","message":"","capacity":0,"leakspeed":"0",
	"simulated":false,"events_count":1,"events":[],"source":{"scope":"Ip","value":%[2]q},"start_at":%[3]q,"stop_at":%[3]q,
	"decisions":[{"duration":"4h","origin":"crowdsec","scenario":"s","scope":"Ip","type":"ban","value":%[2]q}]}]`

// attempt reports whether the alert was accepted. Whoever cannot accept it now has to say so.
func (l *load) attempt(ctx context.Context, url, id, address string) bool {
	body := fmt.Sprintf(loadAlert, id, address, time.Now().UTC().Format(time.RFC3339))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/alerts", strings.NewReader(body))
	if err != nil {
		l.t.Error(err)
		return false
	}
	r.Header.Set("Authorization", "Bearer "+l.token)
	r.Header.Set("User-Agent", "crowdsec/v1")
	w, err := l.client.Do(r)
	if err != nil {
		if ctx.Err() == nil {
			l.cut.Add(1)
		}
		return false
	}
	defer w.Body.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(w.Body)
	switch {
	case w.StatusCode == http.StatusCreated:
		return err == nil
	case w.StatusCode == http.StatusServiceUnavailable && w.Header.Get("Retry-After") != "":
		l.refused.Add(1)
	default:
		l.t.Errorf("alert: %d %.200s", w.StatusCode, text)
	}
	return false
}

func raise(to *atomic.Int64, value int64) {
	for known := to.Load(); value > known && !to.CompareAndSwap(known, value); {
		known = to.Load()
	}
}

// answer is the stream as a bouncer reads it.
type answer struct {
	New     []decision `json:"new"`
	Deleted []decision `json:"deleted"`
}

type decision struct {
	Value string `json:"value"`
}

// errRefused is a 503 that says when to come back.
var errRefused = errors.New("refused for now")

// pull asks for the stream. An answer with 200 that is not complete is an error of the test unless the connection says so
// too.
func (n *node) pull(ctx context.Context, key, query string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.address+"/v1/decisions/stream?"+query, nil)
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("X-Api-Key", key)
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer w.Body.Close() //nolint:errcheck // only read
	body, err := io.ReadAll(w.Body)
	switch {
	case err != nil:
		if json.Valid(body) && ctx.Err() == nil {
			n.t.Errorf("an answer that was cut after %d bytes looks complete", len(body))
		}
		return answer{}, err
	case w.StatusCode == http.StatusServiceUnavailable && w.Header.Get("Retry-After") != "":
		return answer{}, errRefused
	case w.StatusCode != http.StatusOK:
		n.t.Errorf("stream: %d %.200s", w.StatusCode, body)
		return answer{}, fmt.Errorf("status %d", w.StatusCode)
	}
	var got answer
	if err := json.Unmarshal(body, &got); err != nil {
		n.t.Errorf("a 200 without end: %v after %d bytes", err, len(body))
	}
	if count := strconv.Itoa(len(got.New)); w.Header.Get("X-Shieldwall-New") != count {
		n.t.Errorf("%s new decisions are announced, and %s are there", w.Header.Get("X-Shieldwall-New"), count)
	}
	return got, nil
}

// follower is a bouncer that holds requests open at one Local API.
type follower struct {
	arrived chan arrival // those that nobody takes are lost
	pulls   atomic.Int64
	refused atomic.Int64
}

// arrival is a decision that a bouncer was told of.
type arrival struct {
	value string
	at    time.Time
}

// follow starts a bouncer that knows everything that is active by now. It ends with the test.
func (n *node) follow(key string, wait time.Duration) *follower {
	n.t.Helper()
	f := &follower{arrived: make(chan arrival, 1000)}
	if _, err := n.pull(n.t.Context(), key, "startup=true"); err != nil {
		n.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(n.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			f.note(n.pull(ctx, key, "wait="+wait.String()))
		}
	}()
	n.t.Cleanup(func() {
		stop()
		<-done
	})
	return f
}

func (f *follower) note(got answer, err error) {
	if errors.Is(err, errRefused) {
		f.refused.Add(1)
	}
	if err != nil {
		time.Sleep(retryPause)
		return
	}
	f.pulls.Add(1)
	for _, d := range got.New {
		select {
		case f.arrived <- arrival{d.Value, time.Now()}:
		default:
		}
	}
}
