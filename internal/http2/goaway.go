package http2

import "github.com/weirproxy/weir/internal/exchange"

// onGoAway takes leave of the peer: it will answer no request after the last it
// names, so that those can go elsewhere (RFC 9113 §6.8).
func (c *Conn) onGoAway(f *frame) *connError {
	switch {
	case f.stream != 0:
		return fatal(errProtocol, "GOAWAY on a stream")
	case len(f.payload) < 8:
		return fatal(errFrameSize, "GOAWAY shorter than 8")
	}
	if err := c.costs(); err != nil {
		return err
	}
	last := number(f.payload) &^ topBit
	for id, s := range c.streams {
		if id > last {
			s.breakOff(exchange.Fail(exchange.CodeEndpointClosed, "the endpoint takes no more requests on this connection", nil))
			c.remove(s)
		}
	}
	c.drainOff()
	return nil
}

// onReset ends a stream (§6.4).
func (c *Conn) onReset(f *frame) *connError {
	if len(f.payload) != 4 {
		return fatal(errFrameSize, "RST_STREAM of another length than 4")
	}
	if err := c.costs(); err != nil {
		return err
	}
	s, err := c.find(f.stream)
	if s == nil {
		return err
	}
	s.onReset(errorCode(number(f.payload)))
	return nil
}
