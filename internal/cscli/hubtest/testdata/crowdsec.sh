#!/bin/sh
while [ $# -gt 0 ]; do
	case $1 in
	-c) config=$2 ;;
	-dsn) log=${2#file://} ;;
	-dump-data) target=$2 ;;
	esac
	shift
done
if grep -q '^fail' "$log"; then
	echo 'level=fatal msg="told to fail"'
	exit 1
fi
for dumps in "${log%/*}/dumps" "${config%/*}/dumps"; do
	if [ -d "$dumps" ]; then
		cp -r "$dumps" "$target"
		exit
	fi
done
echo 'level=fatal msg="no dumps"'
exit 1
