package http2

import "github.com/weirproxy/weir/internal/exchange"

const (
	// maxInterim bounds how many interim responses precede a final one.
	maxInterim = 64
	// keptInterims bounds how many of them wait to be passed on, and all together
	// are no larger than one head may be; others are left out, as each may be.
	keptInterims = 8
)

// onHead takes a block of fields: an interim response, the final one, or trailers
// (RFC 9113 §8.1).
func (s *Stream) onHead(d *headDecoder) *connError {
	switch {
	case s.remoteEnded:
		return fatal(errStreamClosed, "fields after the end of a stream")
	case d.large:
		s.refuse(exchange.CodeResponseTooLarge, errCancel, "")
	case d.fault != "":
		s.malformed(errProtocol, d.fault)
	case s.headHere:
		s.onTrailer(d)
	case d.status == 0:
		s.malformed(errProtocol, "a response without a status")
	case d.status < 200:
		s.onInterim(d)
	default:
		s.onFinal(d)
	}
	return nil
}

func (s *Stream) onInterim(d *headDecoder) {
	s.interimCount++
	switch {
	case d.end || d.status == 101:
		s.malformed(errProtocol, "an interim response that ends the stream, or switches protocols")
	case s.interimCount > maxInterim:
		s.malformed(errTooMuch, "interim responses without end")
	case len(s.interims) < keptInterims && s.interimBytes()+len(d.text) <= s.conn.opts.Limits.HeaderBytes:
		h := new(head)
		h.set(&d.head)
		s.interims = append(s.interims, h)
		s.cond.Broadcast()
	}
}

// interimBytes is how much of interim responses waits to be passed on.
func (s *Stream) interimBytes() (n int) {
	for _, h := range s.interims {
		n += len(h.text)
	}
	return n
}

func (s *Stream) onFinal(d *headDecoder) {
	length, ok := contentLength(d.header)
	if !ok {
		s.malformed(errProtocol, "a Content-Length that is no number, or several")
		return
	}
	switch switched := s.tunnel && d.status < 300; {
	case switched:
		length = exchange.LengthUnknown
	case s.x.Request.Method == exchange.MethodHead || d.status == 304 || d.status == 204:
		length = 0
	}
	s.declared = length
	if d.end && !s.complete() {
		return
	}
	s.final.set(&d.head)
	s.headHere = true
	s.end(false, d.end)
}

func (s *Stream) onTrailer(d *headDecoder) {
	switch {
	case d.status != 0:
		s.malformed(errProtocol, "a pseudo-field in trailers")
	case !d.end:
		s.malformed(errProtocol, "trailers that do not end the stream")
	case s.complete():
		s.trailer.set(&d.head)
		markTrailers(s.trailer.header)
		s.end(false, true)
	}
}

// complete checks that as much content has come as was declared.
func (s *Stream) complete() bool {
	if s.declared > s.received {
		s.malformed(errProtocol, "less content than Content-Length says")
		return false
	}
	return true
}

// onData takes content. n is what of the window it has used.
func (s *Stream) onData(n int64, data []byte, end bool) *connError {
	s.recvWindow -= n
	s.received += int64(len(data))
	switch {
	case s.remoteEnded:
		return fatal(errStreamClosed, "content after the end of a stream")
	case s.recvWindow < 0:
		s.malformed(errFlowControl, "more content than the stream's window")
	case !s.headHere:
		s.malformed(errProtocol, "content before a response")
	case s.declared >= 0 && s.received > s.declared:
		s.malformed(errProtocol, "more content than Content-Length says, or where there is none")
	default:
		s.in = append(s.in, data...)
		s.cond.Broadcast()
		if end {
			if s.complete() {
				s.end(false, true)
			}
			return nil
		}
		s.widen(n - int64(len(data))) // padding is not read by anybody
	}
	return nil
}

// widen lets the peer send n more bytes, soon.
func (s *Stream) widen(n int64) {
	s.credit += n
	if s.removed || s.remoteEnded || s.credit < int64(s.conn.opts.StreamWindow)/2 {
		return
	}
	s.conn.out.pending = appendNumber(s.conn.out.pending, frameWindow, s.id, uint32(s.credit))
	s.recvWindow += s.credit
	s.credit = 0
	s.conn.kick()
}

// collect hands out what has arrived, until the next call.
func (s *Stream) collect() []byte {
	if len(s.in) == 0 {
		return nil
	}
	data := s.in
	s.in, s.spare = s.spare[:0], data[:0]
	return data
}
