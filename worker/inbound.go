package worker

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"golang.org/x/net/http2/hpack"
)

const (
	inboundBuffer = 4 << 10
	// maxBlock bounds the head of a request as it is sent, maxHead as it is read:
	// names and values, and 32 bytes for each field (RFC 9113 §6.5.2). Weir's own
	// are 64 KiB and less.
	maxBlock = 1 << 20
	maxHead  = 1 << 20
	// maxFragment is how much of a head one frame has, as every peer takes it.
	maxFragment = 16 << 10
	// maxReason is how much of a GOAWAY's text is logged.
	maxReason = 512
)

// Fields by which the connection tells the handler what HTTP/2 had in another
// form. Those that come in by these names are left out.
const (
	fieldProtocol = "weir-extended-connect" // the value of :protocol
	fieldFirst    = "weir-first-request"    // the first of the connection
)

// inbound is what the router sends, as the server gets it.
//
// Heads of requests are read and written anew, without the compression that
// depends on earlier ones: so an extended CONNECT (RFC 8441) can be given to the
// server of net/http, which knows it only if an environment variable says so, and
// requests that come after our last word can be left out.
type inbound struct {
	r       *bufio.Reader
	streams *streams
	events  inboundEvents

	ready   []byte // for the server
	passing int    // bytes that go to the server as they are
	buf     []byte
	block   []byte
	dec     *hpack.Decoder
	enc     *hpack.Encoder
	encoded bytes.Buffer
	fields  []hpack.HeaderField
	size    int
	asked   bool // the first request has come
}

// inboundEvents is who is told of what comes in. None of it may block, but for
// credit.
type inboundEvents struct {
	settings func()              // the first frame, or a later SETTINGS
	sign     func()              // the answer to our PING
	goAway   func(reason string) // the router leaves
	credit   func(bytes int)     // content was left out
}

// sign is what our PING carries.
const sign = "weirgone"

func newInbound(r *bufio.Reader, s *streams, e inboundEvents) *inbound {
	in := &inbound{r: r, streams: s, events: e}
	in.dec = hpack.NewDecoder(4096, in.field)
	in.dec.SetMaxStringLength(maxHead)
	in.enc = hpack.NewEncoder(&in.encoded)
	in.enc.SetMaxDynamicTableSizeLimit(0)
	return in
}

// Read implements io.Reader for the server.
func (in *inbound) Read(p []byte) (int, error) {
	for len(in.ready) == 0 && in.passing == 0 {
		if err := in.next(); err != nil {
			return 0, err
		}
	}
	if len(in.ready) > 0 {
		n := copy(p, in.ready)
		in.ready = in.ready[n:]
		return n, nil
	}
	n, err := in.r.Read(p[:min(len(p), in.passing)])
	in.passing -= n
	return n, err
}

// next sees what comes next.
func (in *inbound) next() error {
	b, err := in.r.Peek(frameHeadSize)
	if err != nil {
		if err == io.EOF && len(b) > 0 {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	f := parseFrameHead(b)
	switch f.kind {
	case frameHeaders:
		return in.head(f)
	case frameContinuation:
		return errBlock
	}
	if f.stream > 0 && in.streams.shuns(f.stream) {
		return in.leaveOut(f)
	}
	if err := in.look(f); err != nil {
		return err
	}
	if f.kind == framePing && f.has(flagAck) && f.length == len(sign) {
		if all, err := in.r.Peek(frameHeadSize + len(sign)); err != nil || string(all[frameHeadSize:]) == sign {
			in.events.sign()
		}
	}
	in.passing = frameHeadSize + f.length
	return nil
}

// look notes what a frame means here. The server sees it too.
func (in *inbound) look(f frameHead) error {
	switch f.kind {
	case frameSettings:
		in.events.settings()
	case frameReset:
		in.streams.reset(f.stream)
	case frameGoAway:
		all, err := in.r.Peek(frameHeadSize + min(f.length, 8+maxReason))
		if err != nil {
			return err
		}
		in.events.goAway(string(all[min(len(all), frameHeadSize+8):]))
	case frameData:
		if f.ends() {
			in.streams.endIn(f.stream)
		}
	}
	return nil
}

// leaveOut drops a frame of a request that came after our last word. What it took
// of the connection's window is given back, for others still need that.
func (in *inbound) leaveOut(f frameHead) error {
	if _, err := in.r.Discard(frameHeadSize + f.length); err != nil {
		return err
	}
	if f.kind == frameData && f.length > 0 {
		in.events.credit(f.length)
	}
	return nil
}

// head reads the head or the trailers of a request, and passes them on.
func (in *inbound) head(f frameHead) error {
	if err := in.readBlock(f); err != nil {
		return err
	}
	in.fields, in.size = in.fields[:0], 0
	if _, err := in.dec.Write(in.block); err != nil {
		return fmt.Errorf("the head of a request cannot be decompressed: %w", err)
	}
	if err := in.dec.Close(); err != nil {
		return fmt.Errorf("the head of a request cannot be decompressed: %w", err)
	}
	if in.size > maxHead {
		return errHeadTooLarge
	}
	opens, ok := in.streams.enter(f)
	if !ok {
		return nil
	}
	if f.ends() {
		in.streams.endIn(f.stream)
	}
	if opens {
		in.open()
	}
	in.write(f)
	return nil
}

var (
	errHeadTooLarge = fmt.Errorf("the head of a request has more than %d KiB", maxHead>>10)
	errPadding      = errors.New("a frame has more padding than it is long")
	errBlock        = errors.New("the head of a request is cut into pieces against the rules")
)

// readBlock collects the pieces of a head.
func (in *inbound) readBlock(f frameHead) error {
	in.block = in.block[:0]
	if err := in.readFragment(f); err != nil {
		return err
	}
	for !f.has(flagEndHeaders) {
		b, err := in.r.Peek(frameHeadSize)
		if err != nil {
			return err
		}
		stream := f.stream
		f = parseFrameHead(b)
		if f.kind != frameContinuation || f.stream != stream || f.length == 0 && !f.has(flagEndHeaders) {
			return errBlock
		}
		if err := in.readFragment(f); err != nil {
			return err
		}
	}
	return nil
}

// readFragment appends what a frame has of a head.
func (in *inbound) readFragment(f frameHead) error {
	if len(in.block)+f.length > maxBlock {
		return errHeadTooLarge
	}
	if _, err := in.r.Discard(frameHeadSize); err != nil {
		return err
	}
	start := len(in.block)
	in.block = append(in.block, make([]byte, f.length)...)
	if _, err := io.ReadFull(in.r, in.block[start:]); err != nil {
		return err
	}
	if f.kind == frameContinuation {
		return nil
	}
	rest, err := unpad(in.block[start:], f)
	in.block = append(in.block[:start], rest...)
	return err
}

// unpad takes off padding and priority (RFC 9113 §6.2).
func unpad(payload []byte, f frameHead) ([]byte, error) {
	pad := 0
	if f.has(flagPadded) {
		if len(payload) < 1 {
			return nil, errPadding
		}
		pad, payload = int(payload[0]), payload[1:]
	}
	if f.has(flagPriority) {
		if len(payload) < 5 {
			return nil, errPadding
		}
		payload = payload[5:]
	}
	if pad > len(payload) {
		return nil, errPadding
	}
	return payload[:len(payload)-pad], nil
}

// field takes one field of a head.
func (in *inbound) field(f hpack.HeaderField) {
	in.size += int(f.Size())
	if in.size <= maxHead && f.Name != fieldProtocol && f.Name != fieldFirst {
		in.fields = append(in.fields, f)
	}
}

// open sees a request.
func (in *inbound) open() {
	first := !in.asked
	in.asked = true
	method, path, protocol := -1, -1, -1
	for i, f := range in.fields {
		switch f.Name {
		case ":method":
			method = i
		case ":path":
			path = i
		case ":protocol":
			protocol = i
		}
	}
	if method < 0 || path < 0 {
		return // the server knows what to say
	}
	if first && in.fields[method].Value == "GET" && in.fields[path].Value == workerPath {
		in.fields = append(in.fields, hpack.HeaderField{Name: fieldFirst, Value: "1"})
	}
	if protocol < 0 || in.fields[method].Value != "CONNECT" {
		return
	}
	name := in.fields[protocol].Value
	in.fields[method].Value = "GET" // until the handler is called
	in.fields = append(in.fields[:protocol], in.fields[protocol+1:]...)
	in.fields = append(in.fields, hpack.HeaderField{Name: fieldProtocol, Value: name})
}

// write writes the head anew, in place of that which came.
func (in *inbound) write(f frameHead) {
	in.encoded.Reset()
	for _, field := range in.fields {
		_ = in.enc.WriteField(field) // into memory
	}
	in.buf = in.buf[:0]
	rest, kind, flags := in.encoded.Bytes(), byte(frameHeaders), f.flags&flagEndStream
	for {
		n := min(len(rest), maxFragment)
		if n == len(rest) {
			flags |= flagEndHeaders
		}
		in.buf = append(frameHead{length: n, kind: kind, flags: flags, stream: f.stream}.append(in.buf), rest[:n]...)
		if rest = rest[n:]; len(rest) == 0 {
			break
		}
		kind, flags = frameContinuation, 0
	}
	in.ready = in.buf
	in.fields = in.fields[:0]
}
