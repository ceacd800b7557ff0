package content

import (
	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// spliceFrom is how much content must be left for moving it inside the kernel to
// be worth the extra calls.
const spliceFrom = 64 << 10

// A Body is the content of one message that is read from a Reader. It is an
// exchange.Body.
type Body struct {
	http1.BodyReader
	reader *Reader
}

// Begin makes b the content that follows on r, framed by f. The source is r
// itself, or whoever wraps it to say what its errors mean.
func (b *Body) Begin(r *Reader, source http1.Source, f http1.Framing, o http1.BodyOptions) {
	b.reader = r
	b.Reset(source, f, o)
}

// SpliceTo moves what is left of the content to dst inside the kernel, if both
// are plain sockets, the content has a length, and enough of it is left. Content
// that is buffered must have been taken by Next before. It returns how many
// bytes it moved; errors of reading are of type *conn.ReadError.
func (b *Body) SpliceTo(dst conn.Conn, lim conn.SpliceLimits) (n int64, handled bool, err error) {
	left, known := b.Remaining()
	if !known || left < spliceFrom {
		return 0, false, nil
	}
	if ahead, err := b.Next(false); ahead != nil || err != nil {
		// Cannot be: whoever calls this has taken what was there.
		return 0, false, err
	}
	lim.Read, lim.Total = b.reader.Timeout, b.reader.remaining()
	n, handled, err = conn.Splice(dst, b.reader.Conn, left, lim)
	b.reader.Conn.Watch().Begin(b.reader.After, 0)
	b.Take(n)
	return n, handled, err
}

// A Splicer is a Body that may be able to move its content inside the kernel.
type Splicer interface {
	SpliceTo(dst conn.Conn, lim conn.SpliceLimits) (n int64, handled bool, err error)
}

var (
	_ exchange.Body = (*Body)(nil)
	_ Splicer       = (*Body)(nil)
)
