package demo

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
)

const (
	firstListen = "127.0.0.1:8080"
	firstAttach = "127.0.0.1:7000"
	firstAdmin  = "127.0.0.1:9900"
	// portsTried is how many ports in a row are tried before any free one is
	// taken.
	portsTried = 10
)

// A stage is where the router listens.
type stage struct {
	clients, attach, admin string
	fixed                  bool // clients is as the user wants it
}

// findStage returns where a router can listen: at listen, or where there is room
// if that is empty. Nothing listens there yet.
func findStage(listen string) (stage, error) {
	s := stage{clients: listen, attach: firstAttach, admin: firstAdmin, fixed: listen != ""}
	if listen == "" {
		s.clients = firstListen
	}
	r, err := openRouter(s, slog.New(slog.DiscardHandler))
	if err != nil {
		return s, err
	}
	if _, port, err := net.SplitHostPort(listen); err == nil && port == "0" {
		s.fixed = false // any port will do
	}
	s.clients, s.attach, s.admin = r.proxy.Addresses()[0], r.proxy.AttachAddress(), r.proxy.AdminAddress()
	return s, r.close()
}

// config is the configuration of weir run, at these addresses.
func (s stage) config() weir.Config {
	c := config.Zero()
	c.Listeners[0].Address = s.clients
	c.Attach.Address = s.attach
	c.Admin.Address = s.admin
	return *c
}

// moveFrom takes another address in place of a busy one; false if there is none to
// take.
func (s *stage) moveFrom(busy *weir.ListenError) bool {
	switch busy.Role {
	case "admin":
		s.admin = next(busy.Address, firstAdmin)
	case "attach":
		s.attach = next(busy.Address, firstAttach)
	case "clients":
		if s.fixed {
			return false
		}
		s.clients = next(busy.Address, firstListen)
	default:
		return false
	}
	return true
}

// A router is the proxy to which the workers dial in.
type router struct {
	proxy              *weir.Proxy
	url, attach, admin string
}

// openRouter opens a router at s, or beside it if others are there.
func openRouter(s stage, log *slog.Logger) (*router, error) {
	for {
		p, err := open(s.config(), log)
		if err == nil {
			return &router{proxy: p, url: "http://" + p.Addresses()[0], attach: p.AttachAddress(), admin: "http://" + p.AdminAddress()}, nil
		}
		var busy *weir.ListenError
		if !errors.As(err, &busy) || !errors.Is(busy.Err, syscall.EADDRINUSE) || !s.moveFrom(busy) {
			return nil, err
		}
	}
}

// open makes a proxy and opens its listeners.
func open(cfg weir.Config, log *slog.Logger) (*weir.Proxy, error) {
	p, err := weir.New(cfg, weir.WithLogger(log))
	if err != nil {
		return nil, err
	}
	if err := p.Listen(); err != nil {
		_ = p.Shutdown(context.Background())
		return nil, err
	}
	return p, nil
}

// next returns the address to try after a busy one.
func next(busy, first string) string {
	host, port, _ := net.SplitHostPort(busy)
	_, from, _ := net.SplitHostPort(first)
	at, _ := strconv.Atoi(port)
	start, _ := strconv.Atoi(from)
	if at++; at >= start+portsTried {
		at = 0
	}
	return net.JoinHostPort(host, strconv.Itoa(at))
}

func (r *router) serve() error { return r.proxy.Serve() }

func (r *router) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return r.proxy.Shutdown(ctx)
}
