package weir

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/weirproxy/weir/internal/content"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/handler"
)

// ServeHTTP makes the proxy an http.Handler, to be served by another program's
// http.Server, with or beside other handlers. Listen and Serve are not called for
// that: nothing is opened. Requests go through the same routes and services as those
// from the proxy's own listeners, and are counted and logged with them.
//
// Target, method, fields, content and trailers are passed on as they were received;
// if a handler before has changed the URL of r, as http.StripPrefix does, or its
// Host, then as they are now. Values are kept, and how often each name occurs; the
// order of fields with different names and the case of names are not, because r does
// not have them. Of responses, net/http writes the reason phrase anew, and leaves
// Content-Type and Content-Length out of a 304.
//
// Bounded are heads (limits.header_bytes and header_count), content (body_bytes,
// body_timeout, replay_bytes) and how long a client may take no byte of its answer
// (timeouts.write), for which w is given deadlines in the place of those of its
// server. How many connections there are, how long one may be idle and how long a
// head may take is up to the server.
//
// 1xx responses and content are passed on as they come. Over HTTP/1.1 a client may
// switch to what the listeners of the configuration allow, websocket if there are
// none; over HTTP/2 (RFC 8441) it may not. Expect: 100-continue is up to the endpoint over
// HTTP/1.1, and up to net/http, which does not pass it on, over HTTP/2. All that needs a w that can flush, take
// deadlines and be hijacked: one that wraps another has to have Unwrap.
//
// Where a response cannot be passed on to its end, ServeHTTP panics with
// http.ErrAbortHandler, so that the client sees that it was cut short.
//
// Shutdown waits for requests in ServeHTTP as for all others. Those that come later
// are answered with 503.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }

// handlerName is what the access log has for the listener of ServeHTTP's requests.
const handlerName = "http.Handler"

func (p *Proxy) newHandler(replay *content.Budget) *handler.Handler {
	lim := p.config().Limits
	return handler.New(handler.Options{
		Handler:      exchange.HandlerFunc(p.serve),
		Observe:      p.observer.Observe,
		Problems:     p.problems(),
		Limits:       p.headLimits(),
		BodyTimeout:  lim.BodyTimeout.Std(),
		WriteTimeout: defaultWrite,
		BodyBytes:    int64(lim.BodyBytes),
		Replay:       replay,
		Listener:     handlerName,
		Upgrades:     p.upgrades(),
		Watchdog:     p.watchdog,
	})
}

// upgrades returns the protocols that some listener lets clients switch to.
func (p *Proxy) upgrades() (list []string) {
	for _, l := range p.config().Listeners {
		list = append(list, l.Upgrades...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// endRequests waits until no request is under way, wherever it came in.
func (p *Proxy) endRequests(ctx context.Context) error {
	p.handler.Close()
	return cmp.Or(p.server.Shutdown(ctx), p.handler.Shutdown(ctx))
}
