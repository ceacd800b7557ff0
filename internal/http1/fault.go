package http1

import "github.com/weirproxy/weir/internal/exchange"

// fault is one way in which a message can be wrong. The parsers return it, and
// only their entrances make it a failure of the side they are on.
type fault uint8

const (
	faultNone fault = iota
	faultBareLF
	faultBareCR
	faultControl
	faultIncomplete
	faultNameEmpty
	faultNameSpace
	faultName
	faultNoColon
	faultFold
	faultTooManyFields
	faultTooLarge
	faultTooManyOptions
	faultLength
	faultLengthRepeated
	faultLengthAndCoding
	faultCoding
	faultCodingRepeated
	faultCodingMinor

	faultStart
	faultTLS
	faultHTTP2
	faultMethod
	faultRequestLine
	faultLineTooLong
	faultVersion
	faultNoVersion
	faultConnect
	faultTargetControl
	faultTargetASCII
	faultFragment
	faultTargetForm
	faultAsterisk
	faultUserinfo
	faultPercent
	faultHostMissing
	faultHostRepeated
	faultHost
	faultExpect

	faultStatusLine
	faultStatus

	faultChunkSize
	faultChunkSizeLarge
	faultChunkHead
	faultChunkHeadLong
	faultChunkOverhead
	faultChunkEnd
	faultContentTooLarge
	faultClosed
	faultSource

	faultCount
)

// faultDetails is what users read, in the problem document and in the log.
var faultDetails = [faultCount]string{
	faultBareLF:          "a line ends with a bare line feed instead of CR LF",
	faultBareCR:          "a carriage return is not followed by a line feed",
	faultControl:         "a field value has a control character",
	faultIncomplete:      "the head has no end",
	faultNameEmpty:       "a field line has no name before its colon",
	faultNameSpace:       "a field line has white space before its colon",
	faultName:            "a field name has a character that is not allowed in names",
	faultNoColon:         "a field line has no colon",
	faultFold:            "a line begins with white space: folded field lines are not allowed",
	faultTooManyFields:   "there are more field lines than limits.header_count",
	faultTooLarge:        "the field lines are larger than limits.header_bytes",
	faultTooManyOptions:  "Connection names too many fields",
	faultLength:          "Content-Length is not a single decimal number",
	faultLengthRepeated:  "Content-Length is repeated",
	faultLengthAndCoding: "there is both Content-Length and Transfer-Encoding",
	faultCoding:          "Transfer-Encoding is something other than chunked",
	faultCodingRepeated:  "Transfer-Encoding is repeated",
	faultCodingMinor:     "Transfer-Encoding in an HTTP/1.0 message",

	faultStart:         "the first byte cannot begin a request",
	faultTLS:           "this is a TLS handshake, and the listener speaks clear text",
	faultHTTP2:         "this is an HTTP/2 connection preface where HTTP/1.1 is spoken",
	faultMethod:        "the method has a character that is not allowed in it",
	faultRequestLine:   "the request line is not method, target and version with one space between them",
	faultLineTooLong:   "the request line is longer than limits.header_bytes",
	faultVersion:       "the HTTP version is neither 1.0 nor 1.1",
	faultNoVersion:     "the request line has no HTTP version",
	faultConnect:       "CONNECT is not served here",
	faultTargetControl: "the request target has a control character",
	faultTargetASCII:   "the request target has a byte that is not ASCII and should be percent-encoded",
	faultFragment:      "the request target has a fragment",
	faultTargetForm:    "the request target is neither a path nor an http or https URI",
	faultAsterisk:      "the request target * is only for OPTIONS",
	faultUserinfo:      "the request target has user information before the host",
	faultPercent:       "the path has a percent sign without two hexadecimal digits after it",
	faultHostMissing:   "the Host field is missing",
	faultHostRepeated:  "the Host field is repeated",
	faultHost:          "the host is not a name or an address with an optional port",
	faultExpect:        "Expect asks for something other than 100-continue",

	faultStatusLine: "the status line is not an HTTP/1.0 or HTTP/1.1 version, a status and a reason",
	faultStatus:     "the status is not a number from 100 to 599",

	faultChunkSize:       "a chunk does not begin with its size in hexadecimal",
	faultChunkSizeLarge:  "a chunk size has too many digits",
	faultChunkHead:       "a chunk size is followed by something that is neither an extension nor CR LF",
	faultChunkHeadLong:   "a chunk extension is too long",
	faultChunkOverhead:   "the chunks have far more framing than content",
	faultChunkEnd:        "a chunk is not followed by CR LF",
	faultContentTooLarge: "the content is larger than limits.body_bytes",
	faultClosed:          "the connection was closed before the end of the content",
	faultSource:          "the connection failed before the end of the content",
}

// failures holds one failure a fault, made once: refusing costs no allocation
// either, however often somebody asks for it.
type failures [faultCount]*exchange.Failure

var (
	requestFailures      = newFailures(exchange.CodeMalformedRequest, requestCode, false)
	responseFailures     = newFailures(exchange.CodeMalformedResponse, responseCode, true)
	requestBodyFailures  = newFailures(exchange.CodeMalformedBody, requestBodyCode, false)
	responseBodyFailures = newFailures(exchange.CodeResponseIncomplete, nil, true)
)

// newFailures makes the failures of one side. Whoever reads a response has sent
// a request before, hence sent.
func newFailures(usual *exchange.Code, special func(fault) *exchange.Code, sent bool) *failures {
	all := new(failures)
	for f := range faultCount {
		code := usual
		if special != nil {
			if c := special(f); c != nil {
				code = c
			}
		}
		all[f] = exchange.Fail(code, faultDetails[f], nil)
		all[f].Sent = sent
	}
	return all
}

func requestCode(f fault) *exchange.Code {
	switch f {
	case faultHostMissing, faultHostRepeated, faultHost:
		return exchange.CodeInvalidHost
	case faultConnect:
		return exchange.CodeConnectRefused
	case faultExpect:
		return exchange.CodeExpectationFailed
	case faultLineTooLong:
		return exchange.CodeURITooLong
	case faultTooLarge, faultTooManyFields:
		return exchange.CodeHeaderTooLarge
	default:
		return nil
	}
}

func responseCode(f fault) *exchange.Code {
	switch f {
	case faultTooLarge, faultTooManyFields:
		return exchange.CodeResponseTooLarge
	default:
		return nil
	}
}

func requestBodyCode(f fault) *exchange.Code {
	switch f {
	case faultContentTooLarge:
		return exchange.CodeContentTooLarge
	case faultTooLarge, faultTooManyFields:
		return exchange.CodeHeaderTooLarge
	default:
		return nil
	}
}
