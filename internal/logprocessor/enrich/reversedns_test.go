package enrich_test

import (
	"context"
	"errors"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"shieldwall/internal/logprocessor/enrich"
	"shieldwall/internal/logprocessor/event"
)

// resolver knows some names; for all other addresses it waits until nobody does any more.
type resolver map[string][]string

func (r resolver) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	if names, ok := r[addr]; ok {
		return names, nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestReverseDNS(t *testing.T) {
	t.Parallel()
	names := resolver{"192.0.2.1": {"a.example.", "b.example."}, "2001:db8::1": {"c.example."}, "192.0.2.2": {}}
	method := enrich.Registry(enrich.Deps{Names: names})["reverse_dns"]
	for text, want := range map[string]map[string]string{
		"192.0.2.1":                       {"reverse_dns": "a.example."},
		"::ffff:192.0.2.1":                {"reverse_dns": "a.example."},
		"2001:db8:0:0::1":                 {"reverse_dns": "c.example."},
		"2001:db8::1%eth0":                {"reverse_dns": "c.example."},
		"192.0.2.2":                       nil,
		"":                                nil,
		"a.example":                       nil,
		"192.0.2.1; DROP TABLE addresses": nil,
	} {
		evt := event.New(event.Line{}, event.Live)
		_ = method(text, evt) // what the resolver says, which other tests look at
		if !maps.Equal(evt.Enriched, want) {
			t.Errorf("%q: got %v, want %v", text, evt.Enriched, want)
		}
	}
}

func TestReverseDNSGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		evt := event.New(event.Line{}, event.Live)
		err := enrich.Registry(enrich.Deps{Names: resolver{}})["reverse_dns"]("192.0.2.1", evt)
		if got, took := evt.Enriched, time.Since(begin); len(got) > 0 || !errors.Is(err, context.DeadlineExceeded) || took != 3*time.Second {
			t.Errorf("got %v, %v after %v", got, err, took)
		}
	})
	evt := event.New(event.Line{}, event.Live)
	if err := enrich.Registry(enrich.Deps{})["reverse_dns"]("192.0.2.1", evt); len(evt.Enriched) > 0 || err != nil {
		t.Errorf("without a resolver: got %v, %v", evt.Enriched, err)
	}
}
