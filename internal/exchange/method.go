package exchange

// Method is a request method that the proxy knows something about.
type Method uint8

// The methods of RFC 9110 and RFC 5789. Every other token is MethodOther and is
// passed on as it is.
const (
	MethodOther Method = iota
	MethodGet
	MethodHead
	MethodPost
	MethodPut
	MethodDelete
	MethodOptions
	MethodTrace
	MethodPatch
	MethodConnect
)

// Idempotent reports whether sending the request twice has the effect of
// sending it once (RFC 9110 §9.2.2). Methods that are not known are taken for
// not idempotent.
func (m Method) Idempotent() bool {
	switch m {
	case MethodGet, MethodHead, MethodPut, MethodDelete, MethodOptions, MethodTrace:
		return true
	default:
		return false
	}
}

// ParseMethod returns the Method named by a token. Methods are case-sensitive.
func ParseMethod(token []byte) Method {
	switch string(token) { // no allocation: the compiler compares in place
	case "GET":
		return MethodGet
	case "HEAD":
		return MethodHead
	case "POST":
		return MethodPost
	case "PUT":
		return MethodPut
	case "DELETE":
		return MethodDelete
	case "OPTIONS":
		return MethodOptions
	case "TRACE":
		return MethodTrace
	case "PATCH":
		return MethodPatch
	case "CONNECT":
		return MethodConnect
	default:
		return MethodOther
	}
}
