package observe

import "github.com/weirproxy/weir/internal/exchange"

// The outcomes of tries that did not give the client its answer, as indexes.
const (
	tryUnusable = iota
	tryCancelled
	tryConnect
	tryReset
	tryTimeout
	tryOther
	tryOutcomes int = iota
)

// tryOutcomeNames are the values of the label outcome, by index. There is one
// more, answered: that of a call whose response the client got. It is not
// counted, since such calls are the endpoint's requests.
var tryOutcomeNames = [tryOutcomes]string{"unusable", "cancelled", "connect", "reset", "timeout", "other"}

const tryAnswered = "answered"

// tryOutcome returns the index of what became of a try.
func tryOutcome(t *exchange.Try) int {
	if t.Failure == nil {
		return tryUnusable
	}
	switch t.Failure.Code {
	case exchange.CodeCancelled:
		return tryCancelled
	case exchange.CodeConnectFailed, exchange.CodeConnectTimeout, exchange.CodeTLSFailed:
		return tryConnect
	case exchange.CodeEndpointClosed, exchange.CodeMalformedResponse, exchange.CodeResponseTooLarge:
		return tryReset
	case exchange.CodeResponseTimeout, exchange.CodeRequestDeadline:
		return tryTimeout
	default:
		return tryOther
	}
}
