package exchange

import "fmt"

// Side tells who is at fault for a failure.
type Side uint8

// The sides of a failure.
const (
	SideProxy Side = iota
	SideClient
	SideEndpoint
)

// Code is one row of the closed list of errors that the proxy itself makes.
// This table is the only place where the phase and the side of a failure become
// a status; docs/reference/errors.md is generated from it.
type Code struct {
	// Name is the `error` member of the problem document.
	Name   string
	Status int
	Side   Side
	// Phase is what was being done, Meaning what the user reads about it.
	Phase, Meaning string
}

// The errors that the proxy makes.
var (
	CodeMalformedRequest   = newCode("malformed_request", 400, SideClient, "request head", "The request breaks RFC 9112 in a way that endpoints could read differently; it was not forwarded and the connection is closed.")
	CodeProxyHeader        = newCode("bad_proxy_header", 400, SideClient, "accept", "The connection does not begin with a PROXY header, or with a malformed one, and the listener's proxy_protocol wants one from that peer.")
	CodeInvalidHost        = newCode("invalid_host", 400, SideClient, "request head", "The Host field is missing, repeated or not a host.")
	CodeDotSegments        = newCode("dot_segments", 400, SideClient, "routing", "The path has . or .. segments, plain or percent-encoded; `paths: normalize` would resolve them.")
	CodeMalformedBody      = newCode("malformed_body", 400, SideClient, "request body", "The chunked framing of the request body is broken, or the client closed before its end.")
	CodeBadAttach          = newCode("bad_attach", 400, SideClient, "attach", "A request to attach a worker that is not one: a field is missing or wrong, or bytes follow before the answer.")
	CodeUnauthorized       = newCode("unauthorized", 401, SideClient, "attach", "A worker showed no token and no certificate that the router knows.")
	CodeServiceForbidden   = newCode("service_forbidden", 403, SideClient, "attach", "The worker's token or certificate does not allow the service that it names.")
	CodeForbidden          = newCode("forbidden", 403, SideClient, "routing", "The client's address is on the route's deny list, or not on its allow list.")
	CodeNoRoute            = newCode("no_route", 404, SideClient, "routing", "No route matches host, path and headers.")
	CodeUnknownService     = newCode("unknown_service", 404, SideClient, "routing", "The route names a service that does not exist.")
	CodeMethodNotAllowed   = newCode("method_not_allowed", 405, SideClient, "routing", "A route matches the path, for other methods only; Allow lists them.")
	CodeConnectRefused     = newCode("connect_refused", 405, SideClient, "request head", "CONNECT is for forward proxies; this one does not open tunnels.")
	CodeRequestTimeout     = newCode("request_timeout", 408, SideClient, "request head", "The head of the request did not arrive within limits.header_timeout.")
	CodeBodyTimeout        = newCode("body_timeout", 408, SideClient, "request body", "No byte of the request body arrived for limits.body_timeout.")
	CodeInstanceConflict   = newCode("instance_conflict", 409, SideClient, "attach", "As many connections as may be have the worker's instance name already.")
	CodeContentTooLarge    = newCode("content_too_large", 413, SideClient, "request body", "The request body is larger than limits.body_bytes or the route's max_body.")
	CodeReplayTooLarge     = newCode("replay_too_large", 413, SideClient, "request body", "The request body is larger than retry.buffer, and retry.over_buffer is reject.")
	CodeURITooLong         = newCode("uri_too_long", 414, SideClient, "request head", "The request line alone is larger than limits.header_bytes.")
	CodeExpectationFailed  = newCode("expectation_failed", 417, SideClient, "request head", "Expect asks for something other than 100-continue.")
	CodeRateLimited        = newCode("rate_limited", 429, SideClient, "routing", "More requests came than the route's rate_limit lets pass; Retry-After says when the next one may.")
	CodeHeaderTooLarge     = newCode("header_too_large", 431, SideClient, "request head", "The head is larger than limits.header_bytes or has more fields than limits.header_count.")
	CodeExpressionFailed   = newCode("expression_failed", 500, SideProxy, "steps", "An expression of the route failed, and on_error is fail.")
	CodeConnectFailed      = newCode("connect_failed", 502, SideEndpoint, "connect", "No endpoint could be reached.")
	CodeTLSFailed          = newCode("tls_failed", 502, SideEndpoint, "TLS handshake", "The TLS handshake with the endpoint failed.")
	CodeEndpointClosed     = newCode("endpoint_closed", 502, SideEndpoint, "response head", "The endpoint closed the connection before a whole response head, and the request could not be tried elsewhere.")
	CodeMalformedResponse  = newCode("malformed_response", 502, SideEndpoint, "response head", "What the endpoint answered is not HTTP/1.1 as RFC 9112 has it.")
	CodeResponseTooLarge   = newCode("response_header_too_large", 502, SideEndpoint, "response head", "The head of the response is larger than limits.header_bytes or has more fields than limits.header_count.")
	CodeResponseIncomplete = newCode("response_incomplete", 502, SideEndpoint, "response body", "The endpoint failed in the middle of its response. The client has part of it already; its connection is closed.")
	CodeNoEndpoint         = newCode("no_endpoint", 503, SideEndpoint, "choice of an endpoint", "Every endpoint of the service is resting or down; Retry-After says when the next one is tried.")
	CodeQueueFull          = newCode("queue_full", 503, SideProxy, "choice of an endpoint", "Every endpoint of the service is at its limit, or there is none yet, and as many requests as queue.size wait already.")
	CodeQueueTimeout       = newCode("queue_timeout", 503, SideProxy, "choice of an endpoint", "No endpoint of the service became free, or came, within queue.timeout.")
	CodeOutOfResources     = newCode("out_of_resources", 503, SideProxy, "connect", "The proxy itself has run out of file descriptors, local ports or memory for another connection.")
	CodeTooManyConnections = newCode("too_many_connections", 503, SideProxy, "accept", "limits.connections is reached.")
	CodeShuttingDown       = newCode("shutting_down", 503, SideProxy, "accept", "The proxy is shutting down and takes no more requests; only of a program that has it as its http.Handler.")
	CodeDraining           = newCode("draining", 503, SideProxy, "attach", "The router is shutting down and takes no more workers.")
	CodeTooManyWorkers     = newCode("too_many_workers", 503, SideProxy, "attach", "As many workers are attached as may be, or they serve too many services that no configuration names.")
	CodeConnectTimeout     = newCode("connect_timeout", 504, SideEndpoint, "connect", "No endpoint accepted a connection within timeouts.connect or retry.per_try.")
	CodeResponseTimeout    = newCode("response_timeout", 504, SideEndpoint, "response head", "The endpoint did not answer within timeouts.response or retry.per_try.")
	CodeRequestDeadline    = newCode("deadline_exceeded", 504, SideEndpoint, "request", "The request took longer than timeouts.request or the route's timeout.")
	CodeClientGone         = newCode("client_gone", 0, SideClient, "request", "The client left before its answer; only logged.")
	CodeCancelled          = newCode("cancelled", 0, SideProxy, "response head", "Another endpoint gave a usable answer first; only logged, of a try.")
	CodeClientStalled      = newCode("client_stalled", 0, SideClient, "response body", "The client took no byte for timeouts.write; only logged, its connection is closed.")
)

// IsDial reports whether the failure is that no connection could be opened.
func (c *Code) IsDial() bool {
	return c == CodeConnectFailed || c == CodeConnectTimeout || c == CodeTLSFailed
}

var codes []*Code

func newCode(name string, status int, side Side, phase, meaning string) *Code {
	c := &Code{Name: name, Status: status, Side: side, Phase: phase, Meaning: meaning}
	codes = append(codes, c)
	return c
}

// Codes returns the closed list of errors, by status.
func Codes() []*Code { return codes }

// A Failure is one failed exchange or attempt.
type Failure struct {
	Code *Code
	// Detail says what was wrong without naming anything internal.
	Detail string
	// Cause may name endpoints; it is logged, and shown only with
	// `errors: verbose`. If nil, there is nothing more to say.
	Cause error
	// Sent tells whether any byte of the request left for the endpoint.
	Sent bool
	// Stale tells that the connection had been kept, and may have been closed
	// before the request came: it says nothing of the endpoint.
	Stale bool
	// Allow is the value of the Allow field of a 405; else empty.
	Allow string
	// RetryAfter, in seconds, goes into the field of that name unless 0.
	RetryAfter int
}

// Fail returns a Failure of that code.
func Fail(code *Code, detail string, cause error) *Failure {
	return &Failure{Code: code, Detail: detail, Cause: cause}
}

// Error says which phase failed and why.
func (f *Failure) Error() string {
	text := f.Code.Name + " (" + f.Code.Phase + ")"
	if f.Detail != "" {
		text += ": " + f.Detail
	}
	if f.Cause != nil {
		return fmt.Sprintf("%s: %v", text, f.Cause)
	}
	return text
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Cause }
