#!/bin/sh
# Starts the example: three servers, and Weir in front of them. Ctrl-C ends all of it.
# WEIR=PATH takes that Weir rather than one that is built first.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
[ -n "${WEIR:-}" ] || make -s -C "$root" build
servers=$root/.cache/bin/first-usable-servers
(cd "$here" && go build -o "$servers" ./servers)

pids=
trap 'kill $pids 2>/dev/null || :; wait' EXIT
trap 'exit 0' INT TERM
"$servers" &
pids=$!
"${WEIR:-$root/bin/weir}" run -c "$here/weir.yaml" &
pids="$pids $!"
wait $!
