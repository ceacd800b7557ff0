#!/bin/sh
# Shows the example that run.sh has started.
set -eu
. "$(dirname "$0")/../show.sh"

weir=http://127.0.0.1:8080

show "One after the other: the first is enough" curl -sS "$weir/serial/hello"
show "The first is busy, the second answers" curl -sS "$weir/serial/busy"
show "A POST, with its content, as well" curl -sS -d 'an order' "$weir/serial/busy"
show "No answer is usable: the last one, as it is" curl -sS -i "$weir/serial/down"
show "All at once: the fastest" curl -sS "$weir/parallel/hello"
show "All at once: the fastest usable one" curl -sS "$weir/parallel/busy"
show "The fastest two have no such thing" curl -sS "$weir/parallel/missing"
