#!/usr/bin/env bash
# Runs every fuzz target of the project, one after the other, each for the given
# time (30s) or number of inputs (4000x). Exits with 1 if one of them finds
# something; its input is kept under the package's testdata/fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-30s}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# When the time is up in the middle of an input, go test may call that a failure
# ("context deadline exceeded", and nothing else): it has found nothing then.
found_nothing() {
	grep -q '^ *context deadline exceeded$' "$log" && ! grep -qE 'Failing input|panic:|_test\.go:[0-9]+:' "$log"
}

status=0
while IFS=: read -r file target; do
	package=./$(dirname "$file")
	echo "== $package $target for $time"
	# Minimising an input that is merely interesting may take a minute by default.
	go test -run='^$' -fuzz="^$target\$" -fuzztime="$time" -fuzzminimizetime=20x "$package" 2>&1 | tee "$log" || found_nothing || status=1
done < <(git ls-files '*_test.go' | xargs grep -oHE '^func Fuzz[A-Za-z0-9_]*' | sed 's/func //')
exit $status
