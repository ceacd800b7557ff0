package http2

import "encoding/binary"

// The settings that matter here (RFC 9113 §6.5.2, RFC 8441 §3).
const (
	settingPush       = 0x2
	settingMaxStreams = 0x3
	settingWindow     = 0x4
	settingFrameSize  = 0x5
	settingHeaderList = 0x6
	settingConnect    = 0x8
)

// maxSettings bounds how many one frame may have.
const maxSettings = 64

// peerSettings is what the peer has announced. It is guarded by Conn.mu.
type peerSettings struct {
	here       bool // the first SETTINGS have come
	acked      bool // ours are known there
	maxStreams uint32
	window     int64 // of a new stream, for sending
	connect    bool  // extended CONNECT is understood
}

func (p *peerSettings) reset() {
	p.maxStreams, p.window = 1<<32-1, defaultWindow
}

func number(p []byte) uint32 { return binary.BigEndian.Uint32(p) }

func appendSetting(dst []byte, id uint16, value int) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(dst, id), uint32(value))
}

// writeSettings announces what this side allows.
func (c *Conn) writeSettings() {
	var p []byte
	p = appendSetting(p, settingPush, 0)
	p = appendSetting(p, settingWindow, c.opts.StreamWindow)
	p = appendSetting(p, settingHeaderList, c.opts.Limits.HeaderBytes)
	c.out.pending = appendFrame(c.out.pending, frameSettings, 0, 0, p)
	c.send.window, c.recv.window = defaultWindow, int64(c.opts.ConnWindow)
	if more := c.opts.ConnWindow - defaultWindow; more > 0 {
		c.out.pending = appendNumber(c.out.pending, frameWindow, 0, uint32(more))
	}
}

// newWindow is how much content the peer may send on a stream that opens now.
// Until it has seen our settings, it goes by the default.
func (c *Conn) newWindow() int64 {
	if c.peer.acked {
		return int64(c.opts.StreamWindow)
	}
	return int64(max(c.opts.StreamWindow, defaultWindow))
}

func (c *Conn) onSettings(f *frame) *connError {
	switch {
	case f.stream != 0:
		return fatal(errProtocol, "SETTINGS on a stream")
	case len(f.payload)%6 != 0 || f.has(flagAck) && len(f.payload) > 0:
		return fatal(errFrameSize, "SETTINGS of a length that cannot be")
	case len(f.payload) > 6*maxSettings:
		return fatal(errTooMuch, "too many settings")
	}
	if err := c.costs(); err != nil {
		return err
	}
	if f.has(flagAck) {
		c.peer.acked = true
		return nil
	}
	for p := f.payload; len(p) > 0; p = p[6:] {
		if err := c.set(binary.BigEndian.Uint16(p), number(p[2:])); err != nil {
			return err
		}
	}
	c.out.pending = appendFrame(c.out.pending, frameSettings, flagAck, 0, nil)
	c.kick()
	c.announce()
	if !c.peer.here {
		c.peer.here = true
		c.clock.settleBy = 0
		close(c.ready)
	}
	return nil
}

// set takes over one setting.
func (c *Conn) set(id uint16, value uint32) *connError {
	switch id {
	case settingPush:
		if value != 0 {
			return fatal(errProtocol, "a server does not set ENABLE_PUSH")
		}
	case settingMaxStreams:
		c.peer.maxStreams = value
	case settingWindow:
		return c.setWindow(value)
	case settingFrameSize:
		if value < maxFrame || value > 1<<24-1 {
			return fatal(errProtocol, "MAX_FRAME_SIZE is out of its range")
		}
	case settingConnect:
		if value > 1 || value == 0 && c.peer.connect {
			return fatal(errProtocol, "ENABLE_CONNECT_PROTOCOL is out of its range, or taken back")
		}
		c.peer.connect = value == 1
	}
	return nil
}

// setWindow changes the window of all streams (RFC 9113 §6.9.2). It can become
// negative.
func (c *Conn) setWindow(value uint32) *connError {
	if value > maxWindow {
		return fatal(errFlowControl, "INITIAL_WINDOW_SIZE is too large")
	}
	change := int64(value) - c.peer.window
	c.peer.window = int64(value)
	for _, s := range c.streams {
		if s.sendWindow += change; s.sendWindow > maxWindow {
			return fatal(errFlowControl, "INITIAL_WINDOW_SIZE widens a window too far")
		}
		s.cond.Broadcast()
	}
	return nil
}
