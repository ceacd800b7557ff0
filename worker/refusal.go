package worker

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// A Refusal is the answer of a router that does not take the worker. It is an
// error.
type Refusal struct {
	// Status is that of the answer. 401: the token or the certificate is missing
	// or not known. 403: it may not serve this service. 400: the router makes
	// nothing of the request. 409: somebody else is this instance, or it has too
	// many connections. 503: not now. 0: the router has not said, for RH2 has no
	// answer.
	Status int
	// Code is the member error of the answer's problem document (RFC 9457), Detail
	// what was wrong, as the router put it. Both are empty if something else than a
	// Weir answered.
	Code, Detail string
	// RetryAfter is how long the router asks to be left alone; 0 if it does not
	// say.
	RetryAfter time.Duration
}

// Error says what was refused and why.
func (r *Refusal) Error() string {
	said := []string{"the router refuses this worker"}
	if r.Status > 0 {
		said = append(said, strings.TrimSpace(fmt.Sprintf("%d %s", r.Status, http.StatusText(r.Status))))
	}
	for _, text := range []string{r.Code, r.Detail} {
		if text != "" {
			said = append(said, text)
		}
	}
	return strings.Join(said, ": ")
}

// lasting reports whether nothing will change until somebody changes the
// configuration, the worker's or the router's.
func (r *Refusal) lasting() bool {
	switch r.Status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden:
		return true
	}
	return false
}
