package http1

import (
	"strconv"

	"github.com/weirproxy/weir/internal/exchange"
)

// ResponseHead is what a server adds to a response on its way to a client.
type ResponseHead struct {
	// Method is that of the request. A response to HEAD keeps the
	// Content-Length it came with.
	Method exchange.Method
	// Minor is the client's HTTP/1 minor version.
	Minor uint8
	// Close says that the connection is closed after the response. If it is
	// not, a client of HTTP/1.0 has asked to keep it, and is told so.
	Close bool
	// Upgrade says that a 101 switches protocols: its Upgrade field passes.
	Upgrade bool
}

// AppendResponseHead appends the head of a final response, or of a 101, as it
// goes to a client: fields in the order, case and number they came in, those
// marked Skip left out. Content-Length and Transfer-Encoding take the place of
// the line that was received, and the end when there was none.
//
// f is how the content will be sent; see [Framing.ForClient]. Content until close
// needs o.Close.
func AppendResponseHead(dst []byte, resp *exchange.Response, f Framing, o *ResponseHead) []byte {
	w := headWriter{dst: appendStatusLine(dst, resp), framing: f, upgrade: o.Upgrade && resp.Status == 101}
	bare := resp.Status < 200 || resp.Status == 204
	w.lengthAsReceived = f.Kind == BodyNone && (o.Method == exchange.MethodHead || resp.Status == 304)
	for i := range resp.Header {
		field := &resp.Header[i]
		switch {
		case field.ID == exchange.FieldContentLength || field.ID == exchange.FieldTransferEncoding:
			// "A server MUST NOT send a Content-Length header field in any
			// response with a status code of 1xx (Informational) or 204 (No
			// Content)." (RFC 9110 §8.6)
			if !bare {
				w.framingField(field)
			}
		case field.ID == exchange.FieldConnection || field.ID == exchange.FieldUpgrade:
			w.switching(field)
		case !field.Skip:
			w.field(field)
		}
	}
	if !bare {
		w.finishResponseFraming()
	}
	switch {
	case w.upgrade:
		protocol, _ := resp.Header.Get(exchange.FieldUpgrade)
		w.finishSwitching(protocol)
	case o.Close:
		w.dst = append(w.dst, "Connection: close\r\n"...)
	case o.Minor == 0:
		w.dst = append(w.dst, "Connection: keep-alive\r\n"...)
	}
	return append(w.dst, '\r', '\n')
}

// finishResponseFraming writes the framing field that found no place. Without
// one, the content of a response would end with the connection: that there is
// none has to be said.
func (w *headWriter) finishResponseFraming() {
	if w.framing.Kind == BodyNone && !w.lengthAsReceived && !w.wrote.has(exchange.FieldContentLength) {
		w.framing.Length = 0
		w.length(contentLengthName)
		return
	}
	w.finishFraming()
}

// AppendInterim appends a whole interim response (1xx other than 101).
func AppendInterim(dst []byte, resp *exchange.Response) []byte {
	w := headWriter{dst: appendStatusLine(dst, resp)}
	for i := range resp.Header {
		if field := &resp.Header[i]; !field.Skip && !framing1xx.has(field.ID) {
			w.field(field)
		}
	}
	return append(w.dst, '\r', '\n')
}

// framing1xx are the fields that no interim response has.
var framing1xx = hopByHop | setOf(exchange.FieldContentLength)

// appendStatusLine appends the status line, always of HTTP/1.1: "A server MAY
// send an HTTP/1.0 response to an HTTP/1.1 request" only if it knows the client
// to be broken (RFC 9110 §6.2). The space before a missing reason is required.
func appendStatusLine(dst []byte, resp *exchange.Response) []byte {
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(resp.Status), 10)
	dst = append(dst, ' ')
	dst = append(dst, resp.Reason...)
	return append(dst, '\r', '\n')
}
