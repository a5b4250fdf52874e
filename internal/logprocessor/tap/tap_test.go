package tap_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"shieldwall/internal/expression"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/logprocessor/scenario"
	"shieldwall/internal/logprocessor/tap"
	"shieldwall/internal/wire"
)

// patience bounds what takes no time.
const patience = time.Minute

// served is a tap behind a socket.
type served struct {
	*tap.Tap
	path string
	end  func()
}

func serve(tb testing.TB) *served {
	tb.Helper()
	dir, err := os.MkdirTemp("", "tap-") //nolint:usetesting // names of sockets are short, those of tests are not
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, tap.SocketName)
	listener, err := tap.Listen(tb.Context(), path)
	if err != nil {
		tb.Fatal(err)
	}
	shown := tap.New(expression.New(expression.Deps{}), slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		shown.Serve(ctx, listener)
	}()
	end := func() {
		cancel()
		<-done
	}
	tb.Cleanup(end)
	return &served{shown, path, end}
}

func (s *served) watch(tb testing.TB, request tap.Request) *tap.View {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), patience)
	tb.Cleanup(cancel)
	view, err := tap.Watch(ctx, s.path, request)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(view.Close)
	return view
}

func next(tb testing.TB, view *tap.View) tap.Event {
	tb.Helper()
	e, err := view.Next()
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func line(raw, address string) *event.Event {
	evt := event.New(event.Line{Raw: raw, Src: "auth.log"}, event.Live)
	evt.Meta["source_ip"] = address
	return evt
}

func overflow(address string) *event.Event {
	evt := event.New(event.Line{}, event.Live)
	evt.Type = event.Overflow
	evt.Overflow.Alert = &wire.Alert{
		Scenario: "me/bf", Message: address + " is loud",
		Events: []wire.Event{{Meta: []wire.MetaItem{{Key: "source_ip", Value: address}}}},
	}
	return evt
}

// happen tells a tap of everything that can be seen, about two addresses.
func happen(to *tap.Tap) {
	for _, address := range []string{"192.0.2.1", "192.0.2.2"} {
		to.Parsed(line("in "+address, address), true)
		to.Parsed(line("nonsense "+address, address), false)
		to.Matched(line("in "+address, address), nil)
		to.Matched(line("in "+address, address), []scenario.Pour{{Scenario: &scenario.Scenario{Name: "me/bf"}}})
		to.Overflowed(overflow(address))
	}
}

func TestViewersSeeWhatTheyAskFor(t *testing.T) {
	t.Parallel()
	const everythingOfOne = "parsed:in 192.0.2.1 unparsed:nonsense 192.0.2.1 matched:in 192.0.2.1[me/bf] overflow:192.0.2.1 is loud"
	for name, test := range map[string]struct {
		request tap.Request
		want    string
	}{
		"everything":           {tap.Request{}, everythingOfOne + " " + strings.ReplaceAll(everythingOfOne, "192.0.2.1", "192.0.2.2")},
		"parsed":               {tap.Request{Stage: tap.Parsed}, "parsed:in 192.0.2.1 parsed:in 192.0.2.2"},
		"unparsed":             {tap.Request{Stage: tap.Unparsed}, "unparsed:nonsense 192.0.2.1 unparsed:nonsense 192.0.2.2"},
		"matched":              {tap.Request{Stage: tap.Matched}, "matched:in 192.0.2.1[me/bf] matched:in 192.0.2.2[me/bf]"},
		"overflow":             {tap.Request{Stage: tap.Overflow}, "overflow:192.0.2.1 is loud overflow:192.0.2.2 is loud"},
		"an address":           {tap.Request{Filter: "evt.Meta.source_ip == '192.0.2.1'"}, everythingOfOne},
		"an alert":             {tap.Request{Filter: "evt.Overflow.Alert.Scenario == 'me/bf'"}, "overflow:192.0.2.1 is loud overflow:192.0.2.2 is loud"},
		"a filter that writes": {tap.Request{Filter: "evt.SetMeta('source_ip', 'x') && evt.Line.Raw == 'in 192.0.2.2'", Stage: tap.Parsed}, "parsed:in 192.0.2.2"},
		"a limit":              {tap.Request{Limit: 2}, "parsed:in 192.0.2.1 unparsed:nonsense 192.0.2.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			view := s.watch(t, test.request)
			happen(s.Tap)
			var got []string
			for range strings.Count(test.want, ":") {
				got = append(got, text(t, next(t, view)))
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, " "), test.want)
			}
			if test.request.Limit > 0 {
				if e, err := view.Next(); !errors.Is(err, io.EOF) {
					t.Errorf("after the limit: %v, %v", e, err)
				}
			}
		})
	}
}

func text(t *testing.T, e tap.Event) string {
	t.Helper()
	if e.Stage != tap.Overflow {
		return fmt.Sprint(e.Stage, ":", e.Line, strings.TrimSuffix(fmt.Sprint(e.Scenarios), "[]"))
	}
	var alert wire.Alert
	if err := json.Unmarshal(e.Alert, &alert); err != nil {
		t.Error(err)
	}
	return fmt.Sprint(e.Stage, ":", alert.Message)
}

func TestAFilterChangesNothing(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.watch(t, tap.Request{Filter: "evt.SetMeta('source_ip', 'x') && evt.SetParsed('a', 'b')"})
	evt := line("in", "192.0.2.1")
	s.Parsed(evt, true)
	if evt.Meta["source_ip"] != "192.0.2.1" || len(evt.Parsed) > 0 {
		t.Errorf("meta %v, parsed %v", evt.Meta, evt.Parsed)
	}
}

func TestEventsAreCopied(t *testing.T) {
	t.Parallel()
	s := serve(t)
	view := s.watch(t, tap.Request{})
	evt := line("first", "192.0.2.1")
	for i := range 100 {
		evt.Renew(event.Line{Raw: fmt.Sprint(i)}, event.Live)
		evt.SetMeta("number", fmt.Sprint(i))
		s.Parsed(evt, true)
	}
	for i := range 100 {
		if e := next(t, view); e.Line != fmt.Sprint(i) || e.Meta["number"] != e.Line {
			t.Fatalf("event %d is %+v", i, e)
		}
	}
}

// TestASlowViewerHoldsUpNobody has a viewer read nothing while far more happens than fits anywhere, and then everything:
// with what it is told that it missed, each event has the number that it should have.
func TestASlowViewerHoldsUpNobody(t *testing.T) {
	t.Parallel()
	s := serve(t)
	view := s.watch(t, tap.Request{})
	happened := 0
	pour := func() {
		happened++
		s.Parsed(line(fmt.Sprint(happened, " ", strings.Repeat("x", 1000)), ""), true)
	}
	for range 5000 {
		pour() // comes back although nobody reads
	}
	for seen, missed := 0, 0; missed == 0; pour() {
		e := next(t, view)
		missed = int(e.Dropped)
		seen += missed + 1
		if number, _, _ := strings.Cut(e.Line, " "); number != fmt.Sprint(seen) {
			t.Fatalf("event %s counts as number %d", number, seen)
		}
	}
}

func TestTheEndWaitsForNoViewer(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.watch(t, tap.Request{})
	for range 5000 {
		s.Parsed(line(strings.Repeat("x", 1000), ""), true)
	}
	s.end() // while it writes to somebody who does not read
	if s.Watching() {
		t.Error("somebody watches after the end")
	}
}

func TestRequestsAreRefusedWithAReason(t *testing.T) {
	t.Parallel()
	for request, want := range map[string]string{
		`{"filter":"evt.Nope == 1"}`: "filter: ",
		`{"filter":"evt.Line.Raw"}`:  "filter: ",
		`{"stage":"poured"}`:         `unknown stage "poured"`,
		`{"limit":-1}`:               "a limit is 0, for none, or more",
		`{"filters":""}`:             "reading the request: ",
		`{} {}`:                      "reading the request: something follows it",
		`nonsense`:                   "reading the request: ",
		`{"filter":"` + strings.Repeat("x", 20000) + ``: "a request is one line of at most 16384 bytes",
	} {
		s := serve(t)
		conn, err := net.Dial("unix", s.path)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close() //nolint:errcheck // the test is about what comes before
		go func() { _, _ = io.WriteString(conn, request+"\n") }()
		var answer struct {
			Error string `json:"error"`
		}
		if err := json.NewDecoder(conn).Decode(&answer); err != nil || !strings.Contains(answer.Error, want) {
			t.Errorf("%.40s: got %q, %v; want %q", request, answer.Error, err, want)
		}
		if s.Watching() {
			t.Errorf("%.40s: it watches all the same", request)
		}
	}
}

func TestViewersComeAndGo(t *testing.T) {
	t.Parallel()
	s := serve(t)
	if s.Watching() {
		t.Fatal("nobody has come yet")
	}
	views := make([]*tap.View, 8)
	for i := range views {
		views[i] = s.watch(t, tap.Request{})
	}
	if _, err := tap.Watch(t.Context(), s.path, tap.Request{}); !errors.Is(err, tap.ErrRefused) {
		t.Errorf("the ninth viewer: %v", err)
	}
	for _, view := range views {
		view.Close()
	}
	for deadline := time.Now().Add(patience); s.Watching(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("all have gone, but somebody watches")
		}
	}
}

func TestFiltersFollowTheRules(t *testing.T) {
	t.Parallel()
	s := serve(t)
	view := s.watch(t, tap.Request{Filter: "evt.Meta.source_ip == '192.0.2.1'"})
	s.Use(expression.New(expression.Deps{Plain: true}))
	s.Parsed(line("another's", "192.0.2.2"), true)
	s.Parsed(line("mine", "192.0.2.1"), true)
	if e := next(t, view); e.Line != "mine" {
		t.Errorf("got %+v", e)
	}
}

func TestTheSocket(t *testing.T) {
	t.Parallel()
	s := serve(t)
	info, err := os.Stat(s.path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := tap.Listen(t.Context(), s.path); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("beside one that lives: %v", err)
	}
	view := s.watch(t, tap.Request{})
	s.end()
	if _, err := view.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
	entries, err := os.ReadDir(filepath.Dir(s.path))
	if len(entries) > 0 || err != nil {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if _, err := tap.Watch(t.Context(), s.path, tap.Request{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("watching nothing: %v", err)
	}
}

func TestAStaleSocketIsReplaced(t *testing.T) {
	t.Parallel()
	s := serve(t)
	path := s.path + "2"
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	if err := stale.Close(); err != nil {
		t.Fatal(err)
	}
	listener, err := tap.Listen(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Error(err)
	}
}
