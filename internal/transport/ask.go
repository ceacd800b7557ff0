package transport

import (
	"context"
	"io"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http2"
)

// Ask sends a request of the router's own over c, without content, and returns the
// status of the answer and its content, of which it reads no more than limit bytes.
// It ends when ctx does.
func Ask(ctx context.Context, c *http2.Conn, method, path string, limit int) (status int, content []byte, err error) {
	var a Attached
	a.Add(c)
	return a.ask(ctx, ownExchange(method, path), limit)
}

// ask is Ask for any of the connections, and any request.
func (a *Attached) ask(ctx context.Context, x *exchange.Exchange, limit int) (status int, content []byte, err error) {
	x.Request.Header = x.Request.Header[:1] // HTTP/2 has no Connection field
	if deadline, ok := ctx.Deadline(); ok {
		x.Deadline = exchange.Now() + time.Until(deadline)
	}
	call := Call{Stop: new(Stop)}
	release := context.AfterFunc(ctx, call.Stop.Stop)
	defer release()
	if f := a.roundTrip(x, &call); f != nil {
		return 0, nil, f
	}
	defer call.Close(x)
	content, err = readUpTo(call.Response.Body, limit)
	return call.Response.Status, content, err
}

// readUpTo reads content to its end, or to the limit.
func readUpTo(body exchange.Body, limit int) (content []byte, err error) {
	for body != nil && len(content) < limit {
		data, err := body.Next(true)
		content = append(content, data...)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	return content[:min(len(content), limit)], nil
}
