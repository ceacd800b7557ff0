// Package maxbody bounds the content of requests more tightly than the listener
// does: 413 (RFC 9110 §15.5.14) for what is larger.
//
// Content with a length is refused before any of it is read, and before a client
// that waits for 100 is told to send it; if it is small enough nothing is put in
// its way, and it can still be moved inside the kernel. Content without a length
// is counted as it passes. What an endpoint has by the time the bound is passed is
// not a whole request: its connection is ended, and the client gets 413.
package maxbody

import (
	"github.com/weirproxy/weir/internal/exchange"
)

// Check returns why a request is refused whose content may have that many bytes;
// nil if nothing is known against it. It is called once, before the content is
// read.
func Check(x *exchange.Exchange, most int64) *exchange.Failure {
	req := &x.Request
	switch {
	case req.Length > most:
		return tooLarge()
	case req.Body != nil && req.Length < 0:
		req.Body = &body{RequestBody: req.Body, most: most}
	}
	return nil
}

func tooLarge() *exchange.Failure {
	return exchange.Fail(exchange.CodeContentTooLarge, "the content is larger than the route's max_body", nil)
}

// A body is content without a length. It implements exchange.RequestBody.
type body struct {
	exchange.RequestBody
	most, read int64
}

// Next implements exchange.Body.
func (b *body) Next(wait bool) ([]byte, error) {
	if b.read > b.most {
		return nil, tooLarge()
	}
	data, err := b.RequestBody.Next(wait)
	b.read += int64(len(data))
	if b.read > b.most {
		return nil, tooLarge()
	}
	return data, err
}

// Load implements exchange.RequestBody. Content that is not whole is counted when
// it is read on.
func (b *body) Load() (whole bool, err error) {
	whole, err = b.RequestBody.Load()
	if err != nil || !whole {
		return whole, err
	}
	left := b.most
	for copied := b.Fork(); ; {
		data, err := copied.Next(false)
		if err != nil { // its end: what is loaded does not fail
			return true, nil
		}
		if left -= int64(len(data)); left < 0 {
			return false, tooLarge()
		}
	}
}

// Rewind implements exchange.RequestBody.
func (b *body) Rewind() bool {
	if !b.RequestBody.Rewind() {
		return false
	}
	b.read = 0
	return true
}
