package output

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/wire"
)

// insider is the way into an api without JSON.
type insider struct {
	*api

	mu      sync.Mutex
	absent  bool // nobody is logged in
	calls   []int
	receive func(ctx context.Context, call int, alerts []*wire.Alert) error // nil, or decides before anything is stored
	lost    func(call int) bool                                             // the answer gets lost after storing
}

func (i *insider) Ready() bool { return !i.absent }

func (i *insider) Receive(ctx context.Context, alerts []*wire.Alert) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	call := len(i.calls)
	i.calls = append(i.calls, len(alerts))
	if i.receive != nil {
		if err := i.receive(ctx, call, alerts); err != nil {
			return err
		}
	}
	i.store(alerts)
	if i.lost != nil && i.lost(call) {
		return fault.Errorf(fault.Unavailable, "answer lost")
	}
	return nil
}

func (a *api) store(alerts []*wire.Alert) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.seen == nil {
		a.seen = map[string]int{}
	}
	for _, alert := range alerts {
		if a.seen[alert.UUID]++; a.seen[alert.UUID] == 1 {
			a.stored = append(a.stored, alert.Message)
		}
	}
}

func acceptDirect(tb testing.TB, direct *Direct, messages ...string) {
	tb.Helper()
	if err := direct.Accept(tb.Context(), alerts(messages...)); err != nil {
		tb.Fatal(err)
	}
}

func TestDirectNeedsNoSpool(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	spool := openSpool(t, t.TempDir(), Options{Metrics: registry})
	lapi := &insider{api: &api{}}
	direct := NewDirect(spool, lapi, lapi, discard())
	acceptDirect(t, direct, "1", "2")
	acceptDirect(t, direct)
	var many []string
	for i := range 2*directAlerts + 1 {
		many = append(many, fmt.Sprint("many ", i))
	}
	acceptDirect(t, direct, many...)
	if got := lapi.messages(); !slices.Equal(got, append([]string{"1", "2"}, many...)) || len(lapi.seen) != len(got) {
		t.Errorf("stored %v with %d UUIDs", got, len(lapi.seen))
	}
	if want := []int{2, directAlerts, directAlerts, 1}; !slices.Equal(lapi.calls, want) || len(lapi.pushes) != 0 {
		t.Errorf("handed over %v, want %v; pushed %v", lapi.calls, want, lapi.pushes)
	}
	if files := segmentFiles(t, spool.dir); len(files) != 0 || spool.Len() != 0 {
		t.Errorf("%d wait in %v", spool.Len(), files)
	}
	for _, name := range []string{"cs_alert_spool_accepted_total", "cs_alert_spool_delivered_total"} {
		if got, want := counted(t, registry, name, ""), float64(len(many)+2); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

// counted returns the value of a counter, or of that with the label.
func counted(tb testing.TB, registry *prometheus.Registry, name, label string) float64 {
	tb.Helper()
	families, err := registry.Gather()
	if err != nil {
		tb.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if labels := metric.GetLabel(); family.GetName() == name && (label == "" || labels[0].GetValue() == label) {
				return metric.GetCounter().GetValue()
			}
		}
	}
	return 0
}

// TestWhatDirectCannotDoTheSpoolDoes: whatever goes wrong, each alert is stored once.
func TestWhatDirectCannotDoTheSpoolDoes(t *testing.T) {
	t.Parallel()
	failing := func(err error) func(context.Context, int, []*wire.Alert) error {
		return func(_ context.Context, call int, _ []*wire.Alert) error {
			if call == 1 {
				return err
			}
			return nil
		}
	}
	for name, test := range map[string]struct {
		lapi   *insider
		reason string // of the failure that is counted
	}{
		"database away":     {&insider{receive: failing(fault.Errorf(fault.Unavailable, "locked"))}, "unavailable"},
		"machine refused":   {&insider{receive: failing(fault.Errorf(fault.Unauthorized, "not validated"))}, "unauthorized"},
		"too much":          {&insider{receive: failing(fault.Errorf(fault.TooLarge, "too much"))}, "too large"},
		"panic":             {&insider{receive: failing(errors.New("panic"))}, "internal"},
		"lost answer":       {&insider{lost: func(call int) bool { return call == 1 }}, "unavailable"},
		"nobody logged in":  {&insider{absent: true}, ""},
		"no answer in time": {&insider{receive: hanging}, "unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				registry := prometheus.NewRegistry()
				spool := openSpool(t, t.TempDir(), Options{Metrics: registry})
				test.lapi.api = &api{}
				direct := NewDirect(spool, test.lapi, test.lapi, discard())
				deliverer := NewDeliverer(spool, direct, DeliveryOptions{}, discard())
				acceptDirect(t, direct, "1")
				acceptDirect(t, direct, "2", "3") // the one that fails
				acceptDirect(t, direct, "4")
				if calls := len(test.lapi.calls); calls > 2 {
					t.Errorf("%d calls before anything was delivered", calls)
				}
				if err := deliverer.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				test.lapi.absent = false
				acceptDirect(t, direct, "5")
				got := test.lapi.messages()
				if slices.Sort(got); !slices.Equal(got, []string{"1", "2", "3", "4", "5"}) {
					t.Errorf("stored %v", got)
				}
				if last := test.lapi.calls[len(test.lapi.calls)-1]; spool.Len() != 0 || last != 1 {
					t.Errorf("%d wait, the last call was about %d alerts", spool.Len(), last)
				}
				if test.reason != "" && counted(t, registry, "cs_alert_delivery_failures_total", test.reason) != 1 {
					t.Errorf("no failure was counted as %s", test.reason)
				}
			})
		})
	}
}

func hanging(ctx context.Context, call int, _ []*wire.Alert) error {
	if call != 1 {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

// TestAlertsOfferedAgainAreTheSame: neither way was open, but the first has stored what it did not confirm.
func TestAlertsOfferedAgainAreTheSame(t *testing.T) {
	t.Parallel()
	spool := openSpool(t, t.TempDir(), Options{MaxBytes: 1})
	lapi := &insider{api: &api{}, lost: func(call int) bool { return call == 0 }}
	direct := NewDirect(spool, lapi, lapi, discard())
	offered := alerts("1", "2")
	if err := direct.Accept(t.Context(), offered); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("error %v, want that of the full spool", err)
	}
	if err := direct.Accept(t.Context(), offered); err != nil {
		t.Fatal(err)
	}
	if got := lapi.messages(); !slices.Equal(got, []string{"1", "2"}) || !slices.Equal(lapi.calls, []int{2, 2}) {
		t.Errorf("stored %v in calls %v", got, lapi.calls)
	}
}

// TestDirectAndSpoolAtOnce has a Local API that works now and then, both ways.
func TestDirectAndSpoolAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spool := openSpool(t, t.TempDir(), Options{})
		lapi := &insider{api: &api{answer: func(push int, _ []wire.Alert) error {
			if push%2 == 0 {
				return fault.Errorf(fault.Unavailable, "no")
			}
			return nil
		}}}
		lapi.receive = func(_ context.Context, call int, _ []*wire.Alert) error {
			if call%3 == 2 {
				return fault.Errorf(fault.Unavailable, "no")
			}
			return nil
		}
		lapi.lost = func(call int) bool { return call%5 == 4 }
		direct := NewDirect(spool, lapi, lapi, discard())
		stop := run(t, NewDeliverer(spool, direct, DeliveryOptions{}, discard()))
		var senders sync.WaitGroup
		const each = 50
		for sender := range 4 {
			senders.Go(func() {
				for i := range each {
					acceptDirect(t, direct, fmt.Sprintf("%d-%d", sender, i))
					time.Sleep(100 * time.Millisecond)
				}
			})
		}
		senders.Wait()
		time.Sleep(time.Minute)
		stop()
		if got := lapi.messages(); len(got) != 4*each || spool.Len() != 0 {
			t.Errorf("%d alerts stored, %d wait", len(got), spool.Len())
		}
	})
}
