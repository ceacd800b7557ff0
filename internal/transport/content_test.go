package transport

import (
	"errors"
	"io"
	"sync"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

var errInterrupted = errors.New("interrupted")

// A pieces is content of a request that comes piece by piece, the first at once.
type pieces struct {
	list  []string
	every time.Duration
	// endless: when all pieces have come, more is waited for that never comes.
	endless bool
	trailer exchange.Header

	at          int
	once        sync.Once
	interrupted chan struct{}
}

func newPieces(list ...string) *pieces {
	return &pieces{list: list, interrupted: make(chan struct{})}
}

func (p *pieces) Next(wait bool) ([]byte, error) {
	switch more := p.at < len(p.list); {
	case !more && !p.endless:
		return nil, io.EOF
	case p.at > 0 && p.every > 0 && !wait:
		return nil, nil
	case !more && !wait:
		return nil, nil
	case !more:
		<-p.interrupted
		return nil, errInterrupted
	case p.at > 0 && p.every > 0:
		select {
		case <-p.interrupted:
			return nil, errInterrupted
		case <-time.After(p.every):
		}
	}
	p.at++
	return []byte(p.list[p.at-1]), nil
}

func (p *pieces) Trailer() exchange.Header   { return p.trailer }
func (p *pieces) Keep(int)                   {}
func (p *pieces) Load() (bool, error)        { return !p.endless, nil }
func (p *pieces) Fork() exchange.RequestBody { return newPieces(p.list...) }
func (p *pieces) Interrupt()                 { p.once.Do(func() { close(p.interrupted) }) }

func (p *pieces) Rewind() bool {
	p.at = 0
	return true
}

// with gives x content whose length is not known.
func with(x *exchange.Exchange, p *pieces) *exchange.Exchange {
	x.Request.Body, x.Request.Length = p, exchange.LengthUnknown
	return x
}
