package admin

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// stopTimeout is how long requests that are being served when the listener stops
// may take to end.
const stopTimeout = 2 * time.Second

// Serve answers what connects to l with h, until ctx is done; then it finishes
// what is being answered, for two seconds at most, and returns nil. Streams of
// events end at once. It closes l. Any other end is an error.
func Serve(ctx context.Context, l net.Listener, h http.Handler, logger *slog.Logger) error {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      60 * time.Second, // a scrape of many series to somebody slow
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		BaseContext:       func(net.Listener) context.Context { return withStopping(ctx) },
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		server.Close()
		return err
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if server.Shutdown(limit) != nil {
		server.Close()
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// stoppingKey is the key of the context that ends when Serve is to stop.
type stoppingKey struct{}

// withStopping returns a context for requests. It does not end with ctx itself,
// because a request that is being answered is finished.
func withStopping(ctx context.Context) context.Context {
	return context.WithValue(context.WithoutCancel(ctx), stoppingKey{}, ctx)
}

// stopping returns the context that ends when the listener that a request came
// over is to stop; one that never ends if Serve did not accept it.
func stopping(request context.Context) context.Context {
	if ctx, ok := request.Value(stoppingKey{}).(context.Context); ok {
		return ctx
	}
	return context.Background()
}

// Loopback reports whether only this machine can connect to a listener: its
// address is a loopback address or a Unix socket.
func Loopback(l net.Listener) bool {
	switch addr := l.Addr().(type) {
	case *net.TCPAddr:
		return addr.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	default:
		return false
	}
}
