package ledger

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Rules are what an audit holds a proxy to.
type Rules struct {
	// Bound is how long a request may take.
	Bound time.Duration
	// Attempts is how often a request may be executed that may be repeated.
	Attempts int
	// NonIdempotent tells that POST may be repeated, and must not fail then.
	NonIdempotent bool
	// Buffer is how much content a request may carry that an endpoint refuses, and
	// be sent again.
	Buffer int
	// Gentle tells that nothing was done that may cost a request its answer. Only
	// one with more content than Buffer may fail, if no endpoint has executed it.
	Gentle bool
	// Harmed reports whether harm was done to an endpoint, by name, between two
	// moments or shortly before. One that was left alone is no excuse.
	Harmed func(endpoint string, from, to time.Time) bool
}

// A Violation is a request that was not treated as the rules have it.
type Violation struct{ ID, What string }

// unseen are the errors after which no endpoint can have seen the request: it
// could have gone to the one that was left alone, whatever its method.
var unseen = []string{
	"connect_failed", "connect_timeout", "tls_failed", "no_endpoint",
	"queue_full", "queue_timeout", "out_of_resources", "too_many_connections",
}

// untaken begins what is told of a request that an endpoint has refused by
// REFUSED_STREAM or GOAWAY. It could have gone elsewhere, too, unless it carried more
// than can be sent again.
const untaken = "the endpoint takes no more requests"

// Audit holds what clients report against what endpoints have in their ledgers,
// and returns what breaks the rules. At least one endpoint was well all the time.
func Audit(rules Rules, reports []Report, entries []Entry) []Violation {
	a := audit{rules: rules, begun: map[string][]string{}, reported: make(map[string]bool, len(reports))}
	for _, e := range entries {
		if e.Event == Begun {
			a.begun[e.ID] = append(a.begun[e.ID], e.Endpoint)
		}
	}
	for i := range reports {
		a.judge(&reports[i])
	}
	for _, e := range entries {
		if !a.reported[e.ID] {
			a.reported[e.ID] = true
			a.object(e.ID, "endpoint %s has executed what no client asked for", e.Endpoint)
		}
	}
	return a.violations
}

type audit struct {
	rules      Rules
	begun      map[string][]string // which endpoints executed each request
	reported   map[string]bool
	violations []Violation
}

func (a *audit) object(id, format string, args ...any) {
	a.violations = append(a.violations, Violation{ID: id, What: fmt.Sprintf(format, args...)})
}

func (a *audit) judge(r *Report) {
	if a.reported[r.ID] {
		a.object(r.ID, "two requests have this id: the test itself is wrong")
	}
	a.reported[r.ID] = true
	a.judgeEnd(r)
	a.judgeExecution(r)
	if a.rules.Gentle && r.Outcome != Answered && (r.Sent <= a.rules.Buffer || len(a.begun[r.ID]) > 0) {
		a.object(r.ID, "the %s was %s (%s %s) although endpoints have only taken their leave", r.Method, r.Outcome, r.Code, r.Detail)
		return
	}
	switch r.Outcome {
	case Refused, Lost:
		a.judgeFailure(r)
		a.judgeExcuse(r)
	case Cut:
		a.judgeExcuse(r)
	}
}

// judgeEnd holds that a request has one end, in time, that is its own.
func (a *audit) judgeEnd(r *Report) {
	switch {
	case r.Outcome == Pending:
		a.object(r.ID, "the request has neither got an answer nor lost its connection")
	case r.Outcome == Hung:
		a.object(r.ID, "the request hung: nothing came within %v", r.Took)
	case r.Took > a.rules.Bound:
		a.object(r.ID, "the request took %v, its bound is %v", r.Took, a.rules.Bound)
	case r.Outcome == Foreign:
		a.object(r.ID, "the answer does not belong to the request: %s", r.Detail)
	}
	if r.Extra != "" {
		a.object(r.ID, "something came after the answer: %.60q", r.Extra)
	}
}

// judgeExecution holds that a request was executed as often as it may be.
func (a *audit) judgeExecution(r *Report) {
	times, most := len(a.begun[r.ID]), 1
	if a.repeatable(r) {
		most = a.rules.Attempts
	}
	switch {
	case times > most:
		a.object(r.ID, "the %s was executed %d times, at most %d are allowed", r.Method, times, most)
	case times == 0 && r.Outcome == Answered:
		a.object(r.ID, "the %s was answered, but no endpoint has executed it", r.Method)
	}
}

// judgeFailure holds that only those failed that could not be tried again.
func (a *audit) judgeFailure(r *Report) {
	switch {
	case a.repeatable(r):
		a.object(r.ID, "the %s was %s (%s %s) although an endpoint was well", r.Method, r.Outcome, r.Code, r.Detail)
	case slices.Contains(unseen, r.Code), strings.HasPrefix(r.Detail, untaken) && r.Sent <= a.rules.Buffer:
		a.object(r.ID, "the %s was refused with %s although no endpoint had seen it and one was well", r.Method, r.Code)
	}
}

// judgeExcuse holds that a request failed because of what was done to an endpoint
// that executed it. Of one that nobody executed this cannot be said.
func (a *audit) judgeExcuse(r *Report) {
	by := a.begun[r.ID]
	harmed := func(endpoint string) bool { return a.rules.Harmed(endpoint, r.Began, r.Began.Add(r.Took)) }
	if len(by) > 0 && !slices.ContainsFunc(by, harmed) {
		a.object(r.ID, "the %s was %s (%s) although %v, which executed it, was left alone", r.Method, r.Outcome, r.Code, by)
	}
}

func (a *audit) repeatable(r *Report) bool { return r.Method != "POST" || a.rules.NonIdempotent }
