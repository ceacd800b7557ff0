package attack

import (
	"encoding/binary"
	"io"
)

// The frames of HTTP/2 (RFC 9113 §6), their flags, and the settings that are used
// here.
type kind byte

const (
	data kind = iota
	headers
	priority
	reset
	settings
	push
	ping
	goAway
	window
	continuation
)

const (
	endStream  = 0x1
	ack        = 0x1
	endHeaders = 0x4
	padded     = 0x8

	maxStreams    = 0x3
	initialWindow = 0x4
	connectable   = 0x8

	preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	// longest is the longest payload that everybody takes.
	longest = 16 << 10
)

// A heard frame is one that the router sent.
type heard struct {
	kind    kind
	flags   byte
	stream  uint32
	payload []byte
}

func readFrame(r io.Reader) (f heard, err error) {
	var h [9]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return f, err
	}
	f = heard{kind(h[3]), h[4], binary.BigEndian.Uint32(h[5:]), make([]byte, int(h[0])<<16|int(h[1])<<8|int(h[2]))}
	_, err = io.ReadFull(r, f.payload)
	return f, err
}

// frame makes a frame as it is told.
func frame(k kind, flags byte, stream uint32, payload []byte) []byte {
	n := len(payload)
	b := []byte{byte(n >> 16), byte(n >> 8), byte(n), byte(k), flags}
	return append(binary.BigEndian.AppendUint32(b, stream), payload...)
}

func number(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

// settingsOf makes a payload of pairs of identifiers and values.
func settingsOf(pairs ...uint32) (payload []byte) {
	for i := 0; i+1 < len(pairs); i += 2 {
		payload = binary.BigEndian.AppendUint16(payload, uint16(pairs[i]))
		payload = binary.BigEndian.AppendUint32(payload, pairs[i+1])
	}
	return payload
}
