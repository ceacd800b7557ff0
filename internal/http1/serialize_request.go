package http1

import (
	"strconv"

	"github.com/weirproxy/weir/internal/exchange"
)

// RequestHead is what a transport adds to a request on its way to an endpoint.
type RequestHead struct {
	// BasePath and BaseQuery are the path and the query of the endpoint's URL,
	// as they go on the wire: the request's path is joined to the first with
	// exactly one slash, its query to the second with "&".
	BasePath, BaseQuery string
	// Host is the value of the Host field. If empty, the request's Authority
	// is, and FallbackHost if that is empty too (from HTTP/1.0).
	Host, FallbackHost string
	// Headers are the endpoint's configured fields. They win: the request's
	// own of the same names are not sent. Host, Content-Length and the
	// hop-by-hop fields cannot be set here; such are not sent.
	Headers []exchange.Field
	// Framing says how the content will be sent.
	Framing Framing
	// Upgrade says to ask the endpoint to switch to the request's Upgrade.
	Upgrade bool
	// DropExpect says not to send Expect.
	DropExpect bool
}

// AppendRequestHead appends the head of req as it goes to an endpoint, always
// HTTP/1.1: fields in the order, case and number they came in, those marked Skip
// left out. Host, Content-Length and Transfer-Encoding take the place of the
// line that was received, and the end when there was none.
//
// Method, target and values are written as they are: whoever changed one has
// checked it ([ValidName], [ValidValue], [ValidHost]).
func AppendRequestHead(dst []byte, req *exchange.Request, h *RequestHead) []byte {
	dst = append(dst, req.MethodName...)
	dst = append(dst, ' ')
	dst = appendTarget(dst, req, h)
	dst = append(dst, " HTTP/1.1\r\n"...)
	w := headWriter{dst: dst, framing: h.Framing, upgrade: h.Upgrade && len(req.Upgrade) > 0}
	for i := range req.Header {
		field := &req.Header[i]
		switch {
		case special.has(field.ID):
			w.special(field, req, h)
		case field.Skip || len(h.Headers) > 0 && named(h.Headers, field.Name):
		default:
			w.field(field)
		}
	}
	return w.finishRequest(req, h)
}

// special are the fields that take more than copying.
var special = framingFields | setOf(exchange.FieldConnection, exchange.FieldUpgrade, exchange.FieldExpect)

// special writes one of those fields of a request, at its place.
func (w *headWriter) special(field *exchange.Field, req *exchange.Request, h *RequestHead) {
	switch field.ID {
	case exchange.FieldHost:
		if !w.wrote.has(exchange.FieldHost) {
			w.host(field.Name, req, h)
		}
	case exchange.FieldExpect:
		if !field.Skip && !h.DropExpect {
			w.field(field)
		}
	case exchange.FieldConnection, exchange.FieldUpgrade:
		w.switching(field)
	default:
		w.framingField(field)
	}
}

func (w *headWriter) finishRequest(req *exchange.Request, h *RequestHead) []byte {
	if !w.wrote.has(exchange.FieldHost) {
		w.host(hostName, req, h)
	}
	for i := range h.Headers {
		if field := &h.Headers[i]; !special.has(field.ID) && !hopByHop.has(field.ID) {
			w.field(field)
		}
	}
	w.finishFraming()
	if w.upgrade {
		w.finishSwitching(req.Upgrade)
	}
	return append(w.dst, '\r', '\n')
}

var hostName = []byte("Host")

func (w *headWriter) host(name []byte, req *exchange.Request, h *RequestHead) {
	w.wrote |= setOf(exchange.FieldHost)
	w.dst = append(w.dst, name...)
	w.dst = append(w.dst, ": "...)
	switch {
	case h.Host != "":
		w.dst = append(w.dst, h.Host...)
	case len(req.Authority) > 0:
		w.dst = append(w.dst, req.Authority...)
	default:
		w.dst = append(w.dst, h.FallbackHost...)
	}
	w.dst = append(w.dst, '\r', '\n')
}

// appendTarget appends the target in origin-form, or asterisk-form (RFC 9112
// §3.2).
func appendTarget(dst []byte, req *exchange.Request, h *RequestHead) []byte {
	if len(req.Path) == 1 && req.Path[0] == '*' {
		return append(dst, '*')
	}
	dst = append(dst, h.BasePath...)
	switch slash := len(req.Path) > 0 && req.Path[0] == '/'; {
	case h.BasePath != "" && h.BasePath[len(h.BasePath)-1] == '/':
		if slash {
			dst = dst[:len(dst)-1]
		}
	case !slash:
		dst = append(dst, '/')
	}
	dst = append(dst, req.Path...)
	if h.BaseQuery == "" {
		if req.HasQuery {
			dst = append(dst, '?')
			dst = append(dst, req.Query...)
		}
		return dst
	}
	dst = append(dst, '?')
	dst = append(dst, h.BaseQuery...)
	if len(req.Query) > 0 {
		dst = append(dst, '&')
		dst = append(dst, req.Query...)
	}
	return dst
}

// named reports whether one of the fields has that name.
func named(fields []exchange.Field, name []byte) bool {
	for i := range fields {
		if len(fields[i].Name) == len(name) && exchange.EqualFold(fields[i].Name, name) {
			return true
		}
	}
	return false
}

// headWriter appends the fields of one head.
type headWriter struct {
	dst     []byte
	framing Framing
	// upgrade says that the message is a switch of protocols.
	upgrade bool
	// lengthAsReceived says that Content-Length is about content that is not
	// sent (HEAD, 304), and passes as it came.
	lengthAsReceived bool
	// wrote has the fields that are written once.
	wrote idSet
}

func (w *headWriter) field(field *exchange.Field) {
	dst := append(w.dst, field.Name...)
	dst = append(dst, ':', ' ')
	dst = append(dst, field.Value...)
	w.dst = append(dst, '\r', '\n')
}

// framingField writes, in place of the Content-Length or Transfer-Encoding that
// was received, what the message is framed by now, if that is the same field.
func (w *headWriter) framingField(field *exchange.Field) {
	if w.wrote.has(field.ID) {
		return
	}
	switch {
	case field.ID == exchange.FieldContentLength && w.lengthAsReceived:
		w.field(field)
	case field.ID == exchange.FieldContentLength && (w.framing.Kind == BodyNone || w.framing.Kind == BodyLength):
		w.length(field.Name)
	case field.ID == exchange.FieldTransferEncoding && w.framing.Kind == BodyChunked:
		w.chunked(field.Name)
	default:
		return
	}
	w.wrote |= 1 << field.ID
}

// finishFraming writes the framing field that found no place.
func (w *headWriter) finishFraming() {
	switch {
	case w.framing.Kind == BodyLength && !w.wrote.has(exchange.FieldContentLength):
		w.length(contentLengthName)
	case w.framing.Kind == BodyChunked && !w.wrote.has(exchange.FieldTransferEncoding):
		w.chunked(transferEncodingName)
	}
}

var (
	contentLengthName    = []byte("Content-Length")
	transferEncodingName = []byte("Transfer-Encoding")
)

func (w *headWriter) length(name []byte) {
	w.dst = append(w.dst, name...)
	w.dst = append(w.dst, ':', ' ')
	w.dst = strconv.AppendInt(w.dst, w.framing.Length, 10)
	w.dst = append(w.dst, '\r', '\n')
}

func (w *headWriter) chunked(name []byte) {
	w.dst = append(w.dst, name...)
	w.dst = append(w.dst, ": chunked\r\n"...)
}

// switching writes Connection and Upgrade, at their places, of a message that
// switches protocols; "a sender of Upgrade MUST also send an "Upgrade"
// connection option" (RFC 9110 §7.8). Of any other they are not passed on.
func (w *headWriter) switching(field *exchange.Field) {
	if !w.upgrade || w.wrote.has(field.ID) {
		return
	}
	w.wrote |= 1 << field.ID
	if field.ID == exchange.FieldUpgrade {
		w.field(field)
		return
	}
	w.dst = append(w.dst, field.Name...)
	w.dst = append(w.dst, ": Upgrade\r\n"...)
}

// finishSwitching writes what of the two found no place.
func (w *headWriter) finishSwitching(protocol []byte) {
	if !w.wrote.has(exchange.FieldConnection) {
		w.dst = append(w.dst, "Connection: Upgrade\r\n"...)
	}
	if !w.wrote.has(exchange.FieldUpgrade) {
		w.dst = append(w.dst, "Upgrade: "...)
		w.dst = append(w.dst, protocol...)
		w.dst = append(w.dst, '\r', '\n')
	}
}
