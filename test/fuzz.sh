#!/usr/bin/env bash
# Fuzzes every decoder of outside bytes, one after the other, SECONDS each, and writes down what was done: a line per
# target in test/fuzz/record.tsv (day, target, seconds, executions, inputs in its corpus, result). The corpus that the
# toolchain gathers in its cache is kept in test/fuzz/corpus.tar.gz, from where the next run takes it up.
#   test/fuzz.sh [SECONDS [FILTER]]
#   test/fuzz.sh --summary            what is on record, per target
set -euo pipefail
cd "$(dirname "$0")/.."
record=test/fuzz/record.tsv
archive=test/fuzz/corpus.tar.gz

targets() { # "package target", in the order of the tree
	grep -rHoE '^func Fuzz[A-Za-z0-9]+' --include='*_test.go' internal | sort |
		sed -E 's|/[^/]*_test.go:func | |'
}

# A line per target: what all runs together were, how large the corpus was at last, and the finds, which are the inputs
# that once failed and are kept beside the test.
summary() {
	targets | while read -r package target; do
		printf '%s.%s\t%s\n' "$package" "$target" "$(find "$package/testdata/fuzz/$target" -type f 2>/dev/null | wc -l)"
	done | awk -F'\t' '
		FILENAME != "-" { seconds[$2] += $3; runs[$2] += $4; inputs[$2] = $5; failed[$2] += $6 == "failed"; next }
		FNR == 1 { printf "%-60s %8s %13s %7s %6s %6s\n", "target", "seconds", "executions", "corpus", "failed", "finds"; least = seconds[$1] + 0 }
		{ printf "%-60s %8d %13d %7d %6d %6d\n", $1, seconds[$1], runs[$1], inputs[$1], failed[$1], $2 }
		{ time += seconds[$1]; all += runs[$1]; corpus += inputs[$1]; bad += failed[$1]; finds += $2 }
		seconds[$1] < least { least = seconds[$1] + 0 }
		END { printf "%-60s %8d %13d %7d %6d %6d\n%d targets, none with less than %d seconds\n", "all", time, all, corpus, bad, finds, FNR, least }
	' "$record" -
}

mkdir -p "$(dirname "$record")"
touch "$record"
if [[ ${1:-} == --summary ]]; then
	summary
	exit
fi
seconds=${1:-60}
filter=${2:-.}
corpus=$(go env GOCACHE)/fuzz/$(go list -m)

# The last line of progress: "fuzz: elapsed: 1m0s, execs: 1234 (56/sec), new interesting: 7 (total: 89)".
figure() { grep -oE "$1: [0-9]+" "$2" | tail -1 | grep -oE '[0-9]+' || echo 0; }

mkdir -p "$corpus"
if [[ -f $archive ]]; then tar -C "$corpus" --skip-old-files -xzf "$archive"; fi
out=$(mktemp)
trap 'rm -f "$out"' EXIT
failed=0
while read -r package target; do
	result=passed
	go test "./$package" -run '^$' -fuzz "^$target\$" -fuzztime "${seconds}s" -fuzzminimizetime 1s -parallel "${JOBS:-2}" >"$out" 2>&1 || result=failed
	# The toolchain may say so when the time is over, and nothing else was found.
	if grep -q '^    context deadline exceeded' "$out" && ! grep -q 'Failing input written' "$out"; then result=passed; fi
	execs=$(figure execs "$out")
	if [[ $result == passed && $execs == 0 ]]; then # a machine too busy to run a single input: that is no fuzzing
		echo "nothing was executed of $package.$target: not put on record"
		continue
	fi
	printf '%s\t%s.%s\t%s\t%s\t%s\t%s\n' "$(date -u +%F)" "$package" "$target" "$seconds" \
		"$execs" "$(figure total "$out")" "$result" | tee -a "$record"
	if [[ $result == failed ]]; then
		failed=1
		cat "$out"
	fi
done < <(targets | grep -E "$filter")
summary
tar -C "$corpus" --sort=name --owner=0 --group=0 --mtime=@0 -czf "$archive" .
exit "$failed"
