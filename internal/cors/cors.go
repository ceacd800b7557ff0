package cors

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// Options are a policy as it is written.
type Options struct {
	// Origins may read answers: "https://app.example.com", all names below one
	// as "https://*.example.com", "null", or "*" for all.
	Origins []string
	// Methods that requests may have; if empty, GET, HEAD and POST. Headers are
	// the fields that they may have beside those that every request may have.
	// "*" is all.
	Methods, Headers []string
	// Expose are the fields of answers that pages may read beside those that
	// they always may. "*" is all.
	Expose []string
	// Credentials lets requests carry cookies and the like.
	Credentials bool
	// MaxAge is how long a browser remembers the answer to a preflight; 0 is as
	// long as it likes, five seconds by the standard.
	MaxAge time.Duration
}

const star = "*"

// A Policy says who may read what. It is immutable and safe for concurrent use.
type Policy struct {
	origins     []origin
	anyOrigin   bool
	credentials bool
	expose      []byte // value of the field; empty: none
	// preflight are the fields of the answer to a preflight, but for the origin's.
	preflight []exchange.Field
	// echoMethod and echoHeaders: with credentials "*" is not all, but a name.
	echoMethod, echoHeaders bool
}

// New returns the policy, or what is wrong with it.
func New(o Options) (*Policy, error) {
	p := &Policy{credentials: o.Credentials, anyOrigin: slices.Contains(o.Origins, star)}
	switch {
	case len(o.Origins) == 0:
		return nil, errors.New("there are no origins; list who may read answers, or *")
	case p.anyOrigin && len(o.Origins) > 1:
		return nil, errors.New("origins has * beside others; * is all")
	case p.anyOrigin && o.Credentials:
		return nil, errors.New("with credentials, origins cannot be *: every page could act as its visitor; list the origins")
	case o.Credentials && slices.Contains(o.Expose, star):
		return nil, errors.New("with credentials, browsers take * in expose for a field of that name; list the fields")
	}
	for _, text := range o.Origins {
		if text == star {
			continue
		}
		parsed, err := parseOrigin(text)
		if err != nil {
			return nil, err
		}
		p.origins = append(p.origins, parsed)
	}
	if err := checkNames(o.Methods, o.Headers, o.Expose); err != nil {
		return nil, err
	}
	p.expose = []byte(strings.Join(o.Expose, ", "))
	p.compose(o)
	return p, nil
}

func checkNames(lists ...[]string) error {
	for _, list := range lists {
		for _, name := range list {
			if !isToken(name) {
				return fmt.Errorf("%q is not the name of a method or a field", name)
			}
		}
	}
	return nil
}

// isToken reports whether s is a name of a method or a field (RFC 9110 §5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// compose prepares the answer to a preflight.
func (p *Policy) compose(o Options) {
	methods := o.Methods
	if len(methods) == 0 {
		methods = []string{"GET", "HEAD", "POST"}
	}
	if o.Credentials && slices.Contains(methods, star) {
		p.echoMethod = true
	} else {
		p.add(nameAllowMethods, strings.Join(methods, ", "))
	}
	if o.Credentials && slices.Contains(o.Headers, star) {
		p.echoHeaders = true
	} else if len(o.Headers) > 0 {
		p.add(nameAllowHeaders, strings.Join(o.Headers, ", "))
	}
	if o.MaxAge > 0 {
		p.add(nameMaxAge, strconv.FormatInt(int64(o.MaxAge/time.Second), 10))
	}
}

func (p *Policy) add(name []byte, value string) {
	p.preflight = append(p.preflight, exchange.Field{Name: name, Value: []byte(value)})
}

// Preflight returns the answer if the request is a preflight, else nil.
func (p *Policy) Preflight(x *exchange.Exchange) *exchange.Response {
	req := &x.Request
	if req.Method != exchange.MethodOptions {
		return nil
	}
	method, asks := req.Header.Lookup("Access-Control-Request-Method")
	if _, has := req.Header.Lookup("Origin"); !has || !asks {
		return nil
	}
	date := time.Now().UTC().AppendFormat(nil, http.TimeFormat)
	resp := &exchange.Response{Status: http.StatusNoContent, Reason: []byte("No Content"), Minor: 1}
	resp.Header = append(resp.Header, exchange.Field{Name: []byte("Date"), Value: date, ID: exchange.FieldDate})
	if !p.allow(x, resp) {
		return resp
	}
	resp.Header = append(resp.Header, p.preflight...)
	if p.echoMethod {
		resp.Header = echo(resp.Header, nameAllowMethods, method, nameRequestMethod)
	}
	if p.echoHeaders {
		asked, _ := req.Header.Lookup("Access-Control-Request-Headers")
		resp.Header = echo(resp.Header, nameAllowHeaders, asked, nameRequestHeaders)
	}
	return resp
}

// echo allows what was asked for, and says so.
func echo(h exchange.Header, name, asked, by []byte) exchange.Header {
	if len(asked) > 0 {
		h = append(h, exchange.Field{Name: name, Value: asked})
	}
	return exchange.AddVary(h, by)
}

// OnResponse makes a final response to x, an endpoint's or one of the proxy
// itself, one of this policy. Values that it adds live as long as the request.
func (p *Policy) OnResponse(x *exchange.Exchange, resp *exchange.Response) {
	if resp.Status == http.StatusSwitchingProtocols { // no page reads it
		return
	}
	drop(resp.Header)
	if p.allow(x, resp) && len(p.expose) > 0 {
		resp.Header = append(resp.Header, exchange.Field{Name: nameExpose, Value: p.expose})
	}
}

// allow adds what tells a browser that the origin may read the response; false if
// it may not.
func (p *Policy) allow(x *exchange.Exchange, resp *exchange.Response) bool {
	if p.anyOrigin {
		// "If `Access-Control-Allow-Origin` is set to `*` […] for a particular
		// resource, then configure the server to always send
		// `Access-Control-Allow-Origin` in responses for the resource — even
		// for non-CORS requests" (Fetch, CORS protocol and HTTP caches)
		resp.Header = append(resp.Header, exchange.Field{Name: nameAllowOrigin, Value: valueStar})
		return true
	}
	resp.Header = exchange.AddVary(resp.Header, nameOrigin)
	value, ok := x.Request.Header.Lookup("Origin")
	if !ok || !p.lists(value) {
		return false
	}
	resp.Header = append(resp.Header, exchange.Field{Name: nameAllowOrigin, Value: value})
	if p.credentials && string(value) != null {
		resp.Header = append(resp.Header, exchange.Field{Name: nameAllowCredentials, Value: valueTrue})
	}
	return true
}

func (p *Policy) lists(value []byte) bool {
	for i := range p.origins {
		if p.origins[i].matches(value) {
			return true
		}
	}
	return false
}
