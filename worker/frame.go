package worker

import "encoding/binary"

// preface is what a client of HTTP/2 begins with (RFC 9113 §3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// The kinds of frames that matter here, their flags and numbers (RFC 9113 §6).
const (
	frameData         = 0x0
	frameHeaders      = 0x1
	frameReset        = 0x3
	frameSettings     = 0x4
	framePing         = 0x6
	frameGoAway       = 0x7
	frameWindowUpdate = 0x8
	frameContinuation = 0x9

	flagEndStream  = 0x1 // DATA, HEADERS
	flagAck        = 0x1 // SETTINGS, PING
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20

	settingEnableConnect = 0x8 // RFC 8441 §3

	frameHeadSize = 9
	maxStreamID   = 1<<31 - 1
	topBit        = 1 << 31
)

// A frameHead is what every frame begins with (§4.1).
type frameHead struct {
	length int
	kind   byte
	flags  byte
	stream uint32
}

// parseFrameHead reads the first nine bytes of b.
func parseFrameHead(b []byte) frameHead {
	return frameHead{
		length: int(b[0])<<16 | int(b[1])<<8 | int(b[2]),
		kind:   b[3], flags: b[4],
		stream: binary.BigEndian.Uint32(b[5:]) &^ topBit,
	}
}

func (h frameHead) has(flag byte) bool { return h.flags&flag != 0 }

// ends reports whether the frame is the last of its stream in this direction.
func (h frameHead) ends() bool {
	return (h.kind == frameData || h.kind == frameHeaders) && h.has(flagEndStream)
}

func (h frameHead) append(dst []byte) []byte {
	dst = append(dst, byte(h.length>>16), byte(h.length>>8), byte(h.length), h.kind, h.flags)
	return binary.BigEndian.AppendUint32(dst, h.stream)
}

// appendGoAway says goodbye without an error (§6.8).
func appendGoAway(dst []byte, last uint32) []byte {
	dst = frameHead{length: 8, kind: frameGoAway}.append(dst)
	dst = binary.BigEndian.AppendUint32(dst, last)
	return binary.BigEndian.AppendUint32(dst, 0)
}

func appendPing(dst []byte, data string) []byte {
	return append(frameHead{length: len(data), kind: framePing}.append(dst), data...)
}

// appendCredit gives back n bytes of the connection's window (§6.9).
func appendCredit(dst []byte, n int) []byte {
	dst = frameHead{length: 4, kind: frameWindowUpdate}.append(dst)
	return binary.BigEndian.AppendUint32(dst, uint32(n))
}
