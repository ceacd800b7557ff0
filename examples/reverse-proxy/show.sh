#!/bin/sh
# Shows the example that run.sh has started.
set -eu
. "$(dirname "$0")/../show.sh"

weir=http://127.0.0.1:65535

show "A GET with JSON: look for forwarded in data and in headers, and for Via" \
	curl -sS -i -X GET -H 'Content-Type: application/json' -d '{"snot": "badger"}' "$weir/anything?x=1"
for upstream in 1 2 3; do
	show "In turn: Host tells which one, and one of them gets X-Upstream" curl -sS "$weir/headers"
done
show "A GET without content" curl -sS "$weir/get"
show "What is no JSON object stays as it is" curl -sS -H 'Content-Type: text/plain' -d 'snot' "$weir/anything"
show "An error of a server is passed on" curl -sS -i "$weir/status/418"
show "An error of Weir's own is JSON" curl -sS -i "$weir/a/../b" --path-as-is
