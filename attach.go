package weir

import (
	"net"
	"sync/atomic"

	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/internal/attach"
	"github.com/weirproxy/weir/internal/server"
)

// An attachDoor is where workers come in: the listener of its own, if there is
// one, and what listeners for clients pass on.
type attachDoor struct {
	address  string // empty: there is no listener of its own
	tls      *serverTLS
	listener net.Listener
	routers  atomic.Pointer[[]string] // further ones, of which workers are told
}

// newAttachDoor makes the door of the configuration; what is wrong with its
// certificates is noted in found.
func newAttachDoor(p *Proxy, found *problems) *attachDoor {
	d := new(attachDoor)
	a := p.config().Attach
	if a == nil {
		return d
	}
	if a.Address != "off" {
		d.address = a.Address
	}
	if a.TLS != nil {
		d.tls = newServerTLS(*a.TLS, "attach.tls", found)
	}
	d.routers.Store(&a.Routers)
	door, err := attach.NewDoor(attach.Options{
		TLS:      d.tls.askingConfig(),
		Announce: p.workers.announce,
		Admit:    p.workers.admit,
		Draining: p.draining.Load,
		Routers:  func() []string { return *d.routers.Load() },
		Log:      p.log,
	}, attachRules(a))
	if err != nil {
		found.add("attach", err)
	}
	p.workers.door = door
	return d
}

// attachRules says who may attach and serve what.
func attachRules(a *config.Attach) attach.Rules {
	r := attach.Rules{Anonymous: len(a.Tokens)+len(a.Certificates) == 0}
	for _, t := range a.Tokens {
		r.Tokens = append(r.Tokens, attach.Token{Secret: t.Token, Services: t.Services})
	}
	for _, c := range a.Certificates {
		r.Certificates = append(r.Certificates, attach.Certificate{SAN: c.SAN, Services: c.Services})
	}
	return r
}

func (d *attachDoor) open(f Listen) error {
	if d.address == "" {
		return nil
	}
	l, err := listen(f, "attach", d.address)
	d.listener = l
	return err
}

func (d *attachDoor) close() {
	if d.listener != nil {
		_ = d.listener.Close()
	}
}

func (d *attachDoor) bound() string {
	if d.address == "" {
		return ""
	}
	return boundAddress(d.listener, d.address)
}

// attacher is how a listener for clients lets workers in; nil if it does not.
func (p *Proxy) attacher(d *door) server.Attacher {
	if !d.attach || p.workers.door == nil {
		return nil
	}
	return p.workers.door
}
