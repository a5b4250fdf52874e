#!/bin/sh
# Fetches the index of the hub, upgrades what is installed from it, and lets the engine know if anything changed:
# crowdsec-hubupdate.service calls it once a day. Where cscli was removed there is nothing to do.
set -e
cscli=/usr/bin/cscli
[ -x "$cscli" ] || exit 0
"$cscli" --error hub update >/dev/null
changes=$("$cscli" --error hub upgrade)
[ -z "$changes" ] || systemctl reload crowdsec.service
