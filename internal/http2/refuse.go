package http2

// Refuse is Close with a reason, which the peer finds in the debug data of GOAWAY
// (RFC 9113 §6.8): whoever was told by nothing else why he is not wanted.
func (c *Conn) Refuse(reason string) {
	c.mu.Lock()
	defer c.unlock()
	c.end(&connError{errNone, reason})
}
