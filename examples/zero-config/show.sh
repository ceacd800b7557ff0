#!/bin/sh
# Shows the example that run.sh has started.
set -eu
. "$(dirname "$0")/../show.sh"

for request in 1 2 3; do
	show "Request $request: the workers take turns" curl -sS -i http://127.0.0.1:8080/
done
show "Who has dialed in" curl -sS http://127.0.0.1:9900/v1/services/default
