#!/bin/sh
# Starts the example: two servers, and in front of them the program that is made with the
# library; "run.sh yaml" has Weir do the same by weir.yaml. Ctrl-C ends all of it.
# WEIR=PATH takes that Weir rather than one that is built first.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
program=$root/.cache/bin/services-and-versions
(cd "$here" && go build -o "$program" .)
[ "${1:-}" = yaml ] || exec "$program"

[ -n "${WEIR:-}" ] || make -s -C "$root" build
pids=
trap 'kill $pids 2>/dev/null || :; wait' EXIT
trap 'exit 0' INT TERM
"$program" -servers &
pids=$!
"${WEIR:-$root/bin/weir}" run -c "$here/weir.yaml" &
pids="$pids $!"
wait $!
