#!/usr/bin/env bash
# Does what the README tells a newcomer to do, in a clone of its own: starts `make run`, pastes the printed line, and
# expects the attack among alerts and decisions within two seconds. Ends everything that it started.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
clone=$work/shieldwall
out=$work/make-run.out
runner=
clean_up() {
	if [[ -n $runner ]] && kill -0 "$runner" 2>/dev/null; then
		kill -TERM -- "-$runner" 2>/dev/null || true
		wait "$runner" 2>/dev/null || true
	fi
	rm -rf "$work"
}
trap clean_up EXIT

fail() {
	echo "FAILED: $*" >&2
	cat "$out" >&2 || true
	exit 1
}

# await SECONDS COMMAND... polls until the command succeeds.
await() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < deadline)) || return 1
		sleep 0.05
	done
}

start() {
	: >"$out" # here, not by the job below, so that nobody reads the last start's words as this one's
	setsid make -C "$clone" run >>"$out" 2>&1 & # leader of a process group of its own
	runner=$!
	await 300 grep -q "crowdsec is ready" "$out" || fail "make run does not get ready"
}

stop() {
	kill -TERM -- "-$runner"
	wait "$runner" 2>/dev/null || true
	runner=
}

git clone -q . "$clone"
start
cscli=("$clone/bin/cscli" -c "$clone/run/config.yaml")
line=$(grep -F 'for i in {1..6}' "$out") || fail "make run prints no line to paste"
before=$(date +%s%N)
bash -c "$line"
await 2 sh -c "$(printf '%q ' "${cscli[@]}") decisions list | grep -q 192.0.2.66" || fail "no decision within two seconds"
elapsed=$((($(date +%s%N) - before) / 1000000))
"${cscli[@]}" alerts list | grep -q 192.0.2.66 || fail "no alert"
echo "measured: $elapsed ms from the pasted line to the ban in cscli decisions list"
"${cscli[@]}" alerts list
"${cscli[@]}" decisions list

stop
start
grep -q "preparing a new instance" "$out" && fail "the second start does not reuse the instance"
"${cscli[@]}" decisions list | grep -q 192.0.2.66 || fail "the ban did not survive a restart"
stop
echo "1 passed, 0 failed"
