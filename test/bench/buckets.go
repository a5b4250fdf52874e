package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// million is the part of the benchmark that the target is about, thousand the one that it is compared with.
// Among many buckets the engine looks for those of a batch together, among few it does not.
const (
	million  = "1000000/foresee=true"
	thousand = "1000/foresee=false"
)

// buckets reports what a live bucket weighs and how fast pours find theirs, from a benchmark of the package
// that owns them: it fills stores of several sizes, and measures in CPU time.
func (b *bench) buckets(ctx context.Context) error {
	b.say("filling a million buckets")
	results, err := goBenchmark(ctx, b.runs, "./internal/logprocessor/bucket", "BenchmarkMillionBuckets")
	if err != nil {
		return err
	}
	for _, part := range []string{thousand, million} {
		if results[part] == nil {
			return fmt.Errorf("the benchmark of the buckets has no part %s", part)
		}
	}
	pours := func(live string) figure {
		var rates []float64
		for _, nanoseconds := range results[live]["cpu-ns/op"] {
			rates = append(rates, 1e9/nanoseconds)
		}
		return median("pours/CPU-s", rates)
	}
	few := pours(thousand)
	b.report.add(row{
		Work: "1,000,000 live buckets, each", Ours: median("bytes", results[million]["bytes/bucket"]), Target: &target{Limit: 400, AtMost: true},
	})
	b.report.add(row{
		Work: "pours with 1,000,000 live buckets", Ours: pours(million),
		Rival: "with 1,000", Theirs: &few, Target: &target{Limit: .8, Ratio: true},
	})
	return nil
}

// goBenchmark runs a benchmark of a package so many times. It returns the values by the name of the part of
// the benchmark, and by their unit.
func goBenchmark(ctx context.Context, count int, in, name string) (map[string]map[string][]float64, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^"+name+"$", "-count", strconv.Itoa(count), in) //nolint:gosec // our own list
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return benchmarkResults(out, name), nil
}

// benchmarkResults reads what `go test -bench` prints: a name with the number of processors at its end, how
// often it ran, and pairs of value and unit.
func benchmarkResults(out []byte, name string) map[string]map[string][]float64 {
	results := map[string]map[string][]float64{}
	part := regexp.MustCompile(`^` + name + `/(.+?)(-\d+)?$`)
	for line := range bytes.Lines(out) {
		fields := strings.Fields(string(line))
		if len(fields) < 4 {
			continue
		}
		found := part.FindStringSubmatch(fields[0])
		if found == nil {
			continue
		}
		if results[found[1]] == nil {
			results[found[1]] = map[string][]float64{}
		}
		for i := 2; i+1 < len(fields); i += 2 {
			if value, err := strconv.ParseFloat(fields[i], 64); err == nil {
				results[found[1]][fields[i+1]] = append(results[found[1]][fields[i+1]], value)
			}
		}
	}
	return results
}
