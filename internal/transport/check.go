package transport

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/weirproxy/weir/internal/exchange"
)

// A Check is what an endpoint is asked to see whether it is well.
type Check struct {
	// Path is what is asked for by GET, query included; the base path of the
	// endpoint's URL is not put in front of it. If empty, it is enough that
	// the endpoint takes a connection, TLS handshake included.
	Path string
	// Expect reports whether the status of the response is that of an endpoint
	// which is well. If nil, those from 200 to 299 are.
	Expect func(status int) bool
}

// Check opens a connection of its own, asks c, and closes it: neither kept
// connections nor Connections are touched. It ends when ctx does, whatever the
// endpoint does. Errors are of type *exchange.Failure, with the codes that a
// request would get, so that a failure to connect can be told from others; only
// that the status is not as expected is an error of another type.
func (t *HTTP1) Check(ctx context.Context, c Check) error {
	o := *t.options()
	o.Head.BasePath, o.Head.BaseQuery = "", ""
	o.Response, o.MaxIdle = 0, 0
	l, f := NewHTTP1(o).dial(ctx)
	if f != nil {
		return f
	}
	call := Call{Stop: new(Stop)}
	release := context.AfterFunc(ctx, func() {
		call.Stop.Stop()
		l.hangUp()
	})
	defer release() // when the connection is closed
	if c.Path == "" {
		l.close()
		return nil
	}
	x := c.exchange()
	if f := call.run(x, l); f != nil && ctx.Err() != nil {
		return exchange.Fail(exchange.CodeResponseTimeout, "", ctx.Err())
	} else if f != nil {
		return f
	}
	defer call.Close(x)
	return c.judge(call.Response.Status)
}

// exchange is the request that asks c.
func (c Check) exchange() *exchange.Exchange { return ownExchange("GET", c.Path) }

// ownExchange is a request that no client has sent. Without the ID of Connection,
// that is a field like any other, which is sent.
func ownExchange(method, path string) *exchange.Exchange {
	x := &exchange.Exchange{Gone: new(atomic.Bool)}
	x.Request = exchange.Request{
		MethodName: []byte(method), Method: exchange.ParseMethod([]byte(method)),
		Path: []byte(path),
		Header: exchange.Header{
			{Name: []byte("User-Agent"), Value: []byte("weir-health"), ID: exchange.FieldUserAgent},
			{Name: []byte("Connection"), Value: []byte("close")},
		},
	}
	return x
}

// judge returns nil if the status is that of an endpoint which is well.
func (c Check) judge(status int) error {
	well := status/100 == 2
	if c.Expect != nil {
		well = c.Expect(status)
	}
	if !well {
		return fmt.Errorf("status %d", status)
	}
	return nil
}
