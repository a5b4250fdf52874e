#!/usr/bin/env bash
# Takes away what install.sh put there, except what an administrator or the programs may have changed: configuration,
# database, state and logs. `make uninstall` calls it, with the variables of install.sh.
set -euo pipefail

DESTDIR=${DESTDIR-}
PREFIX=${PREFIX:-/usr}
if [[ $PREFIX == /usr/local ]]; then UNITDIR=${UNITDIR:-/etc/systemd/system}; fi
UNITDIR=${UNITDIR:-$PREFIX/lib/systemd/system}

if [[ -z $DESTDIR ]] && ((EUID != 0)); then
	echo "uninstalling from this machine needs root" >&2
	exit 1
fi
if [[ -z $DESTDIR && -d /run/systemd/system ]]; then
	systemctl disable --now crowdsec.service crowdsec-firewall-bouncer.service crowdsec-hubupdate.timer || true # some may not be enabled
fi
rm -f "$DESTDIR$PREFIX"/bin/{crowdsec,cscli,crowdsec-firewall-bouncer} "$DESTDIR$PREFIX/sbin/crowdsec-firewall-bouncer"
rm -f "$DESTDIR$UNITDIR"/{crowdsec,crowdsec-firewall-bouncer,crowdsec-hubupdate}.service "$DESTDIR$UNITDIR/crowdsec-hubupdate.timer"
rm -rf "$DESTDIR$PREFIX/libexec/crowdsec" "$DESTDIR$PREFIX/share/doc/shieldwall"
if [[ -z $DESTDIR && -d /run/systemd/system ]]; then systemctl daemon-reload; fi
echo "left alone: $DESTDIR/etc/crowdsec, $DESTDIR/var/lib/crowdsec, $DESTDIR/var/lib/crowdsec-firewall-bouncer, $DESTDIR/var/log/crowdsec*.log"
