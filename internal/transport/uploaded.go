package transport

import (
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// StopUpload ends the sending of the request's content, once the response has
// come, so that the content can be read again and sent elsewhere. The response can
// still be read. False if the endpoint holds the sending up; it goes on then, as
// far as it gets with what was read already.
func (c *Call) StopUpload(x *exchange.Exchange) bool {
	if c.streaming {
		return c.stream.StopUpload(x)
	}
	u := &c.upload
	if !u.running {
		return true
	}
	if !u.finished() {
		x.Request.Body.Interrupt()
		select {
		case <-u.done:
		case <-time.After(aMoment):
			return false
		}
	}
	u.cut = !u.whole
	u.stop(c.link, x)
	return true
}

// Streamed reports whether content of the request was sent after its head, as it
// came from the client: how long the response took says little of the endpoint.
func (c *Call) Streamed() bool {
	if c.streaming {
		return c.stream.Streamed()
	}
	return c.upload.running
}
