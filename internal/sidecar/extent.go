package sidecar

import (
	"bytes"
	"strconv"
	"strings"
)

// An extent finds where the content of a response ends on its connection (RFC 9112
// §6.3). It decides nothing but whether the connection can be used again: what it
// does not understand has no end for it, and http.Transport will say what is wrong.
type extent struct {
	part part
	left int64  // of the content, or of a chunk
	line []byte // what has come of a line
}

// A part is where in the content an extent is.
type part uint8

const (
	unbounded part = iota // the content ends with the connection
	counted               // it has as many bytes as are left
	sizeLine              // the size of a chunk is next
	chunk                 // as many bytes of a chunk as are left
	chunkEnd              // the end of the line behind a chunk
	trailers              // the lines behind the last chunk
	finished              // nothing of it is missing
)

// maxLine bounds a line of chunked content; http.Transport takes less.
const maxLine = 64 << 10

// newExtent returns where the content of a response with that head ends.
func newExtent(r *received, toHEAD bool) extent {
	coding, length := r.values("Transfer-Encoding"), r.values("Content-Length")
	switch status := r.status(); {
	case status == "101":
		return extent{}
	case toHEAD, status == "204", status == "304":
		return extent{part: finished}
	case len(coding) == 1 && strings.EqualFold(coding[0], "chunked"):
		return extent{part: sizeLine}
	case len(coding) > 0 || len(length) == 0:
		return extent{}
	default:
		n, err := strconv.ParseInt(length[0], 10, 64)
		switch {
		case err != nil || n < 0:
			return extent{}
		case n == 0:
			return extent{part: finished}
		}
		return extent{part: counted, left: n}
	}
}

// follow sees more bytes, and returns how many of them are the response's.
func (e *extent) follow(p []byte) (n int) {
	for n < len(p) {
		switch e.part {
		case unbounded:
			return len(p)
		case finished:
			return n
		case counted, chunk:
			n += e.skip(len(p) - n)
		case sizeLine, chunkEnd, trailers:
			n += e.readLine(p[n:])
		}
	}
	return n
}

// skip passes over content.
func (e *extent) skip(most int) int {
	n := min(int64(most), e.left)
	e.left -= n
	switch {
	case e.left > 0:
	case e.part == chunk:
		e.part = chunkEnd
	default:
		e.part = finished
	}
	return int(n)
}

// readLine reads up to the end of a line.
func (e *extent) readLine(p []byte) int {
	n := bytes.IndexByte(p, '\n') + 1
	if n == 0 {
		n = len(p)
	}
	e.line = append(e.line, p[:n]...)
	switch {
	case len(e.line) > maxLine:
		*e = extent{}
	case e.line[len(e.line)-1] == '\n':
		e.endLine(strings.TrimRight(string(e.line), "\r\n"))
		e.line = e.line[:0]
	}
	return n
}

func (e *extent) endLine(line string) {
	switch e.part {
	case sizeLine:
		size, _, _ := strings.Cut(line, ";")
		n, err := strconv.ParseUint(strings.TrimRight(size, " \t"), 16, 62)
		switch {
		case err != nil:
			e.part = unbounded
		case n == 0:
			e.part = trailers
		default:
			e.part, e.left = chunk, int64(n)
		}
	case chunkEnd:
		e.part = sizeLine
	case trailers:
		if line == "" {
			e.part = finished
		}
	}
}
