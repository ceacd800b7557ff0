package main

import (
	"net"
	"net/netip"
	"strings"

	"github.com/weirproxy/weir"
)

// greet says where the proxy listens, what it does, and what to try.
func (p *process) greet() {
	addresses := p.proxy.Addresses()
	p.say("weir %s", weir.Version)
	for i, address := range addresses {
		p.say("listening on %s (%s)", address, p.protocol(i))
	}
	attach := p.proxy.AttachAddress()
	if attach != "" {
		p.say("workers attach on %s", attach)
	}
	if admin := p.proxy.AdminAddress(); admin != "" {
		p.say("admin page, API and metrics on %s", browse("http", admin))
	}
	if p.cfg.Metrics != nil {
		p.say("metrics also on %s", browse("http", p.cfg.Metrics.Address))
	}
	switch {
	case len(p.cfg.Services) == 0:
		p.sayNext()
	case attach != "" && endpoints(p.cfg) == 0:
		p.sayAttach(attach, browse(p.protocol(0), addresses[0]))
	default:
		p.say("%s", extent(p.cfg))
		p.say("try: curl -i %s", browse(p.protocol(0), addresses[0]))
	}
}

func endpoints(c *weir.Config) (n int) {
	for _, s := range c.Services {
		n += len(s.Endpoints)
	}
	return n
}

// sayAttach tells who has started it without endpoints how to bring some.
func (p *process) sayAttach(attach, url string) {
	if strings.HasPrefix(attach, "unix:") || p.cfg.Attach.TLS != nil {
		p.say("requests wait for workers; docs/how-to/attach-a-server.md says how they attach")
		return
	}
	p.say(`Requests wait for workers. Next, in another terminal, attach a server, say one that
listens on port 3000:

    weir attach --to %s http://localhost:3000
    curl -i %s

Attach as many as you like, whenever you like. Without workers: weir run --to URL,...
To watch it all first: weir demo
`, dialable(attach), url)
}

// dialable is what a worker on this machine takes to reach an address that is bound.
func dialable(address string) string {
	host, port, _ := net.SplitHostPort(address)
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// protocol is the scheme of what listener i serves.
func (p *process) protocol(i int) string {
	if p.cfg.Listeners[i].TLS != nil {
		return "https"
	}
	return "http"
}

// browse is what curl takes to reach an address on which a listener is bound.
func browse(scheme, address string) string {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		return "--unix-socket " + path + " " + scheme + "://localhost/"
	}
	return scheme + "://" + dialable(address) + "/"
}

// sayNext tells who has started it without anything to do how to go on.
func (p *process) sayNext() {
	p.say(`There are no services yet, so every request is answered with 404. Next, stop this with
Ctrl-C and send requests somewhere, say to a server on port 3000:

    weir run --to http://localhost:3000

or to several, in turn:

    weir run --to http://localhost:3000,http://localhost:3001

or write down what it should do, check that, and run it:

    weir check -c weir.yaml
    weir run -c weir.yaml

or watch it work first:

    weir demo
`)
}
