package weir

import (
	"github.com/weirproxy/weir/balance"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/shape"
)

// This file is what expressions decide beside routes: where a request is placed, and
// which response is usable. Configurations were checked: what is compiled here compiles.

// computed returns the key of a request by an expression; a request for which that
// fails has none.
func (p *Proxy) computed(text string) func(x *exchange.Exchange) (uint64, bool) {
	e, err := p.compiler().Expression(text, shape.RequestSide, shape.Text)
	if err != nil {
		return func(*exchange.Exchange) (uint64, bool) { return 0, false }
	}
	return func(x *exchange.Exchange) (uint64, bool) {
		v := shape.Borrow(x)
		defer v.Release()
		var room [256]byte
		value, err := e.AppendText(room[:0], v)
		return balance.Key(value), err == nil && len(value) > 0
	}
}

// usableIf returns whether a response is usable by an expression; one for which that
// fails is not.
func (p *Proxy) usableIf(text string) func(x *exchange.Exchange, resp *exchange.Response) bool {
	e, err := p.compiler().Expression(text, shape.ResponseSide, shape.Bool)
	if err != nil {
		return func(*exchange.Exchange, *exchange.Response) bool { return false }
	}
	return func(x *exchange.Exchange, resp *exchange.Response) bool {
		v := shape.Borrow(x)
		defer v.Release()
		v.SetResponse(resp)
		ok, err := e.Bool(v)
		return ok && err == nil
	}
}
