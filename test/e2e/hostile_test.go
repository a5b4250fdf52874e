package e2e

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	memoryLimit   = 300 << 20 // bytes that the Local API may have needed at its worst
	honestPause   = 25 * time.Millisecond
	honestTimeout = 10 * time.Second
)

// TestHostileInput attacks a Local API in every way at once that costs an attacker little, while honest
// clients go on working.
func TestHostileInput(t *testing.T) {
	in := newInstance(t, "")
	in.register()
	key := strings.TrimSpace(in.cscli("bouncers", "add", "honest", "-o", "raw"))
	engine := in.startEngine("-no-cs")
	a := &attack{t: t, url: "http://" + in.address, address: in.address, token: in.login(), key: key}

	ctx, cancel := context.WithCancel(t.Context())
	var honest sync.WaitGroup
	for _, client := range []func() error{a.pushAlert, a.askLive, a.askStream, a.beat} {
		honest.Go(func() { a.repeat(ctx, client) })
	}
	var attacks sync.WaitGroup
	for _, run := range []func(){
		a.bombs, a.manyElements, a.deepJSON, a.slowHeaders, a.slowBodies, a.headerFloods, a.badTokens,
	} {
		attacks.Go(run)
	}
	attacks.Wait()
	cancel()
	honest.Wait()

	if count := a.served.Load(); count < 100 {
		t.Errorf("honest clients were served %d times only", count)
	}
	peak := peakMemory(t, engine.cmd.Process.Pid)
	t.Logf("honest requests: %d, slowest %v; peak memory %d MiB", a.served.Load(), time.Duration(a.slowest.Load()), peak>>20)
	if peak > memoryLimit {
		t.Errorf("the Local API needed %d MiB", peak>>20)
	}
}

// attack is the targets of the attackers, and what the honest clients have seen.
type attack struct {
	t            *testing.T
	url, address string
	token, key   string

	served  atomic.Int64
	slowest atomic.Int64 // nanoseconds
}

func (in *instance) login() string {
	in.t.Helper()
	var credentials struct{ url, login, password string }
	text, err := os.ReadFile(in.path("local_api_credentials.yaml"))
	if err != nil {
		in.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch name {
		case "login":
			credentials.login = value
		case "password":
			credentials.password = value
		}
	}
	body := fmt.Sprintf(`{"machine_id":%q,"password":%q}`, credentials.login, credentials.password)
	r, err := http.NewRequestWithContext(in.t.Context(), http.MethodPost, "http://"+in.address+"/v1/watchers/login", strings.NewReader(body))
	if err != nil {
		in.t.Fatal(err)
	}
	r.Header.Set("User-Agent", "crowdsec/v1")
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		in.t.Fatal(err)
	}
	defer w.Body.Close() //nolint:errcheck // only read
	var answer struct {
		Token string `json:"token"`
	}
	if err := json.NewDecoder(w.Body).Decode(&answer); err != nil || answer.Token == "" {
		in.t.Fatalf("login: %d, %v", w.StatusCode, err)
	}
	return answer.Token
}

// call sends a request with the token and returns status and body.
func (a *attack) call(method, path string, body io.Reader, headers ...string) (int, string, error) {
	ctx, cancel := context.WithTimeout(a.t.Context(), 2*time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, a.url+path, body)
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Authorization", "Bearer "+a.token)
	r.Header.Set("User-Agent", "crowdsec/v1")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer w.Body.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(w.Body)
	return w.StatusCode, string(text), err
}

// refuse sends what must be refused. A server that answers before it has read everything may cut the
// connection while the client still sends.
func (a *attack) refuse(what, path string, body io.Reader, headers ...string) {
	status, text, err := a.call(http.MethodPost, path, body, headers...)
	if err != nil {
		a.t.Logf("%s: cut off: %v", what, err)
		return
	}
	if status < 400 || status > 499 {
		a.t.Errorf("%s: got %d %.200s", what, status, text)
	}
}

// repeat works like an honest client until ctx ends.
func (a *attack) repeat(ctx context.Context, do func() error) {
	ticker := time.NewTicker(honestPause)
	defer ticker.Stop()
	for {
		began := time.Now()
		if err := do(); err != nil {
			a.t.Errorf("an honest client was not served: %v", err)
		}
		took := time.Since(began)
		if took > honestTimeout {
			a.t.Errorf("an honest client had to wait %v", took)
		}
		a.served.Add(1)
		for slowest := a.slowest.Load(); int64(took) > slowest && !a.slowest.CompareAndSwap(slowest, int64(took)); {
			slowest = a.slowest.Load()
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (a *attack) want(status int, method, path, body string, headers ...string) error {
	got, text, err := a.call(method, path, strings.NewReader(body), headers...)
	if err == nil && got != status {
		err = fmt.Errorf("%s %s: %d %.200s", method, path, got, text)
	}
	return err
}

const honestAlert = `{"capacity":0,"decisions":DECISIONS,"events":EVENTS,"events_count":1,"leakspeed":"0","message":"","scenario":"s","scenario_hash":"","scenario_version":"","simulated":false,"source":{"scope":"Ip","value":"192.0.2.1"},"start_at":"2026-11-21T19:00:00Z","stop_at":"2026-11-21T19:00:00Z","labels":LABELS}`

func alertWith(decisions, events, labels string) string {
	return "[" + strings.NewReplacer("DECISIONS", decisions, "EVENTS", events, "LABELS", labels).Replace(honestAlert) + "]"
}

func (a *attack) pushAlert() error {
	return a.want(201, http.MethodPost, "/v1/alerts", alertWith("null", "[]", "null"))
}

func (a *attack) askLive() error {
	return a.want(200, http.MethodGet, "/v1/decisions?ip=192.0.2.1", "", "X-Api-Key", a.key)
}

func (a *attack) askStream() error {
	return a.want(200, http.MethodGet, "/v1/decisions/stream", "", "X-Api-Key", a.key)
}

func (a *attack) beat() error { return a.want(200, http.MethodGet, "/v1/heartbeat", "") }

// bombs sends bodies that are small until they are unpacked.
func (a *attack) bombs() {
	for name, unit := range map[string]string{
		"blanks":   " ",
		"targets":  `"192.0.2.1",`,
		"nothings": `{},`,
		"events":   `{"meta":[],"timestamp":""},`,
		"nesting":  `{"a":[`,
	} {
		bomb := packed(a.t, `{"targets":[`, strings.Repeat(unit, 1<<20/len(unit)), 200)
		alerts := packed(a.t, strings.TrimSuffix(alertWith("null", "[", "null"), `,"events_count`), strings.Repeat(unit, 1<<20/len(unit)), 200)
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				a.refuse("bomb of "+name, "/v1/allowlists/check", bytes.NewReader(bomb), "Content-Encoding", "gzip")
			})
			group.Go(func() {
				a.refuse("bomb of "+name, "/v1/alerts", bytes.NewReader(alerts), "Content-Encoding", "gzip")
			})
			group.Go(func() {
				a.refuse("bomb of "+name+" at the door", "/v1/watchers", bytes.NewReader(bomb), "Content-Encoding", "gzip")
			})
			group.Go(func() {
				a.refuse("bomb of "+name+" at the login", "/v1/watchers/login", bytes.NewReader(bomb), "Content-Encoding", "gzip")
			})
		}
		group.Wait()
	}
}

// packed returns start and then unit so many times, compressed.
func packed(t *testing.T, start, unit string, times int) []byte {
	t.Helper()
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		t.Error(err)
	}
	_, _ = io.WriteString(w, start)
	for range times {
		_, _ = io.WriteString(w, unit)
	}
	_ = w.Close() // into memory
	return packed.Bytes()
}

// manyElements sends arrays of a million elements in every place that takes arrays.
func (a *attack) manyElements() {
	million := func(element string) string {
		return "[" + strings.Repeat(element+",", 1_000_000) + element + "]"
	}
	const (
		event    = `{"meta":[],"timestamp":"2026-11-21T19:00:00Z"}`
		decision = `{"duration":"1h","origin":"o","scenario":"","scope":"a","type":"ban","value":""}`
	)
	for what, request := range map[string][2]string{
		"events":                 {"/v1/alerts", alertWith("null", million(event), "null")},
		"empty events":           {"/v1/alerts", alertWith("null", million("{}"), "null")},
		"null events":            {"/v1/alerts", alertWith("null", million("null"), "null")},
		"decisions":              {"/v1/alerts", alertWith(million(decision)[:49<<20]+"}]", "[]", "null")},
		"empty decisions":        {"/v1/alerts", alertWith(million("{}"), "[]", "null")},
		"labels":                 {"/v1/alerts", alertWith("null", "[]", million(`"a"`))},
		"alerts":                 {"/v1/alerts", million("{}")},
		"numbers":                {"/v1/alerts", million("1")},
		"targets":                {"/v1/allowlists/check", `{"targets":` + million(`"192.0.2.1"`) + `}`},
		"unknown fields":         {"/v1/allowlists/check", `{"x":` + million(`1`) + `}`},
		"remediation components": {"/v1/usage-metrics", `{"log_processors":` + million("{}") + `}`},
		"items":                  {"/v1/usage-metrics", `{"log_processors":[{"metrics":[{"items":` + million(`{"labels":{}}`) + `}]}]}`},
		"scenarios":              {"/v1/watchers/login", `{"machine_id":"x","password":"y","scenarios":` + million(`"a"`)},
	} {
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() { a.refuse("a million "+what, request[0], strings.NewReader(request[1])) })
		}
		group.Wait()
	}
}

func (a *attack) deepJSON() {
	for _, opening := range []string{"[", `{"a":`, `[{"events":[`} {
		for _, path := range []string{"/v1/alerts", "/v1/usage-metrics", "/v1/allowlists/check", "/v1/watchers", "/v1/watchers/login"} {
			a.refuse("deep JSON", path, strings.NewReader(strings.Repeat(opening, 1_000_000/len(opening))))
		}
	}
}

// slowHeaders holds connections open with a header that never ends. Each must be closed by the server.
func (a *attack) slowHeaders() {
	var group sync.WaitGroup
	for range 400 {
		group.Go(func() {
			conn, err := net.Dial("tcp", a.address)
			if err != nil {
				a.t.Errorf("slowloris: %v", err)
				return
			}
			defer conn.Close() //nolint:errcheck // the server closes it
			_, _ = io.WriteString(conn, "GET /v1/alerts HTTP/1.1\r\nHost: x\r\n")
			deadline := time.Now().Add(30 * time.Second)
			for time.Now().Before(deadline) {
				_ = conn.SetReadDeadline(time.Now().Add(time.Second))
				if _, err := conn.Read(make([]byte, 512)); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
					return
				}
				_, _ = io.WriteString(conn, "X-A: b\r\n")
			}
			a.t.Error("slowloris: the connection is still open after 30 s")
		})
	}
	group.Wait()
}

// slowBodies sends large bodies drop by drop while it lasts.
func (a *attack) slowBodies() {
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			conn, err := net.Dial("tcp", a.address)
			if err != nil {
				a.t.Errorf("slow body: %v", err)
				return
			}
			defer conn.Close() //nolint:errcheck // nothing is expected of it
			_, _ = fmt.Fprintf(conn, "POST /v1/alerts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 40000000\r\n\r\n[", a.token)
			for range 15 {
				time.Sleep(time.Second)
				_, _ = io.WriteString(conn, " ")
			}
		})
	}
	group.Wait()
}

// headerFloods sends more headers than anybody needs.
func (a *attack) headerFloods() {
	var group sync.WaitGroup
	for i := range 100 {
		group.Go(func() {
			conn, err := net.Dial("tcp", a.address)
			if err != nil {
				a.t.Errorf("header flood: %v", err)
				return
			}
			defer conn.Close() //nolint:errcheck // only read from now on
			go func() {
				_, _ = io.WriteString(conn, "GET /v1/alerts HTTP/1.1\r\nHost: x\r\n")
				line := "X-" + strings.Repeat("a", i%7+1) + ": " + strings.Repeat("b", 10<<(i%11)) + "\r\n"
				for range 2 << 20 / len(line) {
					if _, err := io.WriteString(conn, line); err != nil {
						return
					}
				}
			}()
			status, err := bufio.NewReader(conn).ReadString('\n')
			if err == nil && !strings.Contains(status, " 431 ") {
				a.t.Errorf("header flood: %s", status)
			}
		})
	}
	group.Wait()
}

// badTokens knocks a thousand times a second.
func (a *attack) badTokens() {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 20}}
	var group sync.WaitGroup
	places := make(chan struct{}, 200)
	for i := range 5 * 100 {
		<-ticker.C
		for j := range 10 {
			places <- struct{}{}
			group.Go(func() {
				defer func() { <-places }()
				a.knock(client, i*10+j)
			})
		}
	}
	group.Wait()
}

func (a *attack) knock(client *http.Client, i int) {
	headers := [][2]string{
		{"Authorization", "Bearer " + strconv.Itoa(i)},
		{"Authorization", "Bearer eyJhbGciOiJub25lIn0.e30." + strconv.Itoa(i)},
		{"X-Api-Key", "key" + strconv.Itoa(i)},
		{"Authorization", "Bearer " + a.token[:len(a.token)-2] + strconv.Itoa(i)},
	}
	r, err := http.NewRequestWithContext(a.t.Context(), http.MethodGet, a.url+"/v1/alerts", nil)
	if err != nil {
		a.t.Error(err)
		return
	}
	header := headers[i%len(headers)]
	if header[0] == "X-Api-Key" {
		r.URL.Path = "/v1/decisions"
	}
	r.Header.Set(header[0], header[1])
	w, err := client.Do(r)
	if err != nil {
		a.t.Logf("bad token: %v", err)
		return
	}
	_, _ = io.Copy(io.Discard, w.Body)
	_ = w.Body.Close()
	if w.StatusCode != 401 && w.StatusCode != 403 && w.StatusCode != 429 {
		a.t.Errorf("bad token: %d", w.StatusCode)
	}
}

// peakMemory returns the largest resident size that a process ever had, in bytes.
func peakMemory(t *testing.T, pid int) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			size, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return size << 10
		}
	}
	t.Fatal("no VmHWM")
	return 0
}
