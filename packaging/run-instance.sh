#!/usr/bin/env bash
# Starts a self-contained instance below run/: engine and Local API in the foreground, and as root the firewall component.
# The first start prepares it, later ones reuse it. Nothing outside run/ is written.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD/run
bin=$PWD/bin

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() {
	local port=$1
	until port_is_free "$port"; do ((port++)); done
	echo "$port"
}

write_config() {
	cat <<-EOF
		common: {log_media: stdout, log_level: info}
		config_paths:
		  config_dir: $root/etc
		  data_dir: $root/data
		crowdsec_service:
		  acquisition_path: $root/etc/acquis.yaml
		  acquisition_dir: $root/etc/acquis.d
		db_config:
		  type: sqlite
		  db_path: $root/data/crowdsec.db
		  flush: {max_items: 5000, max_age: 7d}
		api:
		  client:
		    credentials_path: $root/etc/local_api_credentials.yaml
		  server:
		    listen_uri: 127.0.0.1:$(free_port 8080)
		    profiles_path: $root/etc/profiles.yaml
		    trusted_ips: [127.0.0.1, "::1"]
		prometheus: {enabled: true, level: full, listen_addr: 127.0.0.1, listen_port: $(free_port 6060)}
	EOF
}

local_api() { echo "http://$(sed -n 's/.*listen_uri: //p' "$root/config.yaml")/"; }

write_firewall_config() {
	cat <<-EOF
		mode: nftables
		update_frequency: 1s
		log_mode: stdout
		log_level: warning
		api_url: $(local_api)
		api_key: $(cscli -o raw bouncers add firewall)
		retry_initial_connect: true
		nftables_hooks: [input, forward]
		state_dir: $root/data/firewall
	EOF
}

cscli() { "$bin/cscli" -c "$root/config.yaml" --error "$@"; }

# Finds the services of this machine, installs what reads their logs from what comes with the programs, and says where the
# logs are. Services come and go, so this is done at every start.
set_up() {
	local systemd=()
	if [[ ! -d /run/systemd/system ]]; then systemd=(--skip-systemd); fi
	cscli setup detect --yaml "${systemd[@]}" >"$root/etc/setup.yaml"
	cscli setup install-hub "$root/etc/setup.yaml" >/dev/null
	cscli setup install-acquisition "$root/etc/setup.yaml" >/dev/null
}

# An instance is complete when its last file is there: a first start that was interrupted is done again.
prepare() {
	echo "preparing a new instance in $root"
	rm -rf "$root/etc" "$root/data"
	mkdir -p "$root"/{etc/acquis.d,data,logs}
	chmod 700 "$root/etc" "$root/data"
	cp content/config/{profiles,simulation,console}.yaml "$root/etc/"
	write_config >"$root/config.yaml"
	printf 'filenames: [%s]\nlabels: {type: syslog}\n' "$root/logs/*.log" >"$root/etc/acquis.yaml"
	cscli collections install shieldwall/linux >/dev/null # for the sample attack
	cscli machines add --auto --force
	cscli doctor install >/dev/null
	mkdir -p "$root/etc/bouncers" # where cscli doctor looks for the firewall component
	ln -sf "$root/firewall.yaml" "$root/etc/bouncers/crowdsec-firewall-bouncer.yaml"
	(umask 077 && write_firewall_config >"$root/firewall.yaml.new" && mv "$root/firewall.yaml.new" "$root/firewall.yaml")
}

explain() {
	cat <<-EOF

		Watching: $root/logs/*.log
		$(sed -n 's|^ *- \(/.*\)|          \1|p' "$root/etc/setup.yaml")
		Local API: $(local_api)

		Paste this line in a second terminal to log a sample attack from 192.0.2.66:

		  for i in {1..6}; do echo "\$(date '+%b %e %T') demo sshd[4242]: Failed password for invalid user admin from 192.0.2.66 port 4024\$i ssh2"; done >> $root/logs/demo.log

		and this one to see the ban:

		  $bin/cscli -c $root/config.yaml decisions list

		This one proves, with an attacker who does not exist, that all of it works:

		  $bin/cscli -c $root/config.yaml doctor

	EOF
}

if [[ ! -f $root/firewall.yaml ]]; then prepare; fi
set_up
explain

# A component that comes too early waits ten seconds before it tries again.
await_local_api() {
	local port tries
	port=$(local_api)
	port=${port##*:}
	for ((tries = 0; tries < 100; tries++)); do
		if ! port_is_free "${port%/}"; then return; fi
		sleep 0.1
	done
}

children=()
stop() { kill -TERM "${children[@]}" 2>/dev/null || true; }
trap stop INT TERM

"$bin/crowdsec" -c "$root/config.yaml" &
engine=$!
children+=("$engine")
if ((EUID == 0)); then
	await_local_api
	"$bin/crowdsec-firewall-bouncer" -c "$root/firewall.yaml" &
	children+=("$!")
else
	echo "not starting the firewall component: changing the firewall needs root (run it with sudo to see packets dropped)"
fi

status=0
wait "$engine" || status=$?
if ((status > 128)); then # our own signal interrupted the wait
	status=0
	wait "$engine" || status=$?
fi
stop
wait || true
exit "$status"
