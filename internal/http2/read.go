package http2

// read takes frames until there are no more.
func (c *Conn) read() {
	err := c.readFrames()
	c.mu.Lock()
	defer c.unlock()
	c.end(err)
	c.reading = false
	if !c.out.writing {
		_ = c.nc.Close()
	}
	c.finish()
}

func (c *Conn) readFrames() error {
	r := newFrameReader(c.nc)
	heads := newHeadDecoder(&c.opts.Limits)
	var f frame
	for first := true; ; first = false {
		if c.InFlight() == 0 {
			r.rest()
		}
		if err := r.next(&f); err != nil {
			return err
		}
		if first && (f.kind != frameSettings || f.has(flagAck)) {
			return fatal(errProtocol, "the first frame is not SETTINGS")
		}
		if err := c.take(&f, heads); err != nil {
			return err
		}
	}
}

// take takes one frame. Blocks of fields are decoded before the lock is taken.
func (c *Conn) take(f *frame, heads *headDecoder) error {
	block := f.kind == frameHeaders || f.kind == frameContinuation
	if heads.open != (f.kind == frameContinuation) || heads.open && heads.stream != f.stream {
		return fatal(errProtocol, "a block of fields is interrupted, or continued without its beginning")
	}
	if block {
		if err := heads.take(f); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.unlock()
	c.hear()
	if c.err != nil {
		return c.err
	}
	if err := c.handle(f, heads); err != nil {
		return err
	}
	return c.err
}

func (c *Conn) handle(f *frame, heads *headDecoder) error {
	var err *connError
	switch f.kind {
	case frameData:
		err = c.onData(f)
	case frameHeaders, frameContinuation:
		err = c.onHeaders(heads)
	case frameReset:
		err = c.onReset(f)
	case frameSettings:
		err = c.onSettings(f)
	case framePing:
		err = c.onPing(f)
	case frameGoAway:
		err = c.onGoAway(f)
	case frameWindow:
		err = c.onWindow(f)
	case framePush:
		err = fatal(errProtocol, "PUSH_PROMISE, which was not allowed")
	case framePriority:
		if len(f.payload) != 5 || f.stream == 0 {
			return fatal(errFrameSize, "PRIORITY of another length than 5, or without a stream")
		}
		err = c.costs()
	default: // "Implementations MUST ignore and discard frames of unknown types" (§4.1)
		err = c.costs()
	}
	if err != nil { // a nil *connError is not a nil error
		return err
	}
	return nil
}

// find returns the stream that a frame is for. If there is none, because it is
// over here, the peer may not know yet; that costs it, and is ignored.
func (c *Conn) find(id uint32) (*Stream, *connError) {
	if s := c.streams[id]; s != nil {
		return s, nil
	}
	if id%2 == 0 || id >= c.nextID {
		return nil, fatal(errProtocol, "a frame on a stream that was never opened")
	}
	return nil, c.costs()
}

// onHeaders gives a whole block of fields to its stream.
func (c *Conn) onHeaders(heads *headDecoder) *connError {
	if heads.open {
		return nil
	}
	s, err := c.find(heads.stream)
	if s == nil {
		return err
	}
	return s.onHead(heads)
}
