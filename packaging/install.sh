#!/usr/bin/env bash
# Puts the programs, their units and a configuration where the published packages put theirs: `make install` calls it.
# Nothing that an administrator may have changed is replaced. Without DESTDIR, which is for those who build packages, this
# machine is registered at its Local API, as the firewall component is, the first time.
#
#   DESTDIR   what to install below; default: this machine
#   PREFIX    /usr by default
#   UNITDIR   of the units: $PREFIX/lib/systemd/system, and for /usr/local /etc/systemd/system
#   BIN       the built programs; default: bin/
set -euo pipefail
cd "$(dirname "$0")/.."
umask 022

DESTDIR=${DESTDIR-}
PREFIX=${PREFIX:-/usr}
BIN=${BIN:-bin}
if [[ $PREFIX == /usr/local ]]; then UNITDIR=${UNITDIR:-/etc/systemd/system}; fi
UNITDIR=${UNITDIR:-$PREFIX/lib/systemd/system}
etc=$DESTDIR/etc/crowdsec
data=$DESTDIR/var/lib/crowdsec/data
state=$DESTDIR/var/lib/crowdsec-firewall-bouncer
manual=$DESTDIR$PREFIX/share/doc/shieldwall/manual
firewall=/etc/crowdsec/bouncers/crowdsec-firewall-bouncer.yaml

# The collections of the services whose logs acquis.yaml names.
collections=(linux nginx apache2)

# put MODE FILE TARGET: unless there is one.
put() {
	if [[ ! -e $3 ]]; then install -m "$1" "$2" "$3"; fi
}

# placed FILE MODE TARGET: with the paths of this installation in it.
placed() {
	sed "s|/usr/bin/c|$PREFIX/bin/c|; s|/usr/libexec/|$PREFIX/libexec/|; s|/usr/share/|$PREFIX/share/|" "$1" >"$3"
	chmod "$2" "$3"
}

install_programs() {
	local name
	for name in crowdsec cscli crowdsec-firewall-bouncer; do
		install -D -m 0755 "$BIN/$name" "$DESTDIR$PREFIX/bin/$name"
	done
	install -d "$DESTDIR$PREFIX/sbin"
	ln -sfn ../bin/crowdsec-firewall-bouncer "$DESTDIR$PREFIX/sbin/crowdsec-firewall-bouncer"
	install -d "$DESTDIR$PREFIX/libexec/crowdsec"
	placed packaging/hubupdate.sh 0755 "$DESTDIR$PREFIX/libexec/crowdsec/hubupdate.sh"
}

install_units() {
	local unit
	install -d "$DESTDIR$UNITDIR"
	for unit in packaging/systemd/*; do placed "$unit" 0644 "$DESTDIR$UNITDIR/${unit##*/}"; done
}

install_manual() {
	install -d "$manual"
	install -m 0644 docs/manual/*.md "$manual/"
}

install_config() {
	install -d "$etc"/{acquis.d,bouncers,console,notifications,patterns} "$DESTDIR/var/log"
	install -d -m 0750 "$data"
	install -d -m 0700 "$state"
	put 0600 packaging/config/config.yaml "$etc/config.yaml"
	put 0600 packaging/config/crowdsec-firewall-bouncer.yaml "$DESTDIR$firewall"
	put 0644 content/config/acquis.yaml "$etc/acquis.yaml"
	local name
	for name in profiles simulation console; do put 0644 "content/config/$name.yaml" "$etc/$name.yaml"; done
}

# The items of a collection and of those that it asks for, itself included, as paths below content/items.
items_of() {
	local kind name file
	echo "collections/shieldwall/$1.yaml"
	while read -r kind name; do
		if [[ $kind == collections ]]; then
			items_of "$name"
			continue
		fi
		for file in content/items/"$kind"/{,*/}shieldwall/"$name.yaml"; do
			if [[ -f $file ]]; then echo "${file#content/items/}"; fi
		done
	done < <(awk '/^[a-z]/ { kind = $1; sub(":", "", kind) } /^  - shieldwall\// { sub("shieldwall/", "", $2); print kind, $2 }' \
		"content/items/collections/shieldwall/$1.yaml")
}

# enable PATH: the item at that path of the hub, by a link that holds wherever $DESTDIR ends up.
enable() {
	local folder=${1%/shieldwall/*}
	install -d "$etc/$folder"
	ln -sn "$(sed 's|[^/]*|..|g' <<<"$folder")/hub/$1" "$etc/$folder/${1##*/}"
}

# Only where there is no hub yet: from then on it is for `cscli hub` to change.
install_hub() {
	if [[ -e $etc/hub/.index.json ]]; then return; fi
	local file
	while read -r file; do
		install -D -m 0644 "content/items/$file" "$etc/hub/$file"
	done < <(cd content/items && find . -name .tests -prune -o -type f -printf '%P\n' | sort)
	for file in content/data/*; do put 0644 "$file" "$data/${file##*/}"; done
	while read -r file; do enable "$file"; done < <(for file in "${collections[@]}"; do items_of "$file"; done | sort -u)
}

# The Local API of this machine must know its log processor and its firewall component.
register() {
	local cscli=$PREFIX/bin/cscli name key
	if [[ ! -s $etc/local_api_credentials.yaml ]]; then
		(umask 077 && "$cscli" machines add -a --force --error)
	fi
	if "$PREFIX/bin/crowdsec-firewall-bouncer" -c "$firewall" -T | grep -q '^api_key: \${API_KEY}$'; then
		name=cs-firewall-bouncer-$(date +%s)
		key=$("$cscli" -oraw bouncers add "$name")
		sed -i "s|^api_key: .*|api_key: $key|" "$firewall"
		echo "$name" >"${firewall%.yaml}.id"
	fi
}

explain() {
	cat <<-EOF
		Installed. Next:

		  edit /etc/crowdsec/acquis.yaml                        # which logs to read
		  systemctl enable --now crowdsec crowdsec-firewall-bouncer crowdsec-hubupdate.timer
		  cscli decisions list
	EOF
}

if [[ -z $DESTDIR ]] && ((EUID != 0)); then
	echo "installing on this machine needs root: sudo make install, or make install DESTDIR=FOLDER" >&2
	exit 1
fi
install_programs
install_units
install_manual
install_config
install_hub
if [[ -n $DESTDIR ]]; then exit; fi
register
if [[ -d /run/systemd/system ]]; then systemctl daemon-reload; fi
explain
