package main

import (
	"strings"
	"testing"
	"time"
)

func TestAPITable(t *testing.T) {
	t.Parallel()
	var (
		r    report
		work apiSeries
	)
	if got := r.markdown(); strings.Contains(got, "Local API") {
		t.Errorf("an empty table was printed: %s", got)
	}
	for _, rate := range []float64{900, 1100, 1000} {
		work.add(rate, apiWork{server: 2 * time.Second, generator: 500 * time.Millisecond}, 1000)
	}
	r.addAPI(work.row("work", "things/s", "thing", &target{Limit: 1000}))
	r.addAPI(apiRow{Work: "memory", Ours: single("MB", 401), Target: &target{Limit: 400, AtMost: true}})
	r.addAPI(apiRow{Work: "news", Ours: single("MB", 1)})
	got := r.markdown()
	for _, want := range []string{
		"| work      | 1000        | 1,000 things/s (900–1,100) | yes | 2,000 µs a thing | 500 µs       |",
		"| memory    | at most 400 | 401 MB                     | no  |                  |              |",
		"| news      |             | 1.00 MB                    |     |                  |              |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\nis missing in\n%s", want, got)
		}
	}
	if strings.Contains(got, "rival") {
		t.Errorf("a table without rows was printed:\n%s", got)
	}
}
