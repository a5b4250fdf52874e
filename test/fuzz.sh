#!/usr/bin/env bash
# Fuzzes every decoder of outside bytes, one after the other, SECONDS each, and writes down what was done: a line per
# target in test/fuzz/record.tsv (day, target, seconds, executions, inputs in its corpus, result). The corpus that the
# toolchain gathers in its cache is kept in test/fuzz/corpus.tar.gz, from where the next run takes it up.
#   test/fuzz.sh [SECONDS [FILTER]]
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
filter=${2:-.}
record=test/fuzz/record.tsv
archive=test/fuzz/corpus.tar.gz
corpus=$(go env GOCACHE)/fuzz/$(go list -m)

targets() { # "package target", in the order of the tree
	grep -rHoE '^func Fuzz[A-Za-z0-9]+' --include='*_test.go' internal | sort |
		sed -E 's|/[^/]*_test.go:func | |'
}

# The last line of progress: "fuzz: elapsed: 1m0s, execs: 1234 (56/sec), new interesting: 7 (total: 89)".
figure() { grep -oE "$1: [0-9]+" "$2" | tail -1 | grep -oE '[0-9]+' || echo 0; }

mkdir -p test/fuzz "$corpus"
if [[ -f $archive ]]; then tar -C "$corpus" --skip-old-files -xzf "$archive"; fi
out=$(mktemp)
trap 'rm -f "$out"' EXIT
failed=0
while read -r package target; do
	result=passed
	go test "./$package" -run '^$' -fuzz "^$target\$" -fuzztime "${seconds}s" -parallel "${JOBS:-2}" >"$out" 2>&1 || result=failed
	printf '%s\t%s.%s\t%s\t%s\t%s\t%s\n' "$(date -u +%F)" "$package" "$target" "$seconds" \
		"$(figure execs "$out")" "$(figure total "$out")" "$result" | tee -a "$record"
	if [[ $result == failed ]]; then
		failed=1
		cat "$out"
	fi
done < <(targets | grep -E "$filter")
tar -C "$corpus" --sort=name --owner=0 --group=0 --mtime=@0 -czf "$archive" .
exit "$failed"
