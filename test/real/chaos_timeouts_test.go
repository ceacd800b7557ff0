//go:build real

package real

import (
	"fmt"
	"time"
)

// Timeouts are those of a service, and how long a request may wait for a place.
type timeouts struct{ connect, response, read, write, request, queue time.Duration }

// String is the value of the key timeouts.
func (t timeouts) String() string {
	return fmt.Sprintf("{ connect: %v, response: %v, read: %v, write: %v, request: %v }",
		t.connect, t.response, t.read, t.write, t.request)
}

// sweep is how much later than written a limit may be kept.
const sweep = 100 * time.Millisecond

// forTheMachine is what a busy machine may add to a bound.
const forTheMachine = 5 * time.Second

// bound is how long a request may take that goes to one of n endpoints: the time
// for the head of the answer, as the how-to of timeouts has it, and that for its
// content, which stands still for less than read; both within request.
func (t timeouts) bound(n, attempts int) time.Duration {
	tries, dials := time.Duration(attempts), time.Duration(n)
	head := t.queue + dials*(t.connect+sweep) + tries*(t.write+t.response+sweep)
	return min(head+t.read+sweep, t.request+sweep)
}
