#!/usr/bin/env bash
# Runs every test of the project with the race detector. As root it first installs the Debian packages that the tests
# need and that are missing; without root it runs all that can run and names what it left out.
set -euo pipefail
cd "$(dirname "$0")/.."

# command → Debian package
needed=(nft:nftables iptables:iptables ipset:ipset ip:iproute2 ping:iputils-ping gcc:gcc mariadbd:mariadb-server initdb:postgresql cfssl:golang-cfssl systemd-analyze:systemd systemd-journal-remote:systemd-journal-remote)

# Debian hides commands that only root or other programs call.
find_hidden() { PATH=$PATH:$(IFS=: && set -- /usr/sbin /sbin /lib/systemd /usr/lib/postgresql/*/bin && echo "$*"); }

find_hidden
missing=()
for pair in "${needed[@]}"; do
	command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
if ((${#missing[@]})); then
	if ((EUID == 0)) && command -v apt-get >/dev/null; then
		echo "installing for the tests: ${missing[*]}"
		apt-get update -qq
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
		find_hidden
	else
		echo "missing, and not root: ${missing[*]}"
	fi
fi

go vet ./...
events=$(mktemp)
trap 'rm -f "$events"' EXIT
status=0
CGO_ENABLED=1 go test -race -shuffle=on -timeout 20m -json ./... >"$events" || status=$?
go run ./test/report <"$events"
exit "$status"
