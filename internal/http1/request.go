package http1

import "github.com/weirproxy/weir/internal/exchange"

// ParseRequest parses one complete head, buf[:HeadEnd], into req, whose fields
// are all set anew; only the capacity of req.Header is used again. Names and
// values are slices of head. req.Length is set, req.Body is nil: the caller
// attaches a reader as the framing says.
//
// Errors are of type *[exchange.Failure] and shared: never change one. After an
// error req has what was parsed before it; the connection is to be closed.
func ParseRequest(head []byte, lim *Limits, req *exchange.Request) (Framing, error) {
	framing, f := parseRequest(head, lim, req)
	if f != faultNone {
		return Framing{}, requestFailures[f]
	}
	return framing, nil
}

func parseRequest(head []byte, lim *Limits, req *exchange.Request) (Framing, fault) {
	*req = exchange.Request{Header: req.Header[:0]}
	if lim.HeaderBytes > 0 && len(head) > lim.HeaderBytes {
		return Framing{}, tooLarge(head, lim)
	}
	line, f := parseRequestLine(head, req)
	if f != faultNone {
		return Framing{}, f
	}
	fs := fields{header: req.Header}
	f = fs.parse(head[line:], lim.HeaderCount)
	req.Header = fs.header
	if f != faultNone {
		return Framing{}, f
	}
	if f := checkHost(&fs, req); f != faultNone {
		return Framing{}, f
	}
	framing, f := requestFraming(&fs, req.Minor)
	if f != faultNone {
		return Framing{}, f
	}
	req.Length = framing.contentLengthOf()
	if f := parseExpect(&fs, req, framing); f != faultNone {
		return Framing{}, f
	}
	var o options
	if fs.seen.has(exchange.FieldConnection) {
		if o, f = connectionOptions(fs.header); f != faultNone {
			return Framing{}, f
		}
	}
	framing.KeepAlive = o.keepsAlive(req.Minor)
	// "A server MUST ignore an Upgrade header field that is received in an
	// HTTP/1.0 request" (RFC 9110 §7.8). One with content would leave the two
	// sides with different views of where the new protocol begins.
	if o.upgrade && req.Minor == 1 && framing.Kind == BodyNone && !fs.repeated.has(exchange.FieldUpgrade) {
		req.Upgrade = upgradeToken(fs.header)
	}
	return framing, faultNone
}

// parseRequestLine parses the first line and returns its length.
//
//	request-line = method SP request-target SP HTTP-version      (RFC 9112 §3)
//
// "Recipients […] MAY instead parse on whitespace-delimited word boundaries":
// this one does not.
func parseRequestLine(head []byte, req *exchange.Request) (int, fault) {
	end := charToken.span(head)
	if end == 0 || end == len(head) || head[end] != ' ' {
		return 0, methodFault(head, end)
	}
	req.MethodName = head[:end:end]
	req.Method = exchange.ParseMethod(req.MethodName)
	if req.Method == exchange.MethodConnect {
		return 0, faultConnect
	}
	start := end + 1
	end = start + charTarget.span(head[start:])
	if end == start || end == len(head) || head[end] != ' ' {
		return 0, targetFault(head, start, end)
	}
	const version = len("HTTP/1.1\r\n")
	tail := head[end+1:]
	if len(tail) < version || string(tail[:7]) != "HTTP/1." ||
		tail[7] != '0' && tail[7] != '1' || tail[8] != '\r' || tail[9] != '\n' {
		return 0, versionFault(tail)
	}
	req.Minor = tail[7] - '0'
	return end + 1 + version, parseTarget(head[start:end:end], req)
}

// methodFault tells what is wrong with a method that ends at end.
func methodFault(head []byte, end int) fault {
	switch {
	case end == len(head):
		return faultRequestLine
	case head[end] == '\n':
		return faultBareLF
	case end == 0 && head[0] == 0x16:
		return faultTLS
	case head[end] == '\r' || end == 0 && head[0] == ' ':
		return faultRequestLine
	default:
		return faultMethod
	}
}

// targetFault tells what is wrong with a target that ends at end.
func targetFault(head []byte, start, end int) fault {
	if end == len(head) {
		return faultRequestLine
	}
	switch c := head[end]; {
	case c == '#':
		return faultFragment
	case c >= 0x80:
		return faultTargetASCII
	case c == '\n':
		return faultBareLF
	case c == '\r' && end > start:
		return faultNoVersion // HTTP/0.9
	case c == '\r' || c == ' ':
		return faultRequestLine
	default:
		return faultTargetControl
	}
}

// versionFault tells what is wrong with what follows the target.
func versionFault(tail []byte) fault {
	end := charTarget.span(tail)
	if end == 0 || end == len(tail) || tail[end] == ' ' {
		return faultRequestLine
	}
	switch string(tail[:end]) {
	case "HTTP/1.0", "HTTP/1.1":
	case "HTTP/2.0":
		return faultHTTP2
	default:
		return faultVersion
	}
	switch tail[end] {
	case '\n':
		return faultBareLF
	case '\r':
		return faultBareCR
	default:
		return faultRequestLine
	}
}

// requestFraming decides how the content of a request is delimited (RFC 9112
// §6.3). Wherever that section lets a recipient choose between repairing and
// refusing, this one refuses: an endpoint might repair differently.
func requestFraming(fs *fields, minor uint8) (Framing, fault) {
	coded := fs.seen.has(exchange.FieldTransferEncoding)
	sized := fs.seen.has(exchange.FieldContentLength)
	switch {
	case !coded && !sized:
		return Framing{}, faultNone
	case coded && sized:
		return Framing{}, faultLengthAndCoding
	case coded:
		return Framing{Kind: BodyChunked}, checkCoding(fs, minor)
	case fs.repeated.has(exchange.FieldContentLength):
		return Framing{}, faultLengthRepeated
	}
	value, _ := fs.header.Get(exchange.FieldContentLength)
	n, ok := contentLength(value)
	if !ok {
		return Framing{}, faultLength
	}
	return lengthFraming(n), faultNone
}

// checkCoding accepts the one Transfer-Encoding that there is: "chunked". The
// proxy announces no other (it drops TE), so nobody may send one.
func checkCoding(fs *fields, minor uint8) fault {
	if fs.repeated.has(exchange.FieldTransferEncoding) {
		return faultCodingRepeated
	}
	// "A server or client that receives an HTTP/1.0 message containing a
	// Transfer-Encoding header field MUST treat the message as if the framing
	// is faulty" (RFC 9112 §6.1)
	if minor == 0 {
		return faultCodingMinor
	}
	value, _ := fs.header.Get(exchange.FieldTransferEncoding)
	if !exchange.EqualFold(value, "chunked") {
		return faultCoding
	}
	return faultNone
}

// parseExpect sets req.ExpectContinue (RFC 9110 §10.1.1). An expectation that is
// ignored is not passed on either: the endpoint would answer it.
func parseExpect(fs *fields, req *exchange.Request, framing Framing) fault {
	if !fs.seen.has(exchange.FieldExpect) {
		return faultNone
	}
	for i := range fs.header {
		field := &fs.header[i]
		if field.ID != exchange.FieldExpect {
			continue
		}
		// "A server that receives a 100-continue expectation in an HTTP/1.0
		// request MUST ignore that expectation."
		if req.Minor > 0 && !exchange.EqualFold(field.Value, "100-continue") {
			return faultExpect
		}
		// Once is enough, and only if there is content to wait for.
		field.Skip = req.ExpectContinue || req.Minor == 0 || framing.Kind == BodyNone
		req.ExpectContinue = req.ExpectContinue || !field.Skip
	}
	return faultNone
}
