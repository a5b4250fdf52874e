#!/usr/bin/env bash
# Fuzzes every decoder of outside bytes, SECONDS each by the clock, and writes down what was done: a line per run of a
# target in test/fuzz/record.tsv (day, target, seconds, executions, inputs in its corpus, result, seconds of processor).
# The corpus that the toolchain gathers in its cache is kept in test/fuzz/corpus.tar.gz, from where the next run takes it up.
#   test/fuzz.sh [SECONDS [FILTER]]   as many targets side by side as there are cores, or JOBS of them
#   test/fuzz.sh --summary            what is on record, per target
#   test/fuzz.sh --check              that every target has had half a minute, and stands in docs/fuzzing.md
set -euo pipefail
cd "$(dirname "$0")/.."
record=test/fuzz/record.tsv
archive=test/fuzz/corpus.tar.gz

targets() { # "package target", in the order of the tree
	grep -rHoE '^func Fuzz[A-Za-z0-9]+' --include='*_test.go' internal | sort |
		sed -E 's|/[^/]*_test.go:func | |'
}

# A line per target: what all runs together were, how large the corpus was at last, and the finds, which are the inputs
# that once failed and are kept beside the test. Runs of before 2026-11-22, 12:45, noted no time of the processor.
summary() {
	targets | while read -r package target; do
		printf '%s.%s\t%s\n' "$package" "$target" "$(find "$package/testdata/fuzz/$target" -type f 2>/dev/null | wc -l)"
	done | awk -F'\t' '
		FILENAME != "-" { seconds[$2] += $3; runs[$2] += $4; inputs[$2] = $5; failed[$2] += $6 == "failed"; cpu[$2] += $7; next }
		FNR == 1 { printf "%-60s %8s %9s %13s %7s %6s %6s\n", "target", "seconds", "processor", "executions", "corpus", "failed", "finds"; least = seconds[$1] + 0 }
		{ printf "%-60s %8d %9d %13d %7d %6d %6d\n", $1, seconds[$1], cpu[$1], runs[$1], inputs[$1], failed[$1], $2 }
		{ time += seconds[$1]; used += cpu[$1]; all += runs[$1]; corpus += inputs[$1]; bad += failed[$1]; finds += $2 }
		seconds[$1] < least { least = seconds[$1] + 0 }
		END { printf "%-60s %8d %9d %13d %7d %6d %6d\n%d targets, none with less than %d seconds\n", "all", time, used, all, corpus, bad, finds, FNR, least }
	' "$record" -
}

# Fails for a target that nobody has run yet, or that the page about fuzzing does not know.
check() {
	local missing=0
	while read -r package target; do
		if ! awk -F'\t' -v name="$package.$target" '$2 == name { time += $3 } END { exit time < 30 }' "$record"; then
			echo "$package.$target has had less than 30 s of fuzzing: run test/fuzz.sh 60 '$package $target\$'"
			missing=1
		fi
		if ! grep -q "[\`/]${package##*/}\`.*\`$target\`" docs/fuzzing.md; then
			echo "$package.$target is not in the table of docs/fuzzing.md"
			missing=1
		fi
	done < <(targets)
	return "$missing"
}

# The last line of progress: "fuzz: elapsed: 1m0s, execs: 1234 (56/sec), new interesting: 7 (total: 89)".
figure() { grep -oE "$1: [0-9]+" "$2" | tail -1 | grep -oE '[0-9]+' || echo 0; }

# Fuzzes one target and puts it on record.
fuzz() {
	local seconds=$1 package=$2 target=$3 result=passed execs cpu
	out=$(mktemp) # not local: the trap needs it
	trap 'rm -f "$out" "$out.time"' EXIT
	TIMEFORMAT='%U %S'
	{ time go test "./$package" -run '^$' -fuzz "^$target\$" -fuzztime "${seconds}s" -fuzzminimizetime 1s -parallel 1 >"$out" 2>&1; } \
		2>"$out.time" || result=failed
	# The toolchain may say so when the time is over, and nothing else was found.
	if grep -q '^    context deadline exceeded' "$out" && ! grep -q 'Failing input written' "$out"; then result=passed; fi
	execs=$(figure execs "$out")
	if [[ $result == passed && $execs == 0 ]]; then # a machine too busy to run a single input: that is no fuzzing
		echo "nothing was executed of $package.$target: not put on record"
		return
	fi
	cpu=$(awk '{ printf "%.0f", $1 + $2 }' "$out.time")
	printf '%s\t%s.%s\t%s\t%s\t%s\t%s\t%s\n' "$(date -u +%F)" "$package" "$target" "$seconds" \
		"$execs" "$(figure total "$out")" "$result" "$cpu" | tee -a "$record"
	if [[ $result == failed ]]; then
		cat "$out"
		return 1
	fi
}

mkdir -p "$(dirname "$record")"
touch "$record"
case ${1:-} in
--summary)
	summary
	exit
	;;
--check)
	check
	exit
	;;
--one)
	fuzz "${@:2}"
	exit
	;;
esac
seconds=${1:-60}
filter=${2:-.}
corpus=$(go env GOCACHE)/fuzz/$(go list -m)
# The folders that targets make and throw away by the thousand are in memory where there is such a place.
if [[ -z ${TMPDIR:-} && -w /dev/shm ]]; then export TMPDIR=/dev/shm; fi

mkdir -p "$corpus"
if [[ -f $archive ]]; then tar -C "$corpus" --skip-old-files -xzf "$archive"; fi
failed=0
targets | grep -E "$filter" | xargs -P "${JOBS:-$(nproc)}" -L 1 test/fuzz.sh --one "$seconds" || failed=1
summary
tar -C "$corpus" --sort=name --owner=0 --group=0 --mtime=@0 -czf "$archive" .
exit "$failed"
