package http1

import "github.com/weirproxy/weir/internal/exchange"

// ParseResponse parses one complete head, buf[:HeadEnd], into resp, whose fields
// are all set anew; only the capacity of resp.Header is used again. The reason,
// names and values are slices of head. method is that of the request: a response
// to HEAD has no content, whatever its fields say. resp.Length is set, resp.Body
// is nil: the caller attaches a reader as the framing says. A 1xx has no content
// either; what follows a 101 is the caller's.
//
// Errors are of type *[exchange.Failure] and shared: never change one. They have
// Sent set. The connection is to be closed.
func ParseResponse(head []byte, lim *Limits, method exchange.Method, resp *exchange.Response) (Framing, error) {
	framing, f := parseResponse(head, lim, method, resp)
	if f != faultNone {
		return Framing{}, responseFailures[f]
	}
	return framing, nil
}

func parseResponse(head []byte, lim *Limits, method exchange.Method, resp *exchange.Response) (Framing, fault) {
	*resp = exchange.Response{Header: resp.Header[:0]}
	if lim.HeaderBytes > 0 && len(head) > lim.HeaderBytes {
		return Framing{}, faultTooLarge
	}
	line, f := parseStatusLine(head, resp)
	if f != faultNone {
		return Framing{}, f
	}
	fs := fields{header: resp.Header}
	f = fs.parse(head[line:], lim.HeaderCount)
	resp.Header = fs.header
	if f != faultNone {
		return Framing{}, f
	}
	framing, f := responseFraming(&fs, method, resp)
	if f != faultNone {
		return Framing{}, f
	}
	resp.Length = framing.contentLengthOf()
	if fs.seen.has(exchange.FieldConnection) {
		o, f := connectionOptions(fs.header)
		if f != faultNone {
			return Framing{}, f
		}
		framing.KeepAlive = framing.KeepAlive && !o.close
	}
	return framing, faultNone
}

// parseStatusLine parses the first line and returns its length.
//
//	status-line = HTTP-version SP status-code SP [ reason-phrase ]   (RFC 9112 §4)
//
// The second space is often left out together with the reason; that is read as
// it is meant.
func parseStatusLine(head []byte, resp *exchange.Response) (int, fault) {
	const version, status = len("HTTP/1.1 "), len("HTTP/1.1 200")
	if len(head) < status+2 || string(head[:7]) != "HTTP/1." ||
		head[7] != '0' && head[7] != '1' || head[8] != ' ' {
		return 0, faultStatusLine
	}
	resp.Minor = head[7] - '0'
	code := 0
	for _, c := range head[version:status] {
		if c < '0' || c > '9' {
			return 0, faultStatus
		}
		code = code*10 + int(c-'0')
	}
	if code < 100 || code > 599 || '0' <= head[status] && head[status] <= '9' {
		return 0, faultStatus
	}
	resp.Status = code
	end := status
	if head[end] == ' ' {
		end = valueEnd(head, end)
		resp.Reason = head[status+1 : end : end]
	}
	if end+1 >= len(head) || head[end] != '\r' || head[end+1] != '\n' {
		return 0, reasonFault(head, end)
	}
	return end + 2, faultNone
}

// reasonFault tells what is wrong with the byte at i, where the status line
// should end.
func reasonFault(head []byte, i int) fault {
	if f := valueFault(head, i); f == faultBareLF || f == faultBareCR {
		return f
	}
	return faultStatusLine
}

// responseFraming decides how the content of a response is delimited (RFC 9112
// §6.3), and whether the endpoint keeps the connection, Connection aside: not
// after HTTP/1.0.
func responseFraming(fs *fields, method exchange.Method, resp *exchange.Response) (Framing, fault) {
	framing, f := declaredFraming(fs, resp.Minor)
	if f != faultNone {
		return Framing{}, f
	}
	framing.KeepAlive = resp.Minor == 1 && framing.Kind != BodyUntilClose
	switch {
	case method == exchange.MethodHead || resp.Status == 304:
		return Framing{Kind: BodyNone, KeepAlive: resp.Minor == 1}, faultNone
	case resp.Status < 200 || resp.Status == 204:
		// "A server MUST NOT send a Transfer-Encoding header field in any
		// response with a status code of 1xx (Informational) or 204 (No
		// Content)" (RFC 9112 §6.1), nor Content-Length (RFC 9110 §8.6). Some
		// who do send content too. It would arrive as the answer to whatever
		// request goes out next.
		none := framing.Kind == BodyUntilClose || framing.Kind == BodyNone
		return Framing{Kind: BodyNone, KeepAlive: resp.Minor == 1 && none}, faultNone
	default:
		return framing, faultNone
	}
}

// declaredFraming is what the fields say about content if there is any.
func declaredFraming(fs *fields, minor uint8) (Framing, fault) {
	coded := fs.seen.has(exchange.FieldTransferEncoding)
	sized := fs.seen.has(exchange.FieldContentLength)
	switch {
	case coded && sized:
		return Framing{}, faultLengthAndCoding
	case coded:
		return Framing{Kind: BodyChunked}, checkCoding(fs, minor)
	case !sized:
		return Framing{Kind: BodyUntilClose}, faultNone
	}
	value, _ := fs.header.Get(exchange.FieldContentLength)
	n, ok := contentLength(value)
	if !ok {
		return Framing{}, faultLength
	}
	if fs.repeated.has(exchange.FieldContentLength) && !sameLengths(fs.header, value) {
		return Framing{}, faultLengthRepeated
	}
	return lengthFraming(n), faultNone
}

// sameLengths reports whether all Content-Length lines are the same to the byte.
// Such a response is one that everybody reads alike, and it leaves with a single
// line. Requests are not given that: who sends them may wish for disagreement.
func sameLengths(header exchange.Header, value []byte) bool {
	for i := range header {
		if header[i].ID == exchange.FieldContentLength && string(header[i].Value) != string(value) {
			return false
		}
	}
	return true
}
