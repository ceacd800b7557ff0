#!/bin/sh
# Starts the example: a worker, then the router, then another worker in Go and, if node
# is there, one in Node. Ctrl-C ends all of it.
# WEIR=PATH takes that Weir rather than one that is built first.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
[ -n "${WEIR:-}" ] || make -s -C "$root" build
hello=$root/.cache/bin/zero-config-hello
(cd "$here" && go build -o "$hello" ./hello)

pids=
trap 'kill $pids 2>/dev/null || :; wait' EXIT
trap 'exit 0' INT TERM
"$hello" worker-1 &
pids=$!
"${WEIR:-$root/bin/weir}" run --listen 127.0.0.1:8080 --log-format text &
router=$!
pids="$pids $router"
"$hello" worker-2 &
pids="$pids $!"
if command -v node >/dev/null; then
	node "$root/examples/worker-node/worker.mjs" --to 127.0.0.1:7000 --instance worker-3 &
	pids="$pids $!"
fi
wait "$router"
