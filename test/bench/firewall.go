package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"shieldwall/internal/remediation"
	"shieldwall/internal/remediation/nftables"
)

const (
	someBans    = 100_000
	millionBans = 1_000_000
	changedBans = 10_000
)

// firewall measures how fast the firewall component brings decisions into the kernel: the program, in a network
// namespace of its own, with nftables and a Local API that answers at once.
func (b *bench) firewall(ctx context.Context) error {
	if os.Geteuid() != 0 {
		b.report.check("The firewall component needs root: it was not measured.")
		return nil
	}
	var some, million, change, verify, peak []float64
	for range b.runs {
		b.say("%s addresses into an empty firewall", grouped(someBans))
		run, err := b.firewallRun(ctx, someBans)
		if err != nil {
			return err
		}
		some, change, verify = append(some, run.filled), append(change, run.changed), append(verify, run.verified)
		b.say("%s addresses into an empty firewall", grouped(millionBans))
		if run, err = b.firewallFill(ctx); err != nil {
			return err
		}
		million, peak = append(million, run.filled), append(peak, run.peakMB)
	}
	atMost := func(limit float64) *target { return &target{Limit: limit, AtMost: true} }
	b.report.add(row{Work: "100,000 addresses, from start to kernel", Target: atMost(1.5), Ours: median("s", some)})
	b.report.add(row{Work: "1,000,000 addresses, from start to kernel", Target: atMost(15), Ours: median("s", million)})
	b.report.add(row{Work: "1,000,000 addresses, peak memory", Target: atMost(400), Ours: median("MB", peak)})
	b.report.add(row{Work: "10,000 additions and 10,000 deletions among 100,000", Target: atMost(.5), Ours: median("s", change)})
	b.report.add(row{Work: "verification of 100,000 elements", Target: atMost(.5), Ours: median("s", verify)})
	return nil
}

// firewallTimes are what one run of the component took, in seconds.
type firewallTimes struct {
	filled, changed, verified, peakMB float64
}

// firewallRun starts the component with so many bans, changes some, and has it verify.
func (b *bench) firewallRun(ctx context.Context, bans int) (times firewallTimes, err error) {
	site, err := newFirewallSite(ctx, filepath.Join(b.dir, "firewall"))
	if err != nil {
		return times, err
	}
	defer func() { err = errors.Join(err, site.close()) }()
	snapshot := streamOf(0, bans, 0, 0)
	if times.filled, err = site.fill(ctx, snapshot); err != nil {
		return times, err
	}
	if err := site.holds(ctx, bans); err != nil {
		return times, err
	}
	change := streamOf(bans, bans+changedBans, 0, changedBans)
	filledCPU := site.cpu()
	begin := time.Now()
	if err := site.answer(change); err != nil {
		return times, err
	}
	if times.changed, err = site.answered(begin); err != nil {
		return times, err
	}
	changedCPU := site.cpu()
	if err := site.holds(ctx, bans); err != nil {
		return times, err
	}
	if times.verified, err = site.verify(ctx); err != nil {
		return times, err
	}
	times.peakMB, err = peakOf(site.program.Process.Pid)
	b.say("firewall: filled %.2f s (CPU %.2f s), changed %.2f s (%.2f s), verified %.2f s (%.2f s), %.0f MB", times.filled,
		filledCPU, times.changed, changedCPU-filledCPU, times.verified, site.cpu()-changedCPU, times.peakMB)
	return times, err
}

// fill starts the component, answers its first question with the snapshot, and returns after how many seconds it asks
// again: it has enforced all by then.
func (s *firewallSite) fill(ctx context.Context, snapshot []byte) (seconds float64, err error) {
	begin := time.Now()
	if err := s.start(ctx); err != nil {
		return 0, err
	}
	if _, err := s.answered(begin); err != nil {
		return 0, err
	}
	if err := s.answer(snapshot); err != nil {
		return 0, err
	}
	return s.answered(begin)
}

// firewallFill starts the component with a million bans and waits until they are in the kernel and on disk. The
// kernel takes a minute to list them, so that they are there is what the component says.
func (b *bench) firewallFill(ctx context.Context) (times firewallTimes, err error) {
	site, err := newFirewallSite(ctx, filepath.Join(b.dir, "firewall"))
	if err != nil {
		return times, err
	}
	defer func() { err = errors.Join(err, site.close()) }()
	snapshot := streamOf(0, millionBans, 0, 0)
	if times.filled, err = site.fill(ctx, snapshot); err != nil {
		return times, err
	}
	if said := site.complaints.String(); strings.Contains(said, "level=error") || !strings.Contains(said, "1000000 decision(s) added") {
		return times, fmt.Errorf("the firewall component did not enforce a million: %s", said)
	}
	cpu := site.cpu()
	if err := site.saved(ctx); err != nil {
		return times, err
	}
	times.peakMB, err = peakOf(site.program.Process.Pid)
	b.say("firewall: a million in %.2f s (CPU %.2f s), %.0f MB", times.filled, cpu, times.peakMB)
	return times, err
}

// saved waits until what is desired is on disk.
func (s *firewallSite) saved(ctx context.Context) error {
	for deadline := time.Now().Add(firewallPatience); time.Now().Before(deadline); {
		if found, _ := filepath.Glob(s.path("state/*.state")); len(found) > 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return fmt.Errorf("the firewall component saves nothing: %s", s.complaints.String())
}

// streamOf writes an answer of the decision stream: bans numbered from newFrom to before newTo, and the end
// of others.
func streamOf(newFrom, newTo, goneFrom, goneTo int) []byte {
	var text bytes.Buffer
	list := func(from, to int, duration string) {
		for i := from; i < to; i++ {
			if i > from {
				text.WriteByte(',')
			}
			address := net.IPv4(byte(1+i>>16%200), byte(i>>8), byte(i), byte(i*37)) //nolint:gosec // any will do
			fmt.Fprintf(&text, `{"duration":"%s","id":%d,"origin":"CAPI","scenario":"crowdsecurity/http-probing","scope":"Ip",`+
				`"type":"ban","uuid":"0f3a6c1e-7d54-4c55-9d3c-%012d","value":"%s"}`, duration, i, i, address)
		}
	}
	text.WriteString(`{"deleted":[`)
	list(goneFrom, goneTo, "-1s")
	text.WriteString(`],"new":[`)
	list(newFrom, newTo, "71h42m13s")
	text.WriteString(`]}`)
	return text.Bytes()
}

// firewallSite is the component in its namespace, and a Local API that hands out what it is told to.
type firewallSite struct {
	dir, namespace string
	api            *httptest.Server
	program        *exec.Cmd
	complaints     transcript
	arrivals       chan time.Time
	answers        chan []byte
}

// transcript is an output that can be read while it is written.
type transcript struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

// Write appends p.
func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

// String returns what was written so far.
func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

const (
	firewallNamespace = "shieldwall-bench"
	firewallPatience  = 5 * time.Minute
)

func newFirewallSite(ctx context.Context, dir string) (*firewallSite, error) {
	s := &firewallSite{
		dir: dir, namespace: fmt.Sprint(firewallNamespace, os.Getpid()),
		arrivals: make(chan time.Time), answers: make(chan []byte),
	}
	if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("removing leftovers: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making a place for the firewall: %w", err)
	}
	if out, err := exec.CommandContext(ctx, "ip", "netns", "add", s.namespace).CombinedOutput(); err != nil { //nolint:gosec // our own name
		return nil, fmt.Errorf("making a network namespace: %w: %s", err, out)
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "unix", s.path("api.sock"))
	if err != nil {
		return nil, errors.Join(err, s.leave())
	}
	s.api = &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(s.serve)}} //nolint:gosec // nobody is slow
	s.api.Start()
	text := fmt.Sprintf("mode: nftables\napi_url: %s\napi_key: key\nupdate_frequency: 5ms\nlog_level: info\n"+
		"reconcile_interval: 1h\nallowlists_interval: 1h\nstate_dir: %s\n", s.path("api.sock"), s.path("state"))
	if err := os.WriteFile(s.path("firewall.yaml"), []byte(text), 0o600); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *firewallSite) path(name string) string { return filepath.Join(s.dir, name) }

func (s *firewallSite) serve(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/stream") {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	select {
	case s.arrivals <- time.Now():
	case <-r.Context().Done():
		return
	}
	select {
	case answer := <-s.answers:
		_, _ = w.Write(answer)
	case <-r.Context().Done():
	}
}

func (s *firewallSite) start(ctx context.Context) error {
	s.program = exec.CommandContext(ctx, "ip", "netns", "exec", s.namespace, "bin/crowdsec-firewall-bouncer", "-c", s.path("firewall.yaml")) //nolint:gosec // ours
	s.program.Stderr = &s.complaints
	return startOn(s.program, nil)
}

// answered waits for a request: by then the component has done what the last answer said. It returns the
// seconds since begin.
func (s *firewallSite) answered(begin time.Time) (float64, error) {
	select {
	case at := <-s.arrivals:
		return at.Sub(begin).Seconds(), nil
	case <-time.After(firewallPatience):
		return 0, fmt.Errorf("the firewall component does not ask: %s", s.complaints.String())
	}
}

// answer answers the request that waits.
func (s *firewallSite) answer(text []byte) error {
	select {
	case s.answers <- text:
		return nil
	case <-time.After(firewallPatience):
		return fmt.Errorf("the firewall component does not ask: %s", s.complaints.String())
	}
}

// holds makes sure that the kernel has so many elements.
func (s *firewallSite) holds(ctx context.Context, want int) error {
	namespace, err := os.Open("/run/netns/" + s.namespace)
	if err != nil {
		return fmt.Errorf("opening the namespace: %w", err)
	}
	defer namespace.Close() //nolint:errcheck // only used
	backend, err := nftables.New(nftables.Config{
		IPv4: nftables.Family{
			Enabled: true, Table: "crowdsec", Chain: "crowdsec-chain", Blacklist: "crowdsec-blacklists", Allowlist: "crowdsec-allowlists",
		},
		Namespace: int(namespace.Fd()),
	}, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	enforced, err := backend.Read(ctx)
	if err != nil {
		return err
	}
	if held := len(enforced.Sets[remediation.Set{Group: "CAPI"}]); held != want {
		return fmt.Errorf("the kernel has %d elements instead of %d: %s", held, want, s.complaints.String())
	}
	return nil
}

// verify has the component compare, and returns how long that took, in seconds, as it says itself.
func (s *firewallSite) verify(ctx context.Context) (float64, error) {
	took := regexp.MustCompile(`msg="verified on demand" coverage_percent=100 .* took=(\S+)`)
	if err := s.program.Process.Signal(syscall.SIGUSR1); err != nil {
		return 0, fmt.Errorf("asking for a verification: %w", err)
	}
	for deadline := time.Now().Add(firewallPatience); time.Now().Before(deadline); {
		if found := took.FindStringSubmatch(s.complaints.String()); found != nil {
			duration, err := time.ParseDuration(found[1])
			return duration.Seconds(), err
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return 0, fmt.Errorf("the firewall component verifies nothing: %s", s.complaints.String())
}

// cpu returns the user and system time of the component so far, in seconds; 0 when nobody says.
func (s *firewallSite) cpu() float64 {
	const utime, stime, ticks = 13, 14, 100 // fields of the line, and units of a second
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.program.Process.Pid))
	fields := strings.Fields(string(stat))
	if err != nil || len(fields) <= stime {
		return 0
	}
	user, _ := strconv.ParseFloat(fields[utime], 64)
	system, _ := strconv.ParseFloat(fields[stime], 64)
	return (user + system) / ticks
}

// peakOf returns the largest resident size of a process so far, in MB.
func peakOf(pid int) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("asking for the size of the firewall component: %w", err)
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kilobytes, err := strconv.ParseFloat(strings.Fields(text)[0], 64)
			return kilobytes / 1024, err
		}
	}
	return 0, errors.New("the kernel does not say how large the firewall component was")
}

func (s *firewallSite) close() error {
	if s.program != nil && s.program.Process != nil {
		_ = s.program.Process.Kill()
		_ = s.program.Wait() // killed
	}
	s.api.CloseClientConnections()
	s.api.Close()
	return s.leave()
}

func (s *firewallSite) leave() error {
	if out, err := exec.Command("ip", "netns", "delete", s.namespace).CombinedOutput(); err != nil { //nolint:noctx,gosec // also after a stop; our own name
		return fmt.Errorf("removing the network namespace: %w: %s", err, out)
	}
	return nil
}
