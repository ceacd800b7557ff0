package ledger

import (
	"fmt"
	"time"
)

// An Outcome is how a request ended for its client.
type Outcome string

// The outcomes of a request.
const (
	// Pending: it has not ended.
	Pending Outcome = ""
	// Answered: it got its answer, whole and right.
	Answered Outcome = "answered"
	// Refused: the proxy itself answered, with an error.
	Refused Outcome = "refused"
	// Lost: the connection was closed before the head of an answer was there.
	Lost Outcome = "lost"
	// Cut: the head was there, and the connection was closed within the content.
	Cut Outcome = "cut"
	// Hung: neither an answer nor the end of the connection came in time.
	Hung Outcome = "hung"
	// Foreign: an answer came that does not belong to the request.
	Foreign Outcome = "foreign"
)

// A Report is what a client saw of one request.
type Report struct {
	ID, Method string
	// Sent is how much content it carried.
	Sent    int
	Outcome Outcome
	Status  int
	// Code is the error's name if the outcome is Refused.
	Code string
	// Endpoint is who answered, if the outcome is Answered.
	Endpoint string
	// Detail tells more, for people.
	Detail string
	// Extra is what came on the connection after the answer, where nothing may.
	Extra string
	Began time.Time
	Took  time.Duration
}

// String tells all that r has.
func (r Report) String() string {
	text := fmt.Sprintf("%s %s began at %s and was %s after %v", r.Method, r.ID, Clock(r.Began), r.Outcome, r.Took.Round(time.Millisecond))
	if r.Outcome == Pending {
		text = fmt.Sprintf("%s %s began at %s and has not ended", r.Method, r.ID, Clock(r.Began))
	}
	if r.Status != 0 {
		text += fmt.Sprintf(", status %d", r.Status)
	}
	for _, more := range []string{r.Code, r.Detail} {
		if more != "" {
			text += ", " + more
		}
	}
	if r.Extra != "" {
		text += fmt.Sprintf("; after it came %.60q", r.Extra)
	}
	return text
}

// Clock is a time of the day to the microsecond, in UTC as the access log has it.
func Clock(at time.Time) string { return at.UTC().Format("15:04:05.000000") }
