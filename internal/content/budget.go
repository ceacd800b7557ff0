package content

import "sync/atomic"

// A Budget bounds what is kept of requests' content that may have to be sent
// again. All who keep some share it.
type Budget struct {
	// Each bounds what is kept of one request whose handler does not say how
	// much, in bytes; Total what is kept of all.
	Each  int
	Total int64

	used atomic.Int64
}

// Used returns how many bytes are kept.
func (b *Budget) Used() int64 { return b.used.Load() }

// take takes n bytes; false if there are not as many.
func (b *Budget) take(n int) bool {
	if b.used.Add(int64(n)) > b.Total {
		b.give(n)
		return false
	}
	return true
}

// give gives n bytes back.
func (b *Budget) give(n int) { b.used.Add(-int64(n)) }
