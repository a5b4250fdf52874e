package stream_test

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/localapi/stream"
)

const million = 1_000_000

// blocklist is a log of a million addresses.
type blocklist struct{}

func (blocklist) VisitActive(_ context.Context, _ time.Time, visit func(*domain.Decision)) (int64, error) {
	address := netip.MustParseAddr("10.0.0.0")
	for i := range million {
		visit(&domain.Decision{
			ID: int64(i + 1), Value: address.String(), Type: "ban", Scope: domain.ScopeIP, Origin: "CAPI",
			Scenario: fmt.Sprintf("acme/scenario-%d", i%50), UUID: fmt.Sprintf("6ba7b810-9dad-41d1-80b4-%012d", i),
			Until: at(3600 + i%86400),
		})
		address = address.Next()
	}
	return million, nil
}

func (blocklist) ChangesSince(context.Context, int64, int) ([]store.Change, error) { return nil, nil }

func openMillion(b *testing.B) *stream.Index {
	b.Helper()
	index, err := stream.Open(b.Context(), blocklist{}, stream.Options{Now: func() time.Time { return at(0) }})
	if err != nil {
		b.Fatal(err)
	}
	return index
}

func BenchmarkOpenMillion(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		index := openMillion(b)
		var usage runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&usage)
		b.ReportMetric(float64(usage.HeapAlloc)/million, "B/decision")
		runtime.KeepAlive(index)
	}
}

func BenchmarkQueryAddressInMillion(b *testing.B) {
	index := openMillion(b)
	filter := stream.Filter{}
	filter.Range, _ = domain.ParseIPRange("10.7.7.7")
	b.ReportAllocs()
	for b.Loop() {
		if len(index.Query(filter, at(0))) != 1 {
			b.Fatal("not found")
		}
	}
}

func BenchmarkIdleDeltaOfMillion(b *testing.B) {
	index := openMillion(b)
	b.ReportAllocs()
	for b.Loop() {
		if answer := index.Delta(million, at(0), stream.Filter{}, at(0)); len(answer.New) != 0 {
			b.Fatal("not idle")
		}
	}
}

func BenchmarkStartupOfMillion(b *testing.B) {
	index := openMillion(b)
	filter := stream.Filter{Scopes: []domain.Scope{domain.ScopeIP, domain.ScopeRange}}
	b.ReportAllocs()
	for b.Loop() {
		if len(index.Startup(filter, at(0)).New) != million {
			b.Fatal("incomplete")
		}
	}
}
