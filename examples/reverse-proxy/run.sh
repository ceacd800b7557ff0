#!/bin/sh
# Starts the example: three servers, and Weir in front of them. Ctrl-C ends all of it.
# WEIR=PATH takes that Weir rather than one that is built first.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
"$root/scripts/install-httpbin.sh"
[ -n "${WEIR:-}" ] || make -s -C "$root" build

pids=
trap 'kill $pids 2>/dev/null || :; wait' EXIT
trap 'exit 0' INT TERM
for port in 8081 8082 8083; do
	"$root/.cache/bin/go-httpbin" -host 127.0.0.1 -port "$port" -log-level WARN &
	pids="$pids $!"
done
"${WEIR:-$root/bin/weir}" run -c "$here/weir.yaml" &
pids="$pids $!"
wait $!
