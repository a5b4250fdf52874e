package output

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/wire"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func openSpool(tb testing.TB, dir string, options Options) *Spool {
	tb.Helper()
	spool, err := Open(dir, options, discard())
	if err != nil {
		tb.Fatal(err)
	}
	return spool
}

func accept(tb testing.TB, spool *Spool, messages ...string) {
	tb.Helper()
	if err := spool.Accept(tb.Context(), alerts(messages...)); err != nil {
		tb.Fatal(err)
	}
}

func alerts(messages ...string) []*wire.Alert {
	var list []*wire.Alert
	for _, message := range messages {
		list = append(list, &wire.Alert{Message: message, Events: []wire.Event{}, Source: &wire.Source{Scope: "Ip", Value: "192.0.2.1"}})
	}
	return list
}

func waitingMessages(tb testing.TB, spool *Spool) []string {
	tb.Helper()
	batch, err := spool.head(1_000_000, 1<<40)
	if err != nil {
		tb.Fatal(err)
	}
	var messages []string
	for _, w := range batch {
		messages = append(messages, decoded(tb, w.alert).Message)
	}
	return messages
}

func decoded(tb testing.TB, text []byte) wire.Alert {
	tb.Helper()
	var alert wire.Alert
	if err := json.Unmarshal(text, &alert); err != nil {
		tb.Fatal(err)
	}
	return alert
}

// api is a Local API that stores one alert a UUID.
type api struct {
	mu     sync.Mutex
	stored []string // messages, in the order of storing
	seen   map[string]int
	pushes [][]string
	answer func(push int, alerts []wire.Alert) error // decides before anything is stored
	lost   func(push int) bool                       // the answer gets lost after storing
}

func (a *api) PushEncoded(ctx context.Context, encoded [][]byte) ([]string, error) {
	alerts := make([]wire.Alert, len(encoded))
	for i := range encoded {
		if err := json.Unmarshal(encoded[i], &alerts[i]); err != nil {
			return nil, fault.Mark(fault.Invalid, err)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	push := len(a.pushes)
	var messages []string
	for i := range alerts {
		messages = append(messages, alerts[i].Message)
	}
	a.pushes = append(a.pushes, messages)
	if a.answer != nil {
		if err := a.answer(push, alerts); err != nil {
			return nil, err
		}
	}
	if a.seen == nil {
		a.seen = map[string]int{}
	}
	for i := range alerts {
		if a.seen[alerts[i].UUID]++; a.seen[alerts[i].UUID] == 1 {
			a.stored = append(a.stored, alerts[i].Message)
		}
	}
	if a.lost != nil && a.lost(push) {
		return nil, fault.Errorf(fault.Unavailable, "answer lost")
	}
	return make([]string, len(alerts)), nil
}

func (a *api) messages() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.stored)
}

func TestAlertsSurviveUnchangedButForTheirUUID(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	simulated := true
	want := wire.Alert{
		Capacity: -1, Events: []wire.Event{{Meta: []wire.MetaItem{{Key: "k", Value: "<\u2028\n\x00&>"}}, Timestamp: "2026-01-01T00:00:00Z"}},
		EventsCount: 3, Kind: "crowdsec", Leakspeed: "10s", Message: "line\nbreak", Remediation: true, Scenario: "a/b",
		Source:    &wire.Source{IP: "192.0.2.1", Scope: "Ip", Value: "192.0.2.1", Latitude: 1.5},
		Decisions: []wire.Decision{{Duration: "1h", Simulated: &simulated}},
		StartAt:   "2026-01-01T00:00:00Z", StopAt: "2026-01-01T00:00:01Z",
	}
	spool := openSpool(t, dir, Options{NewUUID: func() string { return "fresh" }})
	own := want
	own.UUID = "own"
	if err := spool.Accept(t.Context(), []*wire.Alert{&want, &own}); err != nil {
		t.Fatal(err)
	}
	if want.UUID != "" {
		t.Error("the caller's alert was changed")
	}
	want.UUID = "fresh"
	if err := spool.Close(); err != nil {
		t.Fatal(err)
	}
	batch, err := openSpool(t, dir, Options{}).head(10, 1<<20)
	if err != nil || len(batch) != 2 {
		t.Fatalf("%d alerts, %v", len(batch), err)
	}
	if !reflect.DeepEqual(decoded(t, batch[0].alert), want) || !reflect.DeepEqual(decoded(t, batch[1].alert), own) {
		t.Fatalf("got %+v", batch)
	}
}

func TestFullSpoolKeepsTheOldAndRefusesTheNew(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]Options{"count": {MaxAlerts: 3}, "bytes": {MaxBytes: 1000}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options.Metrics = prometheus.NewRegistry()
			spool := openSpool(t, t.TempDir(), options)
			accept(t, spool, "1", "2")
			err := spool.Accept(t.Context(), alerts("3", "4"))
			if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "1 of 2 alerts refused") {
				t.Fatalf("error %v", err)
			}
			if got := waitingMessages(t, spool); !slices.Equal(got, []string{"1", "2", "3"}) {
				t.Fatalf("waiting %v", got)
			}
			if err := spool.commit(2); err != nil {
				t.Fatal(err)
			}
			accept(t, spool, "5")
			if got := waitingMessages(t, spool); !slices.Equal(got, []string{"3", "5"}) {
				t.Fatalf("waiting %v after room was made", got)
			}
		})
	}
}

func TestFolderIsUsedByOneAtATime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := openSpool(t, dir, Options{})
	if _, err := Open(dir, Options{}, discard()); !fault.Is(err, fault.Exists) {
		t.Fatalf("second Open: %v, want Exists", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	openSpool(t, dir, Options{})
}

func TestDeliveredSegmentsAreRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	spool := openSpool(t, dir, Options{SegmentBytes: 500})
	for i := range 20 {
		accept(t, spool, fmt.Sprint(i))
	}
	if n := len(segmentFiles(t, dir)); n < 5 {
		t.Fatalf("%d files for 20 alerts", n)
	}
	if err := NewDeliverer(spool, &api{}, DeliveryOptions{}, discard()).Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(segmentFiles(t, dir)); n > 1 {
		t.Fatalf("%d files for no alert", n)
	}
}

func TestDamageIsSetAside(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		damage func(content string) string
		want   []string
	}{
		"half-written last record": {func(c string) string { return c[:len(c)-20] }, []string{"1", "2"}},
		"last newline missing":     {func(c string) string { return c[:len(c)-1] }, []string{"1", "2"}},
		"flipped bit in the middle": {func(c string) string {
			return strings.Replace(c, `"message":"2"`, `"message":"3"`, 1)
		}, []string{"1", "3"}},
		"zeroes at the end":  {func(c string) string { return c + strings.Repeat("\x00", 512) }, []string{"1", "2", "3"}},
		"zeroes all over":    {func(c string) string { return strings.Repeat("\x00", len(c)) }, nil},
		"rubbish in between": {func(c string) string { return strings.Replace(c, "\n", "\nrubbish\n\n", 1) }, []string{"1", "2", "3"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			spool := openSpool(t, dir, Options{})
			accept(t, spool, "1", "2", "3")
			if err := spool.Close(); err != nil {
				t.Fatal(err)
			}
			path := segmentFiles(t, dir)[0]
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(test.damage(string(content))), 0o600); err != nil {
				t.Fatal(err)
			}
			spool = openSpool(t, dir, Options{})
			if got := waitingMessages(t, spool); !slices.Equal(got, test.want) {
				t.Fatalf("waiting %v, want %v", got, test.want)
			}
			if shelved := shelvedFiles(t, dir); len(shelved) == 0 {
				t.Fatal("nothing was set aside")
			}
			accept(t, spool, "4")
			lapi := &api{}
			if err := NewDeliverer(spool, lapi, DeliveryOptions{}, discard()).Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got, want := lapi.messages(), append(test.want, "4"); !slices.Equal(got, want) {
				t.Fatalf("delivered %v, want %v", got, want)
			}
		})
	}
}

func TestDamageWhileRunningDoesNotBlock(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(path string) error{
		"removed":   os.Remove,
		"truncated": func(path string) error { return os.Truncate(path, 5) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			spool := openSpool(t, dir, Options{SegmentBytes: 1})
			accept(t, spool, "1")
			accept(t, spool, "2")
			if err := damage(segmentFiles(t, dir)[0]); err != nil {
				t.Fatal(err)
			}
			lapi := &api{}
			if err := NewDeliverer(spool, lapi, DeliveryOptions{}, discard()).Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := lapi.messages(); !slices.Equal(got, []string{"2"}) {
				t.Fatalf("delivered %v", got)
			}
		})
	}
}

func TestDeliveredPlaceNotUnderstoodSendsAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	spool := openSpool(t, dir, Options{})
	accept(t, spool, "1", "2")
	if err := spool.commit(1); err != nil {
		t.Fatal(err)
	}
	if err := spool.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, deliveredName), []byte("?"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := waitingMessages(t, openSpool(t, dir, Options{})); !slices.Equal(got, []string{"1", "2"}) {
		t.Fatalf("waiting %v", got)
	}
}

func TestShelfIsBounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := shelf{dir, discard()}
	for i := range maxShelved + 5 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%016d.json", i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.putDamaged("9999999999999999"+segmentSuffix, 7, []byte("x"))
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != maxShelved || entries[len(entries)-1].Name() != "9999999999999999-7.damaged" {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
}

func TestPoisonIsSetAsideAndTheRestGoesOn(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]fault.Kind{"invalid": fault.Invalid, "too large": fault.TooLarge} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			spool := openSpool(t, dir, Options{Now: func() time.Time { return time.Unix(0, 0) }})
			var want []string
			for i := range 40 {
				message := fmt.Sprint(i)
				if i == 0 || i == 17 || i == 18 || i == 39 {
					message = fmt.Sprintf("poison %d", i)
				} else {
					want = append(want, message)
				}
				accept(t, spool, message)
			}
			lapi := &api{answer: func(_ int, alerts []wire.Alert) error {
				for i := range alerts {
					if strings.HasPrefix(alerts[i].Message, "poison") {
						return fault.Errorf(kind, "bad alert")
					}
				}
				return nil
			}}
			if err := NewDeliverer(spool, lapi, DeliveryOptions{}, discard()).Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := lapi.messages(); !slices.Equal(got, want) {
				t.Fatalf("delivered %v", got)
			}
			shelved := shelvedFiles(t, dir)
			if len(shelved) != 4 || spool.Len() != 0 {
				t.Fatalf("set aside %v, %d wait", shelved, spool.Len())
			}
			text, err := os.ReadFile(shelved[1])
			if err != nil {
				t.Fatal(err)
			}
			var got rejection
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatal(err)
			}
			if got.Reason != "bad alert" || got.Kind != kind.String() || decoded(t, got.Alert).Message != "poison 17" || decoded(t, got.Alert).UUID == "" {
				t.Fatalf("set aside %+v", got)
			}
		})
	}
}

func TestInternalErrorsTellPoisonFromAnIllServer(t *testing.T) {
	t.Parallel()
	internal := errors.New("boom")
	poison := func(_ int, alerts []wire.Alert) error {
		for i := range alerts {
			if strings.HasPrefix(alerts[i].Message, "poison") {
				return internal
			}
		}
		return nil
	}
	tests := map[string]struct {
		messages []string
		answer   func(push int, alerts []wire.Alert) error
		stored   []string
		shelved  int
		waiting  int
	}{
		"poison first":         {[]string{"poison", "1", "2"}, poison, []string{"1", "2"}, 1, 0},
		"poison in the middle": {[]string{"1", "poison", "poison", "2"}, poison, []string{"1", "2"}, 2, 0},
		"poison alone stays":   {[]string{"poison"}, poison, nil, 0, 1},
		"ill server keeps all": {[]string{"1", "2"}, func(int, []wire.Alert) error { return internal }, nil, 0, 2},
		"server well after a bit": {
			[]string{"1", "2"},
			func(push int, _ []wire.Alert) error {
				if push < 2 {
					return internal
				}
				return nil
			},
			[]string{"1", "2"},
			0, 0,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				spool := openSpool(t, dir, Options{})
				accept(t, spool, test.messages...)
				lapi := &api{answer: test.answer}
				stop := run(t, NewDeliverer(spool, lapi, DeliveryOptions{}, discard()))
				time.Sleep(time.Minute)
				stop()
				if got := lapi.messages(); !slices.Equal(got, test.stored) {
					t.Errorf("delivered %v, want %v", got, test.stored)
				}
				if shelved := shelvedFiles(t, dir); len(shelved) != test.shelved || spool.Len() != test.waiting {
					t.Errorf("set aside %v, %d wait; want %d and %d", shelved, spool.Len(), test.shelved, test.waiting)
				}
			})
		})
	}
}

func TestIdleDelivererSendsAtOnceAndBatchesUnderLoad(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spool := openSpool(t, t.TempDir(), Options{})
		release := make(chan struct{})
		lapi := &api{answer: func(push int, _ []wire.Alert) error {
			if push == 0 {
				<-release
			}
			return nil
		}}
		stop := run(t, NewDeliverer(spool, lapi, DeliveryOptions{MaxAlerts: 5}, discard()))
		begin := time.Now()
		accept(t, spool, "0")
		synctest.Wait() // the first push is on its way now
		for i := 1; i < 12; i++ {
			accept(t, spool, fmt.Sprint(i))
		}
		close(release)
		synctest.Wait()
		var sizes []int
		for _, push := range lapi.pushes {
			sizes = append(sizes, len(push))
		}
		if !slices.Equal(sizes, []int{1, 5, 5, 1}) || time.Since(begin) != 0 {
			t.Fatalf("pushes of %v alerts after %v, want 1 5 5 1 at once", sizes, time.Since(begin))
		}
		stop()
	})
}

func TestOutageIsRetriedWithBackOffAndInOrder(t *testing.T) {
	t.Parallel()
	for _, kind := range []fault.Kind{fault.Unavailable, fault.Unauthorized, fault.Forbidden, fault.NotFound} {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const outage = 30 * time.Second
				spool := openSpool(t, t.TempDir(), Options{})
				begin := time.Now()
				var recovered time.Duration
				lapi := &api{answer: func(int, []wire.Alert) error {
					if time.Since(begin) < outage {
						return fault.Errorf(kind, "no")
					}
					if recovered == 0 {
						recovered = time.Since(begin)
					}
					return nil
				}}
				stop := run(t, NewDeliverer(spool, lapi, DeliveryOptions{}, discard()))
				var want []string
				for i := range 60 {
					want = append(want, fmt.Sprint(i))
					accept(t, spool, fmt.Sprint(i))
					time.Sleep(time.Second)
				}
				synctest.Wait()
				if got := lapi.messages(); !slices.Equal(got, want) {
					t.Fatalf("delivered %v", got)
				}
				if recovered-outage > 5*time.Second {
					t.Errorf("first delivery %v after the outage", recovered-outage)
				}
				if len(lapi.pushes) > 60 {
					t.Errorf("%d pushes", len(lapi.pushes))
				}
				stop()
			})
		})
	}
}

// askingError is an answer with Retry-After.
type askingError struct{ pause time.Duration }

func (e askingError) Error() string { return "later" }

func (e askingError) Pause() time.Duration { return e.pause }

func TestTheLocalAPIIsLeftAloneAsLongAsItAsks(t *testing.T) {
	t.Parallel()
	for asked, want := range map[time.Duration]time.Duration{
		time.Minute: time.Minute, 24 * time.Hour: longestPause, 0: defaultMinBackOff / 2,
	} {
		synctest.Test(t, func(t *testing.T) {
			spool := openSpool(t, t.TempDir(), Options{})
			accept(t, spool, "1")
			var at []time.Time
			lapi := &api{answer: func(push int, _ []wire.Alert) error {
				if at = append(at, time.Now()); push == 0 {
					return fmt.Errorf("pushing: %w", fault.Mark(fault.Unavailable, askingError{asked}))
				}
				return nil
			}}
			stop := run(t, NewDeliverer(spool, lapi, DeliveryOptions{Random: func() float64 { return 0 }}, discard()))
			time.Sleep(time.Hour)
			stop()
			if len(at) != 2 || at[1].Sub(at[0]) != want || spool.Len() != 0 {
				t.Errorf("asked for %v: pushes at %v", asked, at)
			}
		})
	}
}

func TestHangingServerIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spool := openSpool(t, t.TempDir(), Options{})
		accept(t, spool, "1")
		hanging := senderFunc(func(ctx context.Context, _ [][]byte) ([]string, error) {
			<-ctx.Done()
			return nil, fault.Errorf(fault.Invalid, "sender misjudges the end of its time")
		})
		err := NewDeliverer(spool, hanging, DeliveryOptions{Timeout: time.Second}, discard()).Flush(t.Context())
		if !fault.Is(err, fault.Unavailable) || spool.Len() != 1 {
			t.Fatalf("error %v, %d wait", err, spool.Len())
		}
	})
}

func TestFlushTriesOnce(t *testing.T) {
	t.Parallel()
	spool := openSpool(t, t.TempDir(), Options{})
	accept(t, spool, "1", "2", "3")
	lapi := &api{answer: func(push int, _ []wire.Alert) error {
		if push == 1 {
			return fault.Errorf(fault.Unavailable, "gone")
		}
		return nil
	}}
	d := NewDeliverer(spool, lapi, DeliveryOptions{MaxAlerts: 1}, discard())
	if err := d.Flush(t.Context()); !fault.Is(err, fault.Unavailable) || len(lapi.pushes) != 2 || spool.Len() != 2 {
		t.Fatalf("error %v after %d pushes, %d wait", err, len(lapi.pushes), spool.Len())
	}
	if err := d.Flush(t.Context()); err != nil || !slices.Equal(lapi.messages(), []string{"1", "2", "3"}) {
		t.Fatalf("error %v, delivered %v", err, lapi.messages())
	}
}

// The law: whatever happens to the process and to the Local API, what was accepted is stored once for each
// UUID, in order, when things have calmed down. A crash is a copy of the folder, with or without a torn
// write at its end, in which a new process begins.
func TestAcceptedIsDeliveredOnceInOrder(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	folders := 0
	freshDir := func() string {
		folders++
		return filepath.Join(base, fmt.Sprint(folders))
	}
	rapid.Check(t, func(t *rapid.T) {
		options := Options{SegmentBytes: 600, MaxAlerts: 30}
		dir := freshDir()
		spool, err := Open(dir, options, discard())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = spool.Close() }()
		mood := fault.Internal
		down, forgetful := false, false
		lapi := &api{
			answer: func(int, []wire.Alert) error {
				if down {
					return fault.Errorf(mood, "down")
				}
				return nil
			},
			lost: func(int) bool { return forgetful },
		}
		var accepted []string
		number := 0
		flush := func() {
			// An error is part of the game: what matters is what is stored in the end.
			_ = NewDeliverer(spool, lapi, DeliveryOptions{MaxAlerts: 4}, discard()).Flush(context.Background())
		}
		t.Repeat(map[string]func(*rapid.T){
			"accept": func(t *rapid.T) {
				var messages []string
				for range rapid.IntRange(1, 5).Draw(t, "alerts") {
					messages = append(messages, fmt.Sprintf("%d %s", number, strings.Repeat("x", number%7*40)))
					number++
				}
				room := options.MaxAlerts - spool.Len()
				err := spool.Accept(context.Background(), alerts(messages...))
				if (err != nil) != (room < len(messages)) {
					t.Fatalf("error %v with room for %d of %d", err, room, len(messages))
				}
				accepted = append(accepted, messages[:min(room, len(messages))]...)
			},
			"deliver":                    func(*rapid.T) { down, forgetful = false, false; flush() },
			"deliver, answer lost":       func(*rapid.T) { down, forgetful = false, true; flush() },
			"deliver to a broken server": func(*rapid.T) { down, mood = true, fault.Internal; flush() },
			"deliver to no server":       func(*rapid.T) { down, mood = true, fault.Unavailable; flush() },
			"crash": func(t *rapid.T) {
				torn := rapid.SampledFrom([]string{"", "deadbeef", "deadbeef 7 {}\n", strings.Repeat("\x00", 50)}).Draw(t, "torn write")
				crashed := freshDir()
				copyFolder(t, dir, crashed, torn)
				if err := spool.Close(); err != nil {
					t.Fatal(err)
				}
				dir = crashed
				if spool, err = Open(dir, options, discard()); err != nil {
					t.Fatal(err)
				}
			},
			"": func(t *rapid.T) {
				if stored := lapi.messages(); !slices.Equal(stored, accepted[:len(stored)]) {
					t.Fatalf("stored %v of %v", stored, accepted)
				}
			},
		})
		down, forgetful = false, false
		flush()
		if stored := lapi.messages(); !slices.Equal(stored, accepted) || spool.Len() != 0 {
			t.Fatalf("stored %v of %v, %d wait", stored, accepted, spool.Len())
		}
	})
}

func TestConcurrentAcceptance(t *testing.T) {
	t.Parallel()
	spool := openSpool(t, t.TempDir(), Options{SegmentBytes: 2000})
	lapi := &api{}
	stop := run(t, NewDeliverer(spool, lapi, DeliveryOptions{}, discard()))
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range 25 {
				if err := spool.Accept(context.Background(), alerts(fmt.Sprintf("%d %d", worker, i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	stop()
	if err := NewDeliverer(spool, lapi, DeliveryOptions{}, discard()).Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	next := map[int]int{}
	for _, message := range lapi.messages() {
		var worker, i int
		if _, err := fmt.Sscan(message, &worker, &i); err != nil || next[worker] != i {
			t.Fatalf("message %q out of order", message)
		}
		next[worker]++
	}
	if len(lapi.messages()) != 100 {
		t.Fatalf("%d stored", len(lapi.messages()))
	}
}

func FuzzOpenRecord(f *testing.F) {
	good := encodeRecord(nil, 7, []byte(`{"message":"x","source":{"scope":"Ip"}}`))
	f.Add(good[:len(good)-1])
	f.Add([]byte("00000000 1 {}"))
	f.Add([]byte("zzzzzzzz"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, text []byte) {
		number, alert, err := openRecord(text)
		if err != nil {
			if !errors.Is(err, errDamaged) {
				t.Fatalf("error %v is not about damage", err)
			}
			return
		}
		again := encodeRecord(nil, number, alert)
		if n, a, err := openRecord(again[:len(again)-1]); err != nil || n != number || !bytes.Equal(a, alert) {
			t.Fatalf("%d %s, %v after a round trip", n, a, err)
		}
	})
}

// FuzzOpen checks that a folder in any state opens and works.
func FuzzOpen(f *testing.F) {
	good := encodeRecord(encodeRecord(nil, 3, []byte(`{"message":"x"}`)), 4, []byte(`{"message":"y"}`))
	f.Add(good, []byte("3\n"))
	f.Add(good[:len(good)-3], []byte("18446744073709551615"))
	f.Add([]byte("\n\n\x00"), []byte(""))
	f.Fuzz(func(t *testing.T, content, place []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "0000000000000003.log"), content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, deliveredName), place, 0o600); err != nil {
			t.Fatal(err)
		}
		spool := openSpool(t, dir, Options{})
		accept(t, spool, "the last")
		lapi := &api{}
		if err := NewDeliverer(spool, lapi, DeliveryOptions{}, discard()).Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := lapi.messages(); len(got) == 0 || got[len(got)-1] != "the last" {
			t.Fatalf("delivered %q", got)
		}
		if err := spool.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkAccept(b *testing.B) {
	spool := openSpool(b, b.TempDir(), Options{MaxAlerts: 1 << 30, MaxBytes: 1 << 40})
	for b.Loop() {
		accept(b, spool, "one")
	}
}

type senderFunc func(ctx context.Context, alerts [][]byte) ([]string, error)

func (f senderFunc) PushEncoded(ctx context.Context, alerts [][]byte) ([]string, error) {
	return f(ctx, alerts)
}

// run starts a deliverer; the result stops it.
func run(t *testing.T, d *Deliverer) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func segmentFiles(tb testing.TB, dir string) []string {
	tb.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*"+segmentSuffix))
	if err != nil {
		tb.Fatal(err)
	}
	return paths
}

func shelvedFiles(tb testing.TB, dir string) []string {
	tb.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "rejected", "*"))
	if err != nil {
		tb.Fatal(err)
	}
	return paths
}

func copyFolder(t *rapid.T, from, to, torn string) {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	segments, err := filepath.Glob(filepath.Join(to, "*"+segmentSuffix))
	if err != nil {
		t.Fatal(err)
	}
	if len(segments) == 0 || torn == "" {
		return
	}
	last, err := os.OpenFile(segments[len(segments)-1], os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = last.WriteString(torn)
	if err := errors.Join(err, last.Close()); err != nil {
		t.Fatal(err)
	}
}
