package observe

import (
	"strings"
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
)

func TestTryOutcome_FollowsTheFailure(t *testing.T) {
	want := map[*exchange.Code]string{
		exchange.CodeCancelled:         "cancelled",
		exchange.CodeConnectFailed:     "connect",
		exchange.CodeConnectTimeout:    "connect",
		exchange.CodeTLSFailed:         "connect",
		exchange.CodeEndpointClosed:    "reset",
		exchange.CodeMalformedResponse: "reset",
		exchange.CodeResponseTooLarge:  "reset",
		exchange.CodeResponseTimeout:   "timeout",
		exchange.CodeRequestDeadline:   "timeout",
	}
	for _, code := range exchange.Codes() {
		name := want[code]
		if name == "" {
			name = "other"
		}
		try := exchange.Try{Status: 503, Failure: exchange.Fail(code, "", nil)}
		if got := tryOutcomeNames[tryOutcome(&try)]; got != name {
			t.Errorf("a try that failed with %s counts as %s, want %s", code.Name, got, name)
		}
	}
	if got := tryOutcomeNames[tryOutcome(&exchange.Try{Status: 503})]; got != "unusable" {
		t.Errorf("a response that was not used counts as %s, want unusable", got)
	}
}

func TestAttempts_AnswersAreNotCountedTwice(t *testing.T) {
	o := newCounting(t)
	for range 3 { // b answers when a could not be reached
		outcome(o, exchange.Outcome{Service: "web", Endpoint: "b", Status: 200, Attempts: 2, Tries: []exchange.Try{
			{Endpoint: "a", Failure: exchange.Fail(exchange.CodeConnectFailed, "", nil)},
		}})
	}
	outcome(o, exchange.Outcome{Service: "web", Index: -1, Status: 502, Attempts: 2, Tries: []exchange.Try{
		{Endpoint: "a", Failure: exchange.Fail(exchange.CodeConnectFailed, "", nil)},
		{Endpoint: "b", Failure: exchange.Fail(exchange.CodeEndpointClosed, "", nil)},
	}})
	got := exposition(t, o)
	for _, line := range []string{
		`weir_attempts_total{endpoint="a",outcome="connect",service="web"} 4`,
		`weir_attempts_total{endpoint="b",outcome="answered",service="web"} 3`,
		`weir_attempts_total{endpoint="b",outcome="reset",service="web"} 1`,
		`weir_retries_total{service="web"} 4`,
	} {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("the metrics lack %s", line)
		}
	}
	if n := strings.Count(got, "weir_attempts_total{"); n != 3 {
		t.Errorf("%d series of weir_attempts_total, want 3:\n%s", n, got)
	}
}
