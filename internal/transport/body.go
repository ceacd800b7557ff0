package transport

import (
	"github.com/weirproxy/weir/internal/content"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

// body is the content of a response.
type body struct {
	content.Body
	stop *Stop
}

func (b *body) reset(l *link, f http1.Framing, stop *Stop) {
	b.stop = stop
	b.Begin(&l.reader, &l.reader, f, http1.BodyOptions{Limits: &l.owner.options().Limits, Response: true})
}

// Next implements exchange.Body.
func (b *body) Next(wait bool) ([]byte, error) {
	data, err := b.Body.Next(wait)
	if b.stop.stopped() {
		return nil, exchange.Fail(exchange.CodeCancelled, "", nil)
	}
	return data, err
}

// done reports whether it was read to its end.
func (b *body) done() bool { return b.Done() }
