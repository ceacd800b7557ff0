package shape

import (
	"bytes"
	"errors"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// A rewriteAction changes one part of the request.
type rewriteAction struct {
	expr *Expression
	part *part
}

// A part is one that can be rewritten.
type part struct {
	check func(b []byte) error
	put   func(v *View, b []byte) error
}

func (p *part) want(what string) want {
	return want{what: what, list: "text, a number or a bool", kinds: scalars, check: checkText(p.check)}
}

func (a *rewriteAction) apply(v *View) error {
	var room [256]byte
	b, err := a.expr.AppendText(room[:0], v)
	if err != nil {
		return err
	}
	if err := a.part.check(b); err != nil {
		return &EvalError{Reason: SkippedError, Err: err}
	}
	return a.part.put(v, v.Exchange.Keep(b))
}

var (
	pathPart   = &part{checkPath, putPath}
	queryPart  = &part{checkQuery, putQuery}
	hostPart   = &part{checkHost, putHost}
	methodPart = &part{checkMethod, putMethod}
)

var (
	errPath   = errors.New(`a path begins with "/", has no "?" and nothing that has to be percent-encoded`)
	errDots   = errors.New("a path may have no . or .. segments")
	errQuery  = errors.New("a query has nothing that has to be percent-encoded")
	errHost   = errors.New("this is not a host, with or without a port")
	errMethod = errors.New("this is not a method that a request can be given")
	errHead   = errors.New("a request can neither become HEAD nor cease to be: its answer is delimited by it")
)

func checkPath(b []byte) error {
	if len(b) == 0 || len(b) > maxValue || b[0] != '/' || bytes.IndexByte(b, '?') >= 0 || !fitsTarget(b) {
		return errPath
	}
	for i := 0; i < len(b); i++ {
		if b[i] == '%' && (i+2 >= len(b) || !isHex(b[i+1]) || !isHex(b[i+2])) {
			return errPath
		}
	}
	for segment := range bytes.SplitSeq(b, []byte{'/'}) {
		if isDots(segment) {
			return errDots
		}
	}
	return nil
}

// isDots reports whether a segment is "." or "..", however it is encoded.
func isDots(segment []byte) bool {
	dots := 0
	for len(segment) > 0 {
		switch {
		case segment[0] == '.':
			segment = segment[1:]
		case len(segment) >= 3 && exchange.EqualFold(segment[:3], "%2e"):
			segment = segment[3:]
		default:
			return false
		}
		dots++
	}
	return dots == 1 || dots == 2
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

// fitsTarget reports whether all bytes may stand in a request target.
func fitsTarget(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c >= 0x7f || c == '#' {
			return false
		}
	}
	return true
}

func putPath(v *View, b []byte) error {
	v.Exchange.Request.Path = b
	return nil
}

func checkQuery(b []byte) error {
	if len(b) > maxValue || !fitsTarget(b) {
		return errQuery
	}
	return nil
}

func putQuery(v *View, b []byte) error {
	v.Exchange.Request.Query, v.Exchange.Request.HasQuery = b, len(b) > 0
	return nil
}

func checkHost(b []byte) error {
	if len(b) > maxHost || !http1.ValidHost(b) {
		return errHost
	}
	return nil
}

// maxHost is the longest name there is, and a port.
const maxHost = 253 + len(":65535")

func putHost(v *View, b []byte) error {
	v.Exchange.Request.Authority = b
	return nil
}

func checkMethod(b []byte) error {
	switch m := exchange.ParseMethod(b); {
	case len(b) > 32 || !http1.ValidName(b), m == exchange.MethodConnect, m == exchange.MethodTrace:
		return errMethod
	case m == exchange.MethodHead:
		return errHead
	}
	return nil
}

func putMethod(v *View, b []byte) error {
	req := &v.Exchange.Request
	if req.Method == exchange.MethodHead {
		return &EvalError{Reason: SkippedError, Err: errHead}
	}
	req.MethodName, req.Method = b, exchange.ParseMethod(b)
	return nil
}
