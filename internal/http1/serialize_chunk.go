package http1

import (
	"strconv"

	"github.com/weirproxy/weir/internal/exchange"
)

// AppendChunk appends one chunk that holds data (RFC 9112 §7.1). No data is no
// chunk, for an empty one would be the last.
func AppendChunk(dst, data []byte) []byte {
	if len(data) == 0 {
		return dst
	}
	dst = AppendChunkHead(dst, len(data))
	dst = append(dst, data...)
	return append(dst, '\r', '\n')
}

// AppendChunkHead appends what precedes n bytes of chunk data, n > 0. CR LF
// follows the data.
func AppendChunkHead(dst []byte, n int) []byte {
	dst = strconv.AppendInt(dst, int64(n), 16)
	return append(dst, '\r', '\n')
}

// AppendLastChunk appends the end of chunked content: the last chunk, and the
// trailer fields that are not marked Skip.
func AppendLastChunk(dst []byte, trailer exchange.Header) []byte {
	w := headWriter{dst: append(dst, "0\r\n"...)}
	for i := range trailer {
		if field := &trailer[i]; !field.Skip {
			w.field(field)
		}
	}
	return append(w.dst, '\r', '\n')
}
