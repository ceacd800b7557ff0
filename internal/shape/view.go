package shape

import (
	"sync"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"

	"github.com/weirproxy/weir/internal/exchange"
)

// Side tells requests from responses.
type Side uint8

// The sides of an exchange.
const (
	RequestSide Side = iota
	ResponseSide
	sides
)

// Endpoint is what expressions see of the endpoint that answered.
type Endpoint struct {
	Name, URL, Version, Zone string
	Labels                   map[string]string
}

// TLS is what expressions see of a connection that is secured. Whether it is
// they read from the exchange.
type TLS struct {
	// Version is "1.2" or "1.3", ServerName what the client asked for.
	Version, ServerName string
	// Subject is that of the client's certificate, if it was verified, and
	// SANs are its alternative names.
	Subject string
	SANs    []string
}

// A View is what one exchange shows to expressions. The exported fields may be
// set at any time before an evaluation that reads them. It belongs to one
// goroutine.
type View struct {
	// Exchange is the exchange, never nil.
	Exchange *exchange.Exchange
	// Captures returns what the route has captured by a name, nil if there is
	// no such name. If nil, nothing was captured.
	Captures func(name string) []byte
	// Service and Version are those that the request goes to, once known.
	Service, Version string
	// Endpoint is who answered, TLS how the client's connection is secured.
	// If nil, all of it reads as empty.
	Endpoint *Endpoint
	TLS      *TLS

	reply    *exchange.Response // once there is one
	compiler *Compiler
	program  *Program // whose lets are in lets
	lets     []ref.Val
	side     Side
	verdict  Verdict
	stopped  bool // an answer was given: no more steps
	failure  error
	now      ref.Val
	cache    [cached]ref.Val
	contents [sides]content
	values   [][]byte

	request, response, client, tls, endpoint, listener                      object
	headers, headerLines, query, queries, cookies, replyHeaders, replyLines mapping
	captures, labels                                                        mapping
}

var _ interpreter.Activation = (*View)(nil)

var views = sync.Pool{New: func() any { return newView() }}

func newView() *View {
	v := new(View)
	for o, r := range map[*object]*record{
		&v.request: requestRecord, &v.response: responseRecord, &v.client: clientRecord,
		&v.tls: tlsRecord, &v.endpoint: endpointRecord, &v.listener: listenerRecord,
	} {
		*o = object{v, r}
	}
	for m, s := range map[*mapping]*source{
		&v.headers: requestHeaders, &v.headerLines: requestLines, &v.query: queryFirst, &v.queries: queryAll,
		&v.cookies: cookies, &v.replyHeaders: responseHeaders, &v.replyLines: responseLines,
		&v.captures: captures, &v.labels: labels,
	} {
		*m = mapping{v, s}
	}
	return v
}

// Borrow returns a View of x. It is given back with Release, when the exchange
// is over.
func Borrow(x *exchange.Exchange) *View {
	v := views.Get().(*View)
	v.Exchange = x
	return v
}

// SetResponse makes resp the response that expressions see; of several tries each
// has its own.
func (v *View) SetResponse(resp *exchange.Response) {
	v.reply, v.contents[ResponseSide] = resp, content{}
}

// Release gives v back. Nothing that an evaluation returned refers to it, except
// values of fields, which live in the exchange.
func (v *View) Release() {
	v.Exchange, v.reply, v.Captures = nil, nil, nil
	v.Service, v.Version, v.Endpoint, v.TLS = "", "", nil, nil
	v.compiler, v.program, v.side = nil, nil, RequestSide
	v.verdict, v.stopped, v.failure, v.now = Verdict{}, false, nil, nil
	clear(v.lets)
	clear(v.cache[:])
	clear(v.values)
	v.lets, v.values = v.lets[:0], v.values[:0]
	v.contents = [sides]content{}
	views.Put(v)
}

// ResolveName implements interpreter.Activation.
func (v *View) ResolveName(name string) (any, bool) {
	switch name {
	case "request":
		return &v.request, true
	case "response":
		return &v.response, v.reply != nil
	case "captures":
		return &v.captures, true
	case "service":
		return v.text(cacheService, v.Service), true
	case "version":
		return v.text(cacheVersion, v.Version), true
	case "endpoint":
		return &v.endpoint, true
	case "listener":
		return &v.listener, true
	case "hostname":
		return v.compiler.hostname, true
	case "now":
		return v.moment(), true
	}
	return v.let(name)
}

// Parent implements interpreter.Activation.
func (v *View) Parent() interpreter.Activation { return nil }

// let returns the value of a name that a let step has defined.
func (v *View) let(name string) (any, bool) {
	if v.program == nil {
		return nil, false
	}
	for i, l := range v.program.lets {
		if l == name && i < len(v.lets) && v.lets[i] != nil {
			return v.lets[i], true
		}
	}
	return nil, false
}

// moment returns the present time, the same to all expressions of an exchange.
func (v *View) moment() ref.Val {
	if v.now == nil {
		v.now = types.Timestamp{Time: v.compiler.now().UTC().Truncate(time.Millisecond)}
	}
	return v.now
}

// begin makes v ready for the steps of p on one side.
func (v *View) begin(p *Program, side Side) {
	if v.program != p {
		v.program = p
		clear(v.lets)
		v.lets = v.lets[:0]
		for range p.lets {
			v.lets = append(v.lets, nil)
		}
	}
	v.compiler, v.side = p.compiler, side
	v.verdict, v.stopped = Verdict{}, false
}

// header returns the header of the side that steps work on.
func (v *View) header() *exchange.Header {
	if v.side == ResponseSide {
		return &v.reply.Header
	}
	return &v.Exchange.Request.Header
}
