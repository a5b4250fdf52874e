package main

import (
	"runtime"
	"runtime/metrics"
	"testing"
	"time"
)

// After the first collection memory is collected as the environment wants it.
func TestCollectingLateIsForTheStartOnly(t *testing.T) {
	usual := percentOfGarbage()
	collectLate()
	if late := percentOfGarbage(); late <= usual {
		t.Fatalf("%d %%, as usual is %d %%", late, usual)
	}
	deadline := time.Now().Add(30 * time.Second)
	for percentOfGarbage() != usual {
		if time.Now().After(deadline) {
			t.Fatalf("still %d %%", percentOfGarbage())
		}
		runtime.GC()
	}
}

func percentOfGarbage() uint64 {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
