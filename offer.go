package weir

import (
	"fmt"
	"net"
	"slices"

	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/endpoint"
	"github.com/weirproxy/weir/internal/service"
	"github.com/weirproxy/weir/internal/transport"
)

// An offer is an endpoint that was announced, and how it is to be reached.
type offer struct {
	endpoint.Endpoint
	headers config.Fields
	// from is who has announced it: fromConfig, fromAPI, or the kind of a source.
	from string
	// tls are the files by which it is verified, secure what was read of them; nil
	// if it is reached in clear text.
	tls    config.ClientTLS
	secure *clientTLS
}

// Who has announced an endpoint.
const (
	fromConfig = "config"
	fromAPI    = "api"
	fromWorker = "worker"
)

// newOffer reads the files that reaching an endpoint takes. The error is of type
// *keyError, below the tls of the endpoint or its service.
func newOffer(e endpoint.Endpoint, c config.Endpoint, s config.Service) (offer, *keyError) {
	o := offer{Endpoint: e, headers: c.Headers, tls: firstTLS(c.TLS, s.TLS)}
	if !e.Address.TLS {
		return o, nil
	}
	var err *keyError
	o.secure, err = newClientTLS(o.tls, e.Address.Host)
	return o, err
}

// merge lists what several have announced, each name once.
func merge(lists [][]offer) (all []offer) {
	seen := map[string]bool{}
	for _, list := range lists {
		for _, o := range list {
			if !seen[o.Name] {
				seen[o.Name] = true
				all = append(all, o)
			}
		}
	}
	return all
}

// nameOffers names those that have no name after their URL, and their place among
// equal ones.
func nameOffers(list []offer) {
	seen := map[string]int{}
	for i := range list {
		if list[i].Name != "" {
			continue
		}
		url := list[i].Address.String()
		seen[url]++
		list[i].Name = url
		if n := seen[url]; n > 1 {
			list[i].Name = fmt.Sprintf("%s#%d", url, n)
		}
	}
}

// reached is the way to an endpoint.
type reached struct {
	*transport.HTTP1
	offer offer
}

// reachLocked returns the endpoints that were offered and the ways to them by name,
// and those ways that nothing leads along any more.
func (s *liveService) reachLocked(anew bool) (endpoints []endpoint.Endpoint, ways map[string]service.Transport, left []*reached) {
	ways = map[string]service.Transport{}
	for _, o := range s.offersLocked() {
		r := s.reached[o.Name]
		switch {
		case r == nil || r.offer.Address != o.Address:
			if r != nil {
				left = append(left, r)
			}
			r = &reached{transport.NewHTTP1(s.transportOptions(o)), o}
			s.reached[o.Name] = r
		case anew || !r.offer.reachedAs(o):
			afresh := r.offer.tls != o.tls
			r.offer = o
			r.Reconfigure(s.transportOptions(o), afresh)
		default:
			r.offer = o // the same way, described anew
		}
		endpoints = append(endpoints, o.Endpoint)
		ways[o.Name] = r.HTTP1
	}
	for name, r := range s.reached {
		if ways[name] == nil {
			delete(s.reached, name)
			left = append(left, r)
		}
	}
	return endpoints, ways, left
}

// reachedAs reports whether what is offered is reached in the same way.
func (o offer) reachedAs(other offer) bool {
	return o.tls == other.tls && slices.Equal(o.headers, other.headers)
}

func (s *liveService) transportOptions(o offer) transport.Options {
	p, c := s.proxy, s.settings()
	dialer := transport.Dialer{Address: o.Address, Timeout: c.Timeouts.Connect.Std(), Connect: p.dial}
	if o.secure != nil {
		dialer.TLS = o.secure.config()
	}
	if p.dial == nil && o.Address.Network == "tcp" && net.ParseIP(o.Address.Host) == nil {
		dialer.Names = transport.NewNames(o.Address.Host, nil)
	}
	return transport.Options{
		Dialer:   dialer,
		Head:     requestHead(c, o),
		Limits:   p.headLimits(),
		Response: c.Timeouts.Response.Std(),
		Read:     c.Timeouts.Read.Std(),
		Write:    c.Timeouts.Write.Std(),
		Idle:     c.Timeouts.Idle.Std(),
		MaxIdle:  max(0, c.Pool.MaxIdle),
		MaxAge:   c.Pool.MaxAge.Std(),
		Watchdog: p.watchdog,
	}
}
