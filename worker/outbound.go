package worker

import (
	"encoding/binary"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// writeTimeout is how long the router may take no byte.
const writeTimeout = 30 * time.Second

// outbound is what the worker sends. Frames of our own are put between those of
// the server, and it is noted which streams end, once that has been handed to the
// system.
type outbound struct {
	nc      net.Conn
	streams *streams
	left    func()      // the server has said GOAWAY itself
	broken  atomic.Bool // nothing can be sent any more

	mu      sync.Mutex
	hold    []byte // the server's first frame, until it is whole
	begun   bool
	head    [frameHeadSize]byte
	have    int    // bytes in head
	payload int    // what is missing of the frame
	inBlock bool   // a head has begun that CONTINUATION ends
	ending  uint32 // the stream that ends with the frame, or block; 0 is none
	reset   bool   // it is reset
	ended   []ending
	said    bool   // a GOAWAY: a later one must not name a higher stream
	waiting []byte // frames of our own
	buf     []byte
	err     error // why it is broken
}

type ending struct {
	stream uint32
	reset  bool
}

// Write sends what the server writes, and between its frames what is waiting.
func (o *outbound) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := p
	if !o.begun {
		if out = o.begin(p); out == nil {
			return len(p), nil
		}
	}
	cut := o.scan(out)
	if len(o.waiting) > 0 && cut >= 0 {
		o.buf = append(append(append(o.buf[:0], out[:cut]...), o.waiting...), out[cut:]...)
		out, o.waiting = o.buf, nil
	}
	if err := o.send(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// begin returns the server's first frames with a SETTINGS that allows extended
// CONNECT (RFC 8441 §3); nil until the frame is whole.
func (o *outbound) begin(p []byte) []byte {
	o.hold = append(o.hold, p...)
	if len(o.hold) < frameHeadSize {
		return nil
	}
	f := parseFrameHead(o.hold)
	end := frameHeadSize + f.length
	if len(o.hold) < end {
		return nil
	}
	o.begun = true
	all := o.hold
	o.hold = nil
	if f.kind != frameSettings || f.has(flagAck) || allowsConnect(all[frameHeadSize:end]) {
		return all
	}
	f.length += 6
	out := append(f.append(nil), all[frameHeadSize:end]...)
	out = binary.BigEndian.AppendUint16(out, settingEnableConnect)
	out = binary.BigEndian.AppendUint32(out, 1)
	return append(out, all[end:]...)
}

// allowsConnect reports whether settings name extended CONNECT already, as they do
// when GODEBUG has http2xconnect=1.
func allowsConnect(settings []byte) bool {
	for ; len(settings) >= 6; settings = settings[6:] {
		if binary.BigEndian.Uint16(settings) == settingEnableConnect {
			return true
		}
	}
	return false
}

// between reports whether a frame of our own may follow.
func (o *outbound) between() bool { return o.begun && o.have == 0 && o.payload == 0 && !o.inBlock }

// scan follows the frames in p, and returns the last place in it where a frame of
// our own may stand; -1 if there is none.
func (o *outbound) scan(p []byte) (cut int) {
	cut = -1
	for at := 0; ; {
		if o.have == 0 && o.payload == 0 {
			o.frameOver()
			if o.between() {
				cut = at
			}
		}
		if at == len(p) {
			return cut
		}
		if o.payload > 0 {
			n := min(o.payload, len(p)-at)
			o.payload -= n
			at += n
			continue
		}
		n := copy(o.head[o.have:], p[at:])
		at += n
		if o.have += n; o.have == frameHeadSize {
			o.have = 0
			o.frame(parseFrameHead(o.head[:]))
		}
	}
}

// frame sees the head of a frame.
func (o *outbound) frame(f frameHead) {
	o.payload = f.length
	switch f.kind {
	case frameHeaders, frameContinuation:
		o.inBlock = !f.has(flagEndHeaders)
	case frameReset:
		o.ending, o.reset = f.stream, true
	case frameGoAway:
		o.said = true
		o.left()
	}
	if f.ends() {
		o.ending = f.stream
	}
}

// frameOver sees the end of a frame.
func (o *outbound) frameOver() {
	if o.ending > 0 && !o.inBlock {
		o.ended = append(o.ended, ending{o.ending, o.reset})
		o.ending, o.reset = 0, false
	}
}

// send hands bytes to the system, and then notes which streams have ended.
func (o *outbound) send(p []byte) error {
	if o.err != nil {
		return o.err
	}
	_ = o.nc.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, o.err = o.nc.Write(p); o.err != nil {
		o.broken.Store(true)
		return o.err
	}
	for _, e := range o.ended {
		if e.reset {
			o.streams.reset(e.stream)
		} else {
			o.streams.endOut(e.stream)
		}
	}
	o.ended = o.ended[:0]
	return nil
}

// say sends frames of our own as soon as they can stand.
func (o *outbound) say(frames []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sayLocked(frames)
}

func (o *outbound) sayLocked(frames []byte) {
	if !o.between() {
		o.waiting = append(o.waiting, frames...)
		return
	}
	_ = o.send(frames) // who reads will see that the connection has failed
}

// announce says GOAWAY without an end to what may still come, and asks for a sign
// that the router has seen it; false if the server has said GOAWAY before.
func (o *outbound) announce(sign string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.said {
		return false
	}
	o.sayLocked(appendPing(appendGoAway(nil, maxStreamID), sign))
	return true
}

// conclude says GOAWAY with the last stream that is answered.
func (o *outbound) conclude(last uint32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.said {
		o.sayLocked(appendGoAway(nil, last))
	}
}
