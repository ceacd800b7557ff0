package server

import "sync/atomic"

// Replay bounds what is kept of requests' content that may have to be sent
// again.
type Replay struct {
	// Each bounds what is kept of one request whose handler does not say how
	// much, in bytes; Total what is kept of all.
	Each  int
	Total int64
}

// A budget is what all requests together may still keep.
type budget struct {
	Replay
	used atomic.Int64
}

// take takes n bytes; false if there are not as many.
func (b *budget) take(n int) bool {
	if b.used.Add(int64(n)) > b.Total {
		b.give(n)
		return false
	}
	return true
}

// give gives n bytes back.
func (b *budget) give(n int) { b.used.Add(-int64(n)) }

// pieceSize bounds what is handed out at once of content that is kept. Who takes
// it may copy it.
const pieceSize = 64 << 10

// piece returns the beginning of content.
func piece(content []byte) []byte {
	n := min(len(content), pieceSize)
	return content[:n:n]
}
