package transport

import (
	"io"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// checkForStrayBytes refuses a response with something behind it on a connection
// that has carried another one before: it may be the belated second answer to
// somebody else's request, and ours may be what is behind it.
func (c *Call) checkForStrayBytes() *exchange.Failure {
	if !c.link.used || !c.moreThanContent() {
		return nil
	}
	c.stray = true
	return exchange.Fail(exchange.CodeMalformedResponse, "the endpoint sent more than one response", nil)
}

// moreThanContent reports whether something has arrived behind the content.
func (c *Call) moreThanContent() bool {
	buffered := c.link.reader.Buffered()
	switch c.framing.Kind {
	case http1.BodyNone, http1.BodyLength:
		return int64(len(buffered)) > c.framing.Length
	case http1.BodyChunked:
		return len(buffered) > 0 && c.ahead.endsBefore(buffered, &c.link.owner.options().Limits)
	default:
		// Content until close has no end that something could be behind. An
		// endpoint that keeps its connections seldom answers so; a stray
		// response with neither length nor chunks looks the same.
		return true
	}
}

// ahead reads chunked content that has arrived without consuming it. It is the
// source of its own reader.
type ahead struct {
	body http1.BodyReader
	rest []byte
}

// endsBefore reports whether chunked content at the front of buffered ends before
// buffered does.
func (a *ahead) endsBefore(buffered []byte, lim *http1.Limits) bool {
	a.rest = buffered
	a.body.Reset(a, http1.Framing{Kind: http1.BodyChunked}, http1.BodyOptions{Limits: lim, Response: true})
	data, err := a.body.Next(false)
	for len(data) > 0 && err == nil {
		data, err = a.body.Next(false)
	}
	behind := len(a.rest)
	a.rest = nil
	return err == io.EOF && behind > 0
}

// Buffered implements http1.Source.
func (a *ahead) Buffered() []byte { return a.rest }

// Consume implements http1.Source.
func (a *ahead) Consume(n int) { a.rest = a.rest[n:] }

// Fill implements http1.Source. Nobody waits here.
func (a *ahead) Fill() error { return io.ErrNoProgress }
