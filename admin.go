package weir

import (
	"context"
	"fmt"
	"net"
	"net/http"

	"github.com/weirproxy/weir/internal/admin"
)

// adminState is the listeners for whoever runs the proxy.
type adminState struct {
	api, metrics net.Listener // nil: not configured
	stop         context.CancelFunc
	ctx          context.Context
}

// open opens the admin and the metrics listener, both or none.
func (a *adminState) open(p *Proxy) error {
	a.ctx, a.stop = context.WithCancel(context.Background())
	if !p.config().Admin.Off {
		l, err := listen(net.Listen, "admin", p.config().Admin.Address)
		if err != nil {
			return err
		}
		a.api = l
	}
	if p.config().Metrics != nil {
		l, err := listen(net.Listen, "metrics", p.config().Metrics.Address)
		if err != nil {
			a.close()
			return err
		}
		a.metrics = l
	}
	return nil
}

func (a *adminState) serve(p *Proxy) {
	if a.api != nil {
		a.answer(p, a.api, admin.New(p.adminOptions(a.api)))
	}
	if a.metrics != nil {
		a.answer(p, a.metrics, admin.MetricsOnly(p.adminOptions(a.metrics)))
	}
}

func (a *adminState) answer(p *Proxy, l net.Listener, h http.Handler) {
	p.serving.Go(func() {
		// Once it is to stop, close may be faster than Serve at closing l.
		if err := admin.Serve(a.ctx, l, h, p.log); err != nil && a.ctx.Err() == nil {
			p.fail(fmt.Errorf("listener %s: %w", l.Addr(), err))
		}
	})
}

func (a *adminState) close() {
	if a.stop != nil {
		a.stop()
	}
	for _, l := range []net.Listener{a.api, a.metrics} {
		if l != nil {
			_ = l.Close()
		}
	}
}

func (a *adminState) bound() string {
	if a.api == nil {
		return ""
	}
	return boundAddress(a.api, "")
}

func (p *Proxy) adminOptions(l net.Listener) admin.Options {
	return admin.Options{
		Token:     p.config().Admin.Token,
		Loopback:  admin.Loopback(l),
		Hosts:     p.config().Admin.Hosts,
		Metrics:   p.observer.Handler(),
		NotReady:  p.notReady,
		Services:  overview{p},
		Events:    feed{p.events},
		Endpoints: registry{p},
		Config:    func() any { return p.config().Redacted() },
		Reload:    p.reloader(),
		Verbose:   p.config().Errors == "verbose",
		Version:   Version,
	}
}

// notReady returns why the proxy should not be sent requests.
func (p *Proxy) notReady() []string {
	if p.draining.Load() {
		return []string{"shutting down"}
	}
	return nil
}
