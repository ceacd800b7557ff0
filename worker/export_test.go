package worker

import (
	"context"
	"net/http"
	"net/netip"
)

// ServeResolving is Serve with another way to look up names: virtual time does not
// pass while somebody waits for a real one.
func ServeResolving(ctx context.Context, o Options, h http.Handler, resolve func(context.Context, string, string) ([]netip.Addr, error)) error {
	w, err := newWorker(ctx, o, h)
	if err != nil {
		return err
	}
	w.resolve = resolve
	return w.run(ctx)
}
