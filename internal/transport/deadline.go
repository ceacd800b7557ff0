package transport

import (
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// perTry is the detail of a failure to keep within TryDeadline.
const perTry = "no response within retry.per_try"

// headDeadline is when the response's head must be there; 0 is never.
func headDeadline(x *exchange.Exchange) time.Duration {
	if x.TryDeadline > 0 && (x.Deadline == 0 || x.TryDeadline < x.Deadline) {
		return x.TryDeadline
	}
	return x.Deadline
}

// passed reports whether a deadline has passed; 0 never does.
func passed(deadline time.Duration) bool { return deadline > 0 && exchange.Now() >= deadline }

// remaining returns how long a phase may last that is bounded by limit (0 is
// not) and by a deadline (0 is none); false if that has passed.
func remaining(limit, deadline time.Duration) (time.Duration, bool) {
	if deadline == 0 {
		return limit, true
	}
	left := deadline - exchange.Now()
	if left <= 0 {
		return 0, false
	}
	if limit == 0 || left < limit {
		return left, true
	}
	return limit, true
}

// dialTooLate is the failure to connect before the response's head had to be
// there. The request ran out of time, or the endpoint did.
func dialTooLate(x *exchange.Exchange, cause error) *exchange.Failure {
	if headDeadline(x) == x.Deadline {
		return exchange.Fail(exchange.CodeRequestDeadline, "", cause)
	}
	return exchange.Fail(exchange.CodeConnectTimeout, perTry, cause)
}
