package http2

import "encoding/binary"

// preface is what a client sends before its first frame (RFC 9113 §3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

type frameKind uint8

// The kinds of frames (RFC 9113 §6). Others are ignored.
const (
	frameData frameKind = iota
	frameHeaders
	framePriority
	frameReset
	frameSettings
	framePush
	framePing
	frameGoAway
	frameWindow
	frameContinuation
)

// The flags of frames. Two kinds give the first bit different meanings.
const (
	flagEndStream  = 0x1
	flagAck        = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20
)

const (
	// frameHead is the length of a frame's header.
	frameHead = 9
	// maxFrame is the greatest payload of a frame, in both directions: the
	// default of SETTINGS_MAX_FRAME_SIZE, which everybody takes.
	maxFrame = 16 << 10
	// topBit is reserved wherever a number has 31 bits.
	topBit = 1 << 31
)

// A frame is one frame. Its payload is valid until the next one is read.
type frame struct {
	kind    frameKind
	flags   uint8
	stream  uint32
	payload []byte
}

func (f *frame) has(flag uint8) bool { return f.flags&flag != 0 }

// strip removes padding, and what RFC 7540 had for priorities; false if the
// frame has less than it says (RFC 9113 §6.1, §6.2).
func (f *frame) strip() (content []byte, ok bool) {
	p := f.payload
	padding := 0
	if f.has(flagPadded) {
		if len(p) == 0 {
			return nil, false
		}
		padding, p = int(p[0]), p[1:]
	}
	if f.kind == frameHeaders && f.has(flagPriority) {
		if len(p) < 5 {
			return nil, false
		}
		p = p[5:]
	}
	if padding > len(p) {
		return nil, false
	}
	return p[:len(p)-padding], true
}

// appendFrameHead appends the header of a frame with a payload of length bytes.
func appendFrameHead(dst []byte, length int, kind frameKind, flags uint8, stream uint32) []byte {
	dst = append(dst, byte(length>>16), byte(length>>8), byte(length), byte(kind), flags)
	return binary.BigEndian.AppendUint32(dst, stream)
}

func appendFrame(dst []byte, kind frameKind, flags uint8, stream uint32, payload []byte) []byte {
	return append(appendFrameHead(dst, len(payload), kind, flags, stream), payload...)
}

// appendHeaders appends a block of header fields, in as many frames as it takes.
func appendHeaders(dst []byte, stream uint32, end bool, block []byte) []byte {
	kind, flags := frameHeaders, uint8(0)
	if end {
		flags = flagEndStream
	}
	for len(block) > maxFrame {
		dst = appendFrame(dst, kind, flags, stream, block[:maxFrame])
		block, kind, flags = block[maxFrame:], frameContinuation, 0
	}
	return appendFrame(dst, kind, flags|flagEndHeaders, stream, block)
}

// appendNumber appends a frame whose payload is one number.
func appendNumber(dst []byte, kind frameKind, stream, number uint32) []byte {
	return binary.BigEndian.AppendUint32(appendFrameHead(dst, 4, kind, 0, stream), number)
}

func appendGoAway(dst []byte, last uint32, code errorCode, why string) []byte {
	dst = appendFrameHead(dst, 8+len(why), frameGoAway, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, last)
	dst = binary.BigEndian.AppendUint32(dst, uint32(code))
	return append(dst, why...)
}
