package attach

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/weirproxy/weir/internal/exchange"
)

// A Refusal is why a connection does not become a worker's. It is an error.
type Refusal struct {
	// Status is that of the answer, Code the member error of its problem
	// document, Detail what was wrong.
	Status       int
	Code, Detail string
	// RetryAfter, in seconds, goes into the field of that name unless 0.
	RetryAfter int
	// Allow is the value of the Allow field; else empty.
	Allow string
}

// Error says what was refused and why.
func (r *Refusal) Error() string { return r.Code + ": " + r.Detail }

// The codes that only this package answers with.
const (
	CodeBadAttach        = "bad_attach"
	CodeUnauthorized     = "unauthorized"
	CodeServiceForbidden = "service_forbidden"
	CodeInstanceConflict = "instance_conflict"
	CodeDraining         = "draining"
	CodeTooManyWorkers   = "too_many_workers"
)

func badAttach(detail string) *Refusal {
	return &Refusal{Status: http.StatusBadRequest, Code: CodeBadAttach, Detail: detail}
}

func unauthorized(detail string) *Refusal {
	return &Refusal{Status: http.StatusUnauthorized, Code: CodeUnauthorized, Detail: detail}
}

func forbidden(detail string) *Refusal {
	return &Refusal{Status: http.StatusForbidden, Code: CodeServiceForbidden, Detail: detail}
}

// InstanceConflict is the refusal of an instance whose name somebody else has,
// for [Options.Admit].
func InstanceConflict(detail string) *Refusal {
	return &Refusal{Status: http.StatusConflict, Code: CodeInstanceConflict, Detail: detail}
}

// TooManyWorkers is the refusal of a worker for which there is no room, for
// [Options.Admit].
func TooManyWorkers(detail string) *Refusal {
	return &Refusal{Status: http.StatusServiceUnavailable, Code: CodeTooManyWorkers, RetryAfter: 10, Detail: detail}
}

func draining() *Refusal {
	return &Refusal{
		Status: http.StatusServiceUnavailable, Code: CodeDraining, RetryAfter: 1,
		Detail: "the router is shutting down; attach to another one, or to this one when it is back",
	}
}

// malformed makes a refusal of what the parser of heads says.
func malformed(err error) *Refusal {
	var failure *exchange.Failure
	if !errors.As(err, &failure) {
		return badAttach(err.Error())
	}
	r := &Refusal{Status: failure.Code.Status, Code: failure.Code.Name, Detail: failure.Detail}
	if r.Status == http.StatusRequestHeaderFieldsTooLarge || r.Status == http.StatusRequestURITooLong {
		// The parser names the limits of ordinary requests.
		r.Detail = fmt.Sprintf("a request to attach has at most %d KiB and %d fields", limits.HeaderBytes>>10, limits.HeaderCount)
	}
	return r
}

// Fields returns the fields that the answer has beside those of its content,
// each a name and a value.
func (r *Refusal) Fields() [][2]string {
	var fields [][2]string
	if r.Status == http.StatusUnauthorized {
		fields = append(fields, [2]string{"WWW-Authenticate", "Bearer"})
	}
	if r.RetryAfter > 0 {
		fields = append(fields, [2]string{"Retry-After", fmt.Sprint(r.RetryAfter)})
	}
	if r.Allow != "" {
		fields = append(fields, [2]string{"Allow", r.Allow})
	}
	return fields
}

// Problem returns the document that is the content of the answer. event is the
// id that the refusal is logged with.
func (r *Refusal) Problem(event string) exchange.Problem {
	return exchange.Problem{
		Type: "about:blank", Title: http.StatusText(r.Status), Status: r.Status,
		Error: r.Code, Detail: r.Detail, EventID: event,
	}
}

// Append appends the whole answer, as HTTP/1.1; the connection is closed after
// it.
func (r *Refusal) Append(dst []byte, event string) []byte {
	text, err := json.Marshal(r.Problem(event))
	if err != nil {
		text = []byte(`{"type":"about:blank"}`) // strings always marshal
	}
	var more strings.Builder
	for _, f := range r.Fields() {
		more.WriteString(f[0] + ": " + f[1] + "\r\n")
	}
	return fmt.Appendf(dst, "HTTP/1.1 %d %s\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\n%sConnection: close\r\n\r\n%s",
		r.Status, http.StatusText(r.Status), len(text), more.String(), text)
}
