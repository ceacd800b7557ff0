// Package dns finds the endpoints of a service in DNS.
//
// A name stands for its addresses (A and AAAA records), all at one port, or for its SRV
// records, which have ports, weights and priorities. An endpoint is named after its URL,
// so it is the same one in every answer.
//
// A [Provider] speaks DNS itself, for resolvers of operating systems and languages keep
// TTLs to themselves. It asks again when the smallest TTL of what it goes by has passed,
// within MinTTL and MaxTTL, and up to a tenth later, so that many routers do not ask
// together. Its servers are those of the options or of /etc/resolv.conf, whose search
// list it follows. /etc/hosts is not consulted. "localhost" and what ends in ".localhost"
// are the addresses of this machine, and nobody is asked.
//
// Layers, from the bottom: message.go writes questions and reads answers, exchange.go
// carries them, client.go goes from server to server and along aliases, memory.go keeps
// answers as long as they hold, find.go makes endpoints of them.
//
// # Outages
//
// No answer, SERVFAIL, REFUSED and whatever else is neither records nor the statement
// that there are none is an outage: the endpoints that were told last stay. If only part
// of the questions is ailing (AAAA but not A, or the addresses of one target of several),
// their last answers count, and the others are heeded.
//
// That a name does not exist, or has no records of the type, is believed when it was
// answered three times in a row, each time after the answer before has expired and 5 s
// later at least: a name that vanishes for a moment takes no endpoint with it. Until
// then it is an outage.
package dns

import (
	"context"
	"time"

	"github.com/weirproxy/weir/provider"

	"github.com/weirproxy/weir/provider/internal/registry"
)

// A Provider knows the endpoints of one service from DNS. It is a [provider.Provider];
// several Watches may run.
type Provider struct {
	o Options
	// ask is how questions are answered; tests have their own.
	ask func() asker
}

var _ provider.Provider = (*Provider)(nil)

// New returns the provider that o describes. It asks nobody yet. The error joins all
// that is wrong, each of type *provider.Problem.
func New(o Options) (*Provider, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Provider{o, func() asker { return new(client).ask }}, nil
}

// Watch implements provider.Provider.
func (p *Provider) Watch(ctx context.Context, update func(provider.Update)) error {
	w := &watch{o: p.o, ask: p.ask(), told: registry.NewAnnouncer(update, p.o.Log, p.o.Name), complaints: complaints{log: p.o.Log}}
	for ctx.Err() == nil {
		select {
		case <-time.After(w.round(ctx)):
		case <-ctx.Done():
		}
	}
	return nil
}
