package scenario_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
	"time"

	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/logprocessor/scenario"
)

// BenchmarkLiveBuckets matches failed logins and pours each into three buckets that never overflow: what a bucket
// weighs when its event is in others too, and what an event costs among so many.
func BenchmarkLiveBuckets(b *testing.B) {
	for _, live := range []int{1000, 1_000_000} {
		for _, foresee := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/foresee=%v", live, foresee), func(b *testing.B) { pourAmong(b, live, foresee) })
		}
	}
}

func pourAmong(b *testing.B, live int, foresee bool) {
	b.Helper()
	bench := newBench()
	filled := with(leaky, "capacity: 1000000", "cache_size: 1", "leakspeed: 1h", "filter: evt.Meta.log_type == 'ssh_failed-auth'", "groupby: evt.Meta.source_ip")
	bench.use(b, filled, filled+"reprocess: true\n", filled+"distinct: evt.Meta.target_user\n")
	matcher, evt := bench.set.NewMatcher(), event.New(event.Line{}, event.Live)
	before, addresses := heapInUse(), 0
	for ; bench.store.Len() < live; addresses++ {
		login(evt, addresses)
		bench.engine.Pour(matcher.Append(nil, evt, bench.now), evt.Line.Origin())
	}
	size := float64(heapInUse()-before) / float64(live)
	random := rand.New(rand.NewPCG(1, 2))
	var pours []scenario.Pour
	begin := cpuTime(b)
	for b.Loop() {
		pours = pours[:0]
		for range 100 {
			login(evt, random.IntN(addresses))
			pours = matcher.Append(pours, evt, bench.now)
		}
		if foresee {
			bench.engine.Foresee(pours)
		}
		bench.now = bench.now.Add(time.Millisecond)
		bench.engine.Pour(pours, evt.Line.Origin())
	}
	b.ReportMetric(float64((cpuTime(b)-begin).Nanoseconds())/float64(b.N)/100, "cpu-ns/event")
	b.ReportMetric(size, "bytes/bucket")
	runtime.KeepAlive(bench)
}

// login makes evt a failed login from an address.
func login(evt *event.Event, from int) {
	evt.Renew(event.Line{Src: "/var/log/auth.log", Module: "file", Time: today}, event.Live)
	evt.Time, evt.MarshaledTime = today, "2026-03-01T12:00:00Z"
	address := netip.AddrFrom4([4]byte{byte(11 + from>>24), byte(from >> 16), byte(from >> 8), byte(from)}).String()
	for key, value := range map[string]string{
		"service": "ssh", "log_type": "ssh_failed-auth", "source_ip": address, "target_user": fmt.Sprint("admin", from%500), "machine": "host-1",
		"datasource_path": "/var/log/auth.log", "datasource_type": "file", "timestamp": "2026-03-01T12:00:00Z",
	} {
		evt.Meta[key] = value
	}
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapInuse
}

// cpuTime is what this process has used of the processors, collecting garbage included: on a machine that others
// use too, it tells more than a clock.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
