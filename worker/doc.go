// Package worker serves an http.Handler by dialing in to Weir routers. The worker
// opens the connections, HTTP's roles are swapped on them, and the routers send
// their clients' requests: the worker needs no port, no address that routers can
// reach, and no registry.
//
//	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
//	defer stop()
//	err := worker.Serve(ctx, worker.Options{
//		Routers: []string{"https://router.example.com:7000"},
//		Service: "shop", Version: "v2",
//		Token:   os.Getenv("WEIR_TOKEN"),
//	}, handler)
//
// # Layers
//
//	Serve    one worker
//	roster   which routers there are, and at which addresses: names are looked up
//	         again and again, and routers name others
//	post     keeps a connection to one address, with retries
//	link     one connection: what the router says, what the worker says, and how it
//	         takes leave
//	net/http the server of HTTP/2 on it
//
// # Start order
//
// It is free. Routers need not be there when a worker starts, nor names have
// addresses; a router that goes is tried until it is back, after a wait between
// nothing and a bound that doubles from 0.1 s to 10 s ("full jitter") and starts
// again once a connection has lasted 10 s. A router that is gone without a word is
// noticed within 25 s by PING (RFC 9113 §6.7).
//
// # Several routers
//
// A worker attaches to all of them: to every router of [Options], to every address
// that a name has, and to routers that those name when they let it in. Such a name
// is believed if it came over verified TLS and is for TLS, where the same trust
// and the same server name rules hold; or if both are on this machine. At most 64
// are. There is one connection to each address. All have the same instance name,
// so that a router takes them for one worker.
//
// # Requests
//
// The handler sees what net/http's server of HTTP/2 shows it, for that is what
// serves it: trailers, 1xx, [http.ResponseController], a context that ends when
// the client leaves. RemoteAddr is the router's address; TLS is nil, also where
// the connection to the router has it, for nothing in it is the client's: who the
// client is stands in X-Forwarded-For and its siblings. A panic ends one request.
// A handler that sets Connection: close makes its connection end after the
// requests on it, and another one is opened.
//
// Options.Concurrency is announced as SETTINGS_MAX_CONCURRENT_STREAMS, and a
// router never exceeds it; at most so many handlers run for each router.
//
// A WebSocket comes as an extended CONNECT (RFC 8441): Method is CONNECT,
// Header.Get(":protocol") is "websocket", the URL as usual. The handler answers
// 200 and flushes; then Body has what the client sends and what is written and
// flushed goes to the client, in frames of RFC 6455. There is no handshake by
// Sec-WebSocket-Key. GODEBUG=http2xconnect=1 is not needed.
//
// Requests whose target begins with /.well-known/weir/ are between routers and
// workers, and never reach the handler.
//
// # Leaving
//
// When ctx ends, each connection takes leave as RFC 9113 §6.8 advises: GOAWAY, so
// that nothing new is sent; a PING, whose answer says that what was on the way has
// come; GOAWAY with the last request that is answered; and the end, after that.
// Requests under way have Options.ShutdownTimeout. No request is lost: each is
// answered, or the router knows that nobody looked at it and sends it elsewhere. A
// router that wants to be left says so, and is, once another connection has taken
// over, or after 5 s.
//
// # Errors
//
// Serve returns at once if Options are wrong; else when ctx has ended: nil, or an
// error that is context.DeadlineExceeded if requests had to be cut. What goes
// wrong in between is told to Options.Log, and refusals to Options.OnRefused. A
// [Refusal] with status 400, 401 or 403 means that somebody has to change the
// configuration, here or there: the worker comes back every 5 to 10 s. The
// Retry-After of any is honoured, up to a minute. By RH2 and RHTTP routers can
// refuse only by ending the connection, unless they say why in a GOAWAY.
//
// # Concurrency
//
// Serve may be called several times in a process, each time as another worker. The
// handler, OnAttached, OnRefused, Dial and the logger are called concurrently.
// Options are not changed, and must not be while Serve runs.
//
// # What it follows
//
// RFC 9113 (HTTP/2), RFC 8441 (WebSockets over it), RFC 9110 §7.8 and
// draft-kazuho-ptth-ptth (the upgrade), RFC 7639 (ALPN field), RFC 6750 (Bearer),
// RFC 9457 (problem documents), draft-thomson-ptth-potato (rh2), and what HAProxy
// does (rhttp).
package worker
