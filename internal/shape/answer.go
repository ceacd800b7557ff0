package shape

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// A respondAction answers the request, or replaces the response.
type respondAction struct {
	status, body, contentType *Expression // nil if not given
	headers                   []*fieldAction
}

func (a *respondAction) apply(v *View) error {
	status, err := statusOf(a.status, v, http.StatusOK)
	if err == nil {
		err = checkStatus(status)
	}
	if err != nil {
		return err
	}
	text, contentType, err := a.content(v)
	if err != nil {
		return err
	}
	resp := v.answer(status, text, contentType)
	for _, f := range a.headers {
		if err := f.applyTo(v, &resp.Header); err != nil {
			return err
		}
	}
	v.finish(resp)
	return nil
}

// content returns the content and its type.
func (a *respondAction) content(v *View) (text []byte, contentType string, err error) {
	if a.body != nil {
		if text, contentType, err = v.contentOf(a.body); err != nil {
			return nil, "", err
		}
	}
	if a.contentType == nil {
		return text, contentType, nil
	}
	given, err := a.contentType.AppendText(nil, v)
	if err == nil && !http1.ValidValue(given) {
		err = unusable("the content type has a line break or another control character")
	}
	return text, string(given), err
}

// contentOf makes content of a value: text as it is, a map or a list as JSON.
func (v *View) contentOf(e *Expression) (text []byte, contentType string, err error) {
	val, err := e.eval(v)
	if err != nil {
		return nil, "", err
	}
	contentType = "text/plain; charset=utf-8"
	limit := v.compiler.maxContent
	switch x := val.(type) {
	case types.Bytes:
		text, contentType = append([]byte{}, x...), "application/octet-stream"
	case traits.Mapper, traits.Lister, *mapping, types.Null:
		contentType = "application/json"
		text, err = appendJSON([]byte{}, val, limit)
	default:
		text, err = appendText([]byte{}, val)
	}
	if err == nil && len(text) > limit {
		err = unusable("the content is larger than %d bytes", limit)
	}
	if len(text) == 0 {
		contentType = ""
	}
	return text, contentType, err
}

// statusOf evaluates a status; a number, or text that is one.
func statusOf(e *Expression, v *View, without int) (int, error) {
	if e == nil {
		return without, nil
	}
	val, err := e.eval(v)
	if err != nil {
		return 0, err
	}
	return statusNumber(val)
}

func statusNumber(val ref.Val) (int, error) {
	if text, ok := val.(types.String); ok {
		n, err := strconv.Atoi(string(text))
		if err != nil {
			return 0, unusable("the status %q is not a number", string(text))
		}
		return n, nil
	}
	n, err := intOf(val)
	return int(min(max(n, 0), 1000)), err
}

func checkStatus(status int) error {
	if status < 200 || status > 599 {
		return unusable("the status %d is not from 200 to 599", status)
	}
	return nil
}

func checkRedirectStatus(status int) error {
	switch status {
	case 301, 302, 303, 307, 308:
		return nil
	}
	return unusable("the status %d is not that of a redirect: 301, 302, 303, 307 or 308", status)
}

// answer makes a response. To HEAD, and with a status that forbids it, it has no
// content.
func (v *View) answer(status int, text []byte, contentType string) *exchange.Response {
	resp := &exchange.Response{Status: status, Reason: []byte(http.StatusText(status)), Minor: 1}
	if contentType != "" {
		resp.Header = append(resp.Header, exchange.Field{Name: []byte("Content-Type"), Value: []byte(contentType), ID: exchange.FieldContentType})
	}
	bare := status == http.StatusNoContent || status == http.StatusNotModified
	if !bare {
		resp.Header = append(resp.Header, exchange.Field{
			Name: []byte("Content-Length"), Value: strconv.AppendInt(nil, int64(len(text)), 10), ID: exchange.FieldContentLength,
		})
	}
	date := v.compiler.now().UTC().Format(http.TimeFormat)
	resp.Header = append(resp.Header, exchange.Field{Name: []byte("Date"), Value: []byte(date), ID: exchange.FieldDate})
	if !bare && len(text) > 0 && v.Exchange.Request.Method != exchange.MethodHead {
		resp.Body, resp.Length = &made{content: text}, int64(len(text))
	}
	return resp
}

// finish ends the steps with a response.
func (v *View) finish(resp *exchange.Response) {
	v.stopped = true
	if v.side == RequestSide {
		v.verdict = Verdict{Response: resp}
		return
	}
	*v.reply = *resp
	v.forget(ResponseSide)
}

// A redirectAction answers with a redirect.
type redirectAction struct{ to, status *Expression }

func (a *redirectAction) apply(v *View) error {
	status, err := statusOf(a.status, v, http.StatusFound)
	if err == nil {
		err = checkRedirectStatus(status)
	}
	if err != nil {
		return err
	}
	to, err := a.to.AppendText(nil, v)
	if err == nil {
		err = checkLocation(to)
	}
	if err != nil {
		return err
	}
	resp := v.answer(status, nil, "")
	resp.Header = append(resp.Header, exchange.Field{Name: []byte("Location"), Value: to})
	v.finish(resp)
	return nil
}

func checkLocation(b []byte) error {
	if len(b) == 0 || len(b) > maxValue || !fitsTarget(withoutFragment(b)) {
		return unusable("this is not an address to redirect to: it is empty, or has something that has to be percent-encoded")
	}
	return nil
}

// withoutFragment returns an address with the sign that begins its fragment taken
// for another: in an address, other than in a target, it may be there once.
func withoutFragment(b []byte) []byte {
	return bytes.Replace(b, []byte{'#'}, []byte{'?'}, 1)
}

// A routeAction sends the request to another service.
type routeAction struct{ to *Expression }

var errRoute = errors.New("a route is name or name@version")

func (a *routeAction) apply(v *View) error {
	to, err := a.to.AppendText(nil, v)
	if err != nil {
		return err
	}
	if err := checkRoute(to); err != nil {
		return err
	}
	v.verdict.Service, v.verdict.Version, _ = strings.Cut(string(to), "@")
	return nil
}

func checkRoute(to []byte) error {
	name, version, given := strings.Cut(string(to), "@")
	if name == "" || given && version == "" || strings.Contains(version, "@") || len(to) > maxHost {
		return &EvalError{Reason: SkippedError, Err: errRoute}
	}
	return nil
}

// checkText makes a check of a value out of one of its text.
func checkText(check func([]byte) error) func(ref.Val) error {
	return func(val ref.Val) error {
		b, err := appendText(nil, val)
		if err == nil {
			err = check(b)
		}
		return err
	}
}

// checkStatusOf makes a check of a value out of one of the status.
func checkStatusOf(check func(int) error) func(ref.Val) error {
	return func(val ref.Val) error {
		n, err := statusNumber(val)
		if err == nil {
			err = check(n)
		}
		return err
	}
}
