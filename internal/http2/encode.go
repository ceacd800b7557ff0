package http2

import (
	"strconv"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// Blocks are encoded with the static table alone, without state. Requests of many
// clients share the connection: a table that they shared too would tell one, by
// the length of what is sent, what another has sent (RFC 7541 §7.1). And blocks
// can so be made before it is known in which order they leave.

// noTable, before the first block, tells the peer that there will be no dynamic
// table (RFC 7541 §6.3).
const noTable = 0x20

// Indices into the static table (RFC 7541 appendix A).
const (
	indexAuthority = 1
	indexMethod    = 2
	indexPath      = 4
	indexScheme    = 6
	indexLength    = 28
)

// An encoder appends a block of fields.
type encoder struct{ block []byte }

// integer appends a number whose first byte has bits free for it, beside first
// (RFC 7541 §5.1).
func (e *encoder) integer(first byte, bits uint, n int) {
	most := 1<<bits - 1
	if n < most {
		e.block = append(e.block, first|byte(n))
		return
	}
	e.block = append(e.block, first|byte(most))
	for n -= most; n >= 0x80; n >>= 7 {
		e.block = append(e.block, byte(n)|0x80)
	}
	e.block = append(e.block, byte(n))
}

// name begins a literal that is not indexed, with the name of an entry of the
// static table.
func (e *encoder) name(index int) { e.integer(0, 4, index) }

// newName does so with a name of its own, in lower case.
func (e *encoder) newName(name []byte) {
	e.block = append(e.block, 0)
	e.integer(0, 7, len(name))
	for _, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		e.block = append(e.block, c)
	}
}

func encodeValue[T ~[]byte | ~string](e *encoder, value T) {
	e.integer(0, 7, len(value))
	e.block = append(e.block, value...)
}

func (e *encoder) field(name, value []byte) {
	if i := staticIndex(name); i > 0 {
		e.name(i)
	} else {
		e.newName(name)
	}
	encodeValue(e, value)
}

// staticIndex returns the entry of the static table with a name that requests
// often have, or 0.
func staticIndex(name []byte) int {
	if len(name) >= len(staticNames) {
		return 0
	}
	for _, s := range staticNames[len(name)] {
		if exchange.EqualFold(name, s.name) {
			return s.index
		}
	}
	return 0
}

type staticName struct {
	name  string
	index int
}

// staticNames are those names, by their length.
var staticNames = [...][]staticName{
	5:  {{"range", 50}},
	6:  {{"accept", 19}, {"cookie", 32}, {"expect", 35}},
	7:  {{"referer", 51}},
	10: {{"user-agent", 58}},
	12: {{"content-type", 31}},
	13: {{"authorization", 23}, {"cache-control", 24}, {"if-none-match", 41}},
	14: {{"content-length", indexLength}},
	15: {{"accept-encoding", 16}, {"accept-language", 17}},
	16: {{"content-encoding", 26}},
	17: {{"if-modified-since", 40}},
}

// method appends :method; the static table has the commonest two.
func (e *encoder) method(name []byte) {
	switch string(name) {
	case "GET":
		e.integer(0x80, 7, 2)
	case "POST":
		e.integer(0x80, 7, 3)
	default:
		e.name(indexMethod)
		encodeValue(e, name)
	}
}

// target appends :scheme, :authority and :path (RFC 9113 §8.3.1).
func (e *encoder) target(req *exchange.Request, o *Options, path []byte) {
	switch o.Scheme {
	case "http":
		e.integer(0x80, 7, 6)
	case "https":
		e.integer(0x80, 7, 7)
	default:
		e.name(indexScheme)
		encodeValue(e, o.Scheme)
	}
	switch h := &o.Head; {
	case h.Host != "":
		e.name(indexAuthority)
		encodeValue(e, h.Host)
	case len(req.Authority) > 0:
		e.name(indexAuthority)
		encodeValue(e, req.Authority)
	case h.FallbackHost != "":
		e.name(indexAuthority)
		encodeValue(e, h.FallbackHost)
	}
	e.name(indexPath)
	encodeValue(e, path)
}

// requestShape is what the head of a request depends on beside its fields.
type requestShape struct {
	dropExpect bool
	tunnel     bool // the request is an extended CONNECT
}

// request appends the head of a request. Its fields are sent in the order they
// came in, those marked Skip left out.
func (e *encoder) request(req *exchange.Request, o *Options, path []byte, shape requestShape) {
	if shape.tunnel {
		e.method([]byte("CONNECT"))
		e.newName([]byte(":protocol"))
		encodeValue(e, "websocket")
	} else {
		e.method(req.MethodName)
	}
	e.target(req, o, path)
	lengthDone := false
	for i := range req.Header {
		field := &req.Header[i]
		switch id := field.ID; {
		case id == exchange.FieldContentLength:
			if !lengthDone && !shape.tunnel {
				e.length(req, true)
			}
			lengthDone = true
		case id == exchange.FieldHost || hopByHop(id) || field.Skip:
		case id == exchange.FieldExpect && shape.dropExpect:
		case isNamed(o.Head.Headers, field.Name):
		case shape.tunnel && exchange.EqualFold(field.Name, "Sec-WebSocket-Key"):
		default:
			e.field(field.Name, field.Value)
		}
	}
	e.configured(o.Head.Headers)
	if !lengthDone && !shape.tunnel {
		e.length(req, false)
	}
	if req.Header.Lists(exchange.FieldTE, "trailers") {
		e.field([]byte("te"), []byte("trailers"))
	}
}

// length appends Content-Length, if the content has one. That there is none is
// said if the client said so.
func (e *encoder) length(req *exchange.Request, received bool) {
	n := req.Length
	if req.Body == nil {
		n = 0
		if !received {
			return
		}
	}
	if n < 0 {
		return
	}
	var digits [20]byte
	e.name(indexLength)
	encodeValue(e, strconv.AppendInt(digits[:0], n, 10))
}

// configured appends the endpoint's configured fields.
func (e *encoder) configured(fields []exchange.Field) {
	for i := range fields {
		switch id := http1.FieldIDOf(fields[i].Name); {
		case id == exchange.FieldHost, id == exchange.FieldContentLength, id == exchange.FieldExpect, hopByHop(id):
		default:
			e.field(fields[i].Name, fields[i].Value)
		}
	}
}

// trailer appends trailer fields. None can pose as a configured field.
func (e *encoder) trailer(trailer exchange.Header, configured []exchange.Field) {
	for i := range trailer {
		if field := &trailer[i]; !field.Skip && !hopByHop(field.ID) && !isNamed(configured, field.Name) {
			e.field(field.Name, field.Value)
		}
	}
}

func isNamed(fields []exchange.Field, name []byte) bool {
	for i := range fields {
		if exchange.EqualFold(fields[i].Name, name) {
			return true
		}
	}
	return false
}

// appendPath appends the request's target behind the endpoint's base path and
// query: joined with exactly one slash, and with "&".
func appendPath(dst []byte, req *exchange.Request, h *http1.RequestHead) []byte {
	if string(req.Path) == "*" {
		return append(dst, '*')
	}
	dst = append(dst, h.BasePath...)
	path := req.Path
	if len(path) > 0 && path[0] == '/' {
		path = path[1:]
	}
	if len(dst) == 0 || dst[len(dst)-1] != '/' {
		dst = append(dst, '/')
	}
	dst = append(dst, path...)
	switch {
	case h.BaseQuery != "":
		dst = append(append(dst, '?'), h.BaseQuery...)
		if len(req.Query) > 0 {
			dst = append(append(dst, '&'), req.Query...)
		}
	case req.HasQuery:
		dst = append(append(dst, '?'), req.Query...)
	}
	return dst
}
