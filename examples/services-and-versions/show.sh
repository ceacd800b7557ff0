#!/bin/sh
# Shows the example that run.sh has started; "show.sh yaml" what "run.sh yaml" has.
set -eu
. "$(dirname "$0")/../show.sh"

weir=http://127.0.0.1:9090

for request in 1 2 3; do
	show "Request $request: both endpoints in turn, without name and version" curl -sS "$weir/serviceone/v1/x?y=1"
done
show "What is encoded stays so" curl -sS "$weir/serviceone/v1/a%2Fb"
show "No such version" curl -sS -i "$weir/serviceone/v2/x"
show "No such path" curl -sS -i "$weir/serviceone"

if [ "${1:-}" = yaml ]; then
	show "Who serves what" curl -sS http://127.0.0.1:9900/v1/services/serviceone@v1
	exit
fi
show "Who serves what" curl -sS http://127.0.0.1:9099/health
show "One leaves" curl -sS -X DELETE http://127.0.0.1:9099/serviceone/v1/127.0.0.1:9091
for request in 1 2; do
	show "The other serves" curl -sS "$weir/serviceone/v1/x"
done
show "It comes back" curl -sS -X PUT http://127.0.0.1:9099/serviceone/v1/127.0.0.1:9091
