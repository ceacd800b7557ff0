package http1

// Reuse is what is known about an exchange once it is over, and decides whether
// its two connections can carry another one (RFC 9112 §9.3). The zero value is
// an exchange that failed at once: neither can.
//
// There is no fact called failure: whatever fails leaves one of the four
// messages incomplete.
type Reuse struct {
	// RequestKeepAlive and ResponseKeepAlive are what the heads that were
	// received say: Framing.KeepAlive of either.
	RequestKeepAlive, ResponseKeepAlive bool
	// RequestRead: the request's content was read from the client to its end.
	RequestRead bool
	// RequestSent: head and content left for the endpoint whole.
	RequestSent bool
	// ResponseRead: the final response was read from the endpoint to its end.
	ResponseRead bool
	// ResponseSent: the final response was written to the client to its end,
	// or an answer of the proxy's own was.
	ResponseSent bool
	// ContinueWithheld: the client waits for 100 and got its final response
	// without one. It may send its content next, or a new request, and nobody
	// can tell which (RFC 9110 §10.1.1).
	ContinueWithheld bool
	// Upgraded: the connections speak something else since a 101.
	Upgraded bool
	// Excess: the endpoint has sent more than its response.
	Excess bool
	// Closing: the client was told that its connection closes, or only closing
	// delimits its response.
	Closing bool
}

// Client reports whether the client's connection can carry another request. What
// the endpoint did to its own does not matter.
func (r Reuse) Client() bool {
	return r.RequestKeepAlive && r.RequestRead && r.ResponseSent &&
		!r.ContinueWithheld && !r.Upgraded && !r.Closing
}

// Endpoint reports whether the endpoint's connection can carry another request.
// After an early final response it cannot: the rest of the request was not sent,
// and no other message can take its place.
func (r Reuse) Endpoint() bool {
	return r.ResponseKeepAlive && r.RequestSent && r.ResponseRead && !r.Upgraded && !r.Excess
}
