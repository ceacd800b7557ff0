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

// Outside is what a View asks for when an expression does. What is nil knows of
// nothing.
type Outside struct {
	// Capture returns what the route has captured by a name, nil if there is no
	// such name.
	Capture func(name string) []byte
	// Endpoint returns who has answered the present try, nil if nobody has.
	Endpoint func() *Endpoint
}

// A View is what one exchange shows to expressions. It belongs to one goroutine.
type View struct {
	// Exchange is the exchange, never nil between Begin and End.
	Exchange *exchange.Exchange
	// Service and Version are those that the request goes to, once known. They may
	// be set before any evaluation.
	Service, Version string

	outside  Outside
	reply    *exchange.Response // once there is one
	seen     *Endpoint          // who answered, once asked for
	facts    *tlsFacts          // once asked for
	compiler *Compiler
	program  *Program // whose lets are in lets
	lets     []ref.Val
	side     Side
	verdict  Verdict
	stopped  bool // an answer was given: no more steps
	failure  error
	now      ref.Val
	copies   bool // there is something in cache
	cache    [cached]ref.Val
	contents [sides]content
	values   [][]byte
	stack    []byte

	objects struct{ request, response, client, tls, endpoint, listener object }
	maps    struct {
		headers, headerLines, query, queries, cookies, replyHeaders, replyLines mapping
		captures, labels                                                        mapping
	}
}

var _ interpreter.Activation = (*View)(nil)

// NewView returns a View for one exchange after the other.
func NewView(o Outside) *View {
	v := &View{outside: o}
	for o, r := range map[*object]*record{
		&v.objects.request: requestRecord, &v.objects.response: responseRecord, &v.objects.client: clientRecord,
		&v.objects.tls: tlsRecord, &v.objects.endpoint: endpointRecord, &v.objects.listener: listenerRecord,
	} {
		*o = object{v, r}
	}
	for m, s := range map[*mapping]*source{
		&v.maps.headers: requestHeaders, &v.maps.headerLines: requestLines, &v.maps.query: queryFirst,
		&v.maps.queries: queryAll, &v.maps.cookies: cookies, &v.maps.replyHeaders: responseHeaders,
		&v.maps.replyLines: responseLines, &v.maps.captures: captures, &v.maps.labels: labels,
	} {
		*m = mapping{v, s}
	}
	return v
}

// Begin makes v the View of x, until End.
func (v *View) Begin(x *exchange.Exchange) { v.Exchange = x }

// End forgets the exchange. Nothing that an evaluation returned refers to v, except
// values of fields, which live in the exchange.
func (v *View) End() {
	v.SetResponse(nil)
	v.forget(RequestSide)
	v.Exchange, v.facts = nil, nil
	v.Service, v.Version = "", ""
	v.compiler, v.program, v.side = nil, nil, RequestSide
	v.verdict, v.stopped, v.failure, v.now = Verdict{}, false, nil, nil
	if v.copies {
		clear(v.cache[:])
		v.copies = false
	}
	clear(v.lets)
	clear(v.values)
	v.lets, v.values, v.stack = v.lets[:0], v.values[:0], v.stack[:0]
	if cap(v.stack) > maxStack {
		v.stack = nil
	}
}

// maxStack is how much of its stack a View keeps for the next exchange, in bytes.
const maxStack = 2 << 10

var views = sync.Pool{New: func() any { return NewView(Outside{}) }}

// Borrow returns a View of x that knows of no route. It is given back with Release,
// instead of End.
func Borrow(x *exchange.Exchange) *View {
	v := views.Get().(*View)
	v.Begin(x)
	return v
}

// Release ends v and gives it back.
func (v *View) Release() {
	v.End()
	views.Put(v)
}

// SetResponse makes resp the response that expressions see; of several tries each
// has its own.
func (v *View) SetResponse(resp *exchange.Response) {
	v.reply, v.seen = resp, nil
	v.forget(ResponseSide)
}

// forget forgets the content of a side.
func (v *View) forget(side Side) {
	if c := &v.contents[side]; c.asked {
		*c = content{}
	}
}

// ResolveName implements interpreter.Activation.
func (v *View) ResolveName(name string) (any, bool) {
	switch name {
	case "request":
		return &v.objects.request, true
	case "response":
		return &v.objects.response, v.reply != nil
	case "captures":
		return &v.maps.captures, true
	case "service":
		return v.text(cacheService, v.Service), true
	case "version":
		return v.text(cacheVersion, v.Version), true
	case "endpoint":
		return &v.objects.endpoint, true
	case "listener":
		return &v.objects.listener, true
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
