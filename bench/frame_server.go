package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/net/http2/hpack"
)

// Frames, flags and settings of HTTP/2 that matter here (RFC 9113, 6).
const (
	frameData         = 0x0
	frameHeaders      = 0x1
	frameSettings     = 0x4
	framePing         = 0x6
	frameWindow       = 0x8
	frameContinuation = 0x9

	flagEndStream  = 0x1
	flagAck        = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20

	settingTableSize  = 0x1
	settingMaxStreams = 0x3

	frameHead     = 9
	maxFrame      = 16 << 10
	defaultWindow = 64<<10 - 1
	// workerStreams is how many requests the worker takes at a time: more than there
	// are clients, so that nobody waits for it.
	workerStreams = 256
)

// frameServer is the server's side of an HTTP/2 connection, without the connection: bytes in,
// bytes out. A request for /bytes/N is answered with N bytes, 16 KiB at most, anything else
// with the head of the request itself, as HTTP/1.1 would have it.
type frameServer struct {
	out    []byte // to be written
	decode *hpack.Decoder
	encode *hpack.Encoder
	block  bytes.Buffer // of the answer that is being encoded
	// The request that is being decoded.
	method, path, fields string
	// bodies are the paths of the requests whose content has not ended.
	bodies  map[uint32][]byte
	filler  []byte
	window  int // for content of all answers together
	waiting []framedAnswer
	taken   int // of content, since the peer's window was widened last
}

type framedAnswer struct {
	stream uint32
	body   []byte
}

var errFrames = errors.New("the proxy sends frames that this worker does not know to take")

func newFrameServer() *frameServer {
	s := &frameServer{bodies: map[uint32][]byte{}, filler: bytes.Repeat([]byte("0123456789abcdef"), maxFrame/16), window: defaultWindow}
	s.decode = hpack.NewDecoder(4096, s.field)
	s.encode = hpack.NewEncoder(&s.block)
	s.out = appendFrameHead(nil, 6, frameSettings, 0, 0)
	s.out = binary.BigEndian.AppendUint16(s.out, settingMaxStreams)
	s.out = binary.BigEndian.AppendUint32(s.out, workerStreams)
	return s
}

func appendFrameHead(dst []byte, length int, kind, flags byte, stream uint32) []byte {
	dst = append(dst, byte(length>>16), byte(length>>8), byte(length), kind, flags)
	return binary.BigEndian.AppendUint32(dst, stream)
}

// take handles all whole frames of what has arrived, and returns how many bytes they are.
func (s *frameServer) take(data []byte) (taken int, err error) {
	for {
		rest := data[taken:]
		if len(rest) < frameHead {
			return taken, nil
		}
		end := frameHead + int(rest[0])<<16 + int(rest[1])<<8 + int(rest[2])
		if end > frameHead+maxFrame {
			return taken, errFrames
		}
		if len(rest) < end {
			return taken, nil
		}
		if err := s.frame(rest[3], rest[4], binary.BigEndian.Uint32(rest[5:]), rest[frameHead:end]); err != nil {
			return taken, err
		}
		taken += end
	}
}

func (s *frameServer) frame(kind, flags byte, stream uint32, payload []byte) error {
	switch kind {
	case frameHeaders:
		return s.headers(flags, stream, payload)
	case frameData:
		s.data(flags, stream, payload)
	case frameSettings:
		return s.settings(flags, payload)
	case framePing:
		if flags&flagAck == 0 {
			s.out = append(appendFrameHead(s.out, len(payload), framePing, flagAck, 0), payload...)
		}
	case frameWindow:
		// No answer is longer than the window of a fresh stream.
		if stream == 0 && len(payload) == 4 {
			s.window += int(binary.BigEndian.Uint32(payload))
			s.goOn()
		}
	case frameContinuation:
		return errFrames // heads of this bench are short
	}
	return nil
}

func (s *frameServer) settings(flags byte, payload []byte) error {
	if flags&flagAck != 0 {
		return nil
	}
	for ; len(payload) >= 6; payload = payload[6:] {
		if value := binary.BigEndian.Uint32(payload[2:]); binary.BigEndian.Uint16(payload) == settingTableSize {
			s.encode.SetMaxDynamicTableSizeLimit(value)
		}
	}
	s.out = appendFrameHead(s.out, 0, frameSettings, flagAck, 0)
	return nil
}

// headers takes the head of a request, which is one frame.
func (s *frameServer) headers(flags byte, stream uint32, block []byte) error {
	if flags&(flagPadded|flagPriority) != 0 || flags&flagEndHeaders == 0 {
		return errFrames
	}
	s.method, s.path, s.fields = "", "", ""
	s.decode.SetEmitEnabled(true)
	if _, err := s.decode.Write(block); err != nil {
		return fmt.Errorf("decode a head: %w", err)
	}
	if err := s.decode.Close(); err != nil {
		return fmt.Errorf("decode a head: %w", err)
	}
	body := s.bodyFor()
	if flags&flagEndStream == 0 {
		s.bodies[stream] = body
		return nil
	}
	s.answer(stream, body)
	return nil
}

// field takes a field of a request. Once it is known that nobody wants to see the head, the
// rest of it is decoded without making strings of it.
func (s *frameServer) field(f hpack.HeaderField) {
	switch f.Name {
	case ":method":
		s.method = f.Value
	case ":path":
		s.path = f.Value
		if strings.HasPrefix(f.Value, bytesPath) {
			s.decode.SetEmitEnabled(false)
		}
	case ":authority":
		s.fields += "Host: " + f.Value + "\r\n"
	case ":scheme":
	default:
		s.fields += f.Name + ": " + f.Value + "\r\n"
	}
}

// bytesPath begins the paths that say how long the answer is to be.
const bytesPath = "/bytes/"

func (s *frameServer) bodyFor() []byte {
	size, found := strings.CutPrefix(s.path, bytesPath)
	if n, err := strconv.Atoi(size); found && err == nil && n >= 0 && n <= len(s.filler) {
		return s.filler[:n]
	}
	return []byte(s.method + " " + s.path + " HTTP/2\r\n" + s.fields + "\r\n")
}

// data takes content of a request, and widens the windows again. Those of streams are wide
// enough for what this bench sends.
func (s *frameServer) data(flags byte, stream uint32, payload []byte) {
	if s.taken += len(payload); s.taken > defaultWindow/2 {
		s.out = binary.BigEndian.AppendUint32(appendFrameHead(s.out, 4, frameWindow, 0, 0), uint32(s.taken))
		s.taken = 0
	}
	if body, open := s.bodies[stream]; open && flags&flagEndStream != 0 {
		delete(s.bodies, stream)
		s.answer(stream, body)
	}
}

// answer sends an answer, in its turn if the window is too small at present.
func (s *frameServer) answer(stream uint32, body []byte) {
	s.waiting = append(s.waiting, framedAnswer{stream, body})
	s.goOn()
}

func (s *frameServer) goOn() {
	done := 0
	for ; done < len(s.waiting) && len(s.waiting[done].body) <= s.window; done++ {
		s.window -= len(s.waiting[done].body)
		s.put(s.waiting[done])
	}
	s.waiting = append(s.waiting[:0], s.waiting[done:]...)
}

// put writes head and content, with the fields of the endpoints' answers.
func (s *frameServer) put(a framedAnswer) {
	s.block.Reset()
	for _, f := range [...]hpack.HeaderField{
		{Name: ":status", Value: "200"},
		{Name: "server", Value: "endpoint"},
		{Name: "date", Value: "Mon, 01 Jan 2024 00:00:00 GMT"},
		{Name: "content-type", Value: "text/plain"},
		{Name: "content-length", Value: strconv.Itoa(len(a.body))},
	} {
		_ = s.encode.WriteField(f) // into memory
	}
	s.out = append(appendFrameHead(s.out, s.block.Len(), frameHeaders, flagEndHeaders, a.stream), s.block.Bytes()...)
	s.out = append(appendFrameHead(s.out, len(a.body), frameData, flagEndStream, a.stream), a.body...)
}
