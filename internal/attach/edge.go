package attach

import (
	"crypto/tls"
	"net"
	"net/http"

	"github.com/weirproxy/weir/internal/exchange"
)

// Ask decides about x, a request to attach nc, which came in on a listener for
// clients; ahead says that more than the request has arrived. nc is neither read
// nor written. A refusal is the response to x, and what is returned is nil. Else
// the caller sends [Door.AppendAccept], and then gives the connection to what is
// returned: that calls [Door.Attach], and returns when it does.
//
// What bounds the request is the listener's.
func (d *Door) Ask(x *exchange.Exchange, nc net.Conn, ahead bool) (attach func(nc net.Conn)) {
	r := Request{Head: &x.Request, Remote: nc.RemoteAddr(), Ahead: ahead}
	if secure, ok := nc.(*tls.Conn); ok {
		state := secure.ConnectionState()
		r.TLS = &state
	}
	id, refusal := d.Upgrade(r)
	if refusal != nil {
		d.logRefusal(r.Remote, refusal, string(x.ID))
		refusal.respond(x)
		return nil
	}
	return func(nc net.Conn) {
		if err := d.Attach(id, nc); err != nil {
			d.logLoss(nc.RemoteAddr(), err)
		}
	}
}

// Reverse takes over a connection that came in on a listener for clients, and on
// which ALPN has chosen rh2: it gets the place and the time of a handshake, and is
// closed if there is none. It returns when Announce does.
func (d *Door) Reverse(nc *tls.Conn) {
	h := d.beginNow(nc.NetConn()) // closing that does not wait for a last word of TLS
	if h == nil {
		d.opts.Log.Debug("there is no place for a handshake", "remote", nc.RemoteAddr())
		_ = nc.NetConn().Close()
		return
	}
	defer d.busy.Done()
	state := nc.ConnectionState()
	h.reverse(nc, &state)
}

// respond answers x with the refusal, and notes it in the outcome.
func (r *Refusal) respond(x *exchange.Exchange) {
	way := x.Responder
	if r.Status == http.StatusUnauthorized {
		x.Responder = challenger{way}
	}
	// Who has left is not told; that is in the outcome too.
	_ = exchange.Problems{}.Respond(x, r.failure())
	x.Responder = way
}

func (r *Refusal) failure() *exchange.Failure {
	return &exchange.Failure{Code: r.code(), Detail: r.Detail, Allow: r.Allow, RetryAfter: r.RetryAfter}
}

// code returns the refusal's row in the list of errors; one of its own if it has
// none there, and then nothing counts it by its name.
func (r *Refusal) code() *exchange.Code {
	for _, c := range exchange.Codes() {
		if c.Name == r.Code && c.Status == r.Status {
			return c
		}
	}
	return &exchange.Code{Name: r.Code, Status: r.Status, Side: exchange.SideClient, Phase: "attach", Meaning: r.Detail}
}

// A challenger adds to a response how to authenticate (RFC 9110 §11.6.1).
type challenger struct{ exchange.Responder }

// Respond implements exchange.Responder.
func (c challenger) Respond(resp *exchange.Response) error {
	resp.Header = append(resp.Header, exchange.Field{Name: []byte("WWW-Authenticate"), Value: []byte("Bearer")})
	return c.Responder.Respond(resp)
}
