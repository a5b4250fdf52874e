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

# The logs of this machine that we can read: "type path".
machine_logs() {
	local path
	for path in /var/log/auth.log /var/log/secure /var/log/syslog /var/log/messages; do
		if [[ -f $path && -r $path ]]; then echo "syslog $path"; fi
	done
	for path in /var/log/nginx/*.log; do
		if [[ -r $path ]]; then echo "nginx $path"; fi
	done
	for path in /var/log/apache2/*.log /var/log/httpd/*_log; do
		if [[ -r $path ]]; then echo "apache2 $path"; fi
	done
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
		api_key: $("$bin/cscli" -c "$root/config.yaml" -o raw bouncers add firewall)
		retry_initial_connect: true
		nftables_hooks: [input, forward]
		state_dir: $root/data/firewall
	EOF
}

# Installs the starter collections from what comes with the programs: no network is asked.
install_content() {
	"$bin/cscli" -c "$root/config.yaml" --error collections install shieldwall/{linux,nginx,apache2} >/dev/null
}

# The logs of the machine come and go, so this is written at every start.
write_acquisition() {
	local type path
	printf 'filenames: [%s]\nlabels: {type: syslog}\n' "$root/logs/*.log"
	while read -r type path; do
		printf -- '---\nfilenames: [%s]\nlabels: {type: %s}\n' "$path" "$type"
	done < <(machine_logs)
}

# An instance is complete when its last file is there: a first start that was interrupted is done again.
prepare() {
	echo "preparing a new instance in $root"
	rm -rf "$root/etc" "$root/data"
	mkdir -p "$root"/{etc,data,logs}
	chmod 700 "$root/etc" "$root/data"
	cp content/config/{profiles,simulation,console}.yaml "$root/etc/"
	write_config >"$root/config.yaml"
	install_content
	"$bin/cscli" -c "$root/config.yaml" --error machines add --auto --force
	"$bin/cscli" -c "$root/config.yaml" --error doctor install >/dev/null
	mkdir -p "$root/etc/bouncers" # where cscli doctor looks for the firewall component
	ln -sf "$root/firewall.yaml" "$root/etc/bouncers/crowdsec-firewall-bouncer.yaml"
	(umask 077 && write_firewall_config >"$root/firewall.yaml.new" && mv "$root/firewall.yaml.new" "$root/firewall.yaml")
}

explain() {
	cat <<-EOF

		Watching: $root/logs/*.log
		$(machine_logs | sed 's/^\([^ ]*\) \(.*\)/          \2 (\1)/')
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
write_acquisition >"$root/etc/acquis.yaml"
explain

children=()
stop() { kill -TERM "${children[@]}" 2>/dev/null || true; }
trap stop INT TERM

"$bin/crowdsec" -c "$root/config.yaml" &
engine=$!
children+=("$engine")
if ((EUID == 0)); then
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
