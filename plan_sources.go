package weir

import (
	"cmp"

	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/provider"
	"github.com/weirproxy/weir/provider/consul"
	"github.com/weirproxy/weir/provider/dns"
	"github.com/weirproxy/weir/provider/etcd"
	"github.com/weirproxy/weir/provider/file"
	"github.com/weirproxy/weir/provider/zookeeper"
)

// This file says in the terms of providers what a configuration says of sources.

// newSources returns the sources of a listing; what is wrong with them is noted in
// found. Nobody listens to them yet.
func newSources(p *Proxy, l listing, found *problems) []*source {
	if l.provider == nil {
		return nil
	}
	m := sourceMaker{proxy: p, key: l.key, path: l.path + ".provider", found: found}
	m.all(l.provider)
	return m.list
}

// holdAbove is how often an endpoint may go in half a minute or so before it counts as
// flapping: a rolling restart is to cost nothing.
const holdAbove = 5

// A sourceMaker makes the sources of one listing.
type sourceMaker struct {
	proxy *Proxy
	key   serviceKey
	path  string
	found *problems
	list  []*source
}

// all makes them, in the order in which they rank.
func (m *sourceMaker) all(c *config.Provider) {
	if f := c.File; f != nil {
		from, err := file.New(file.Options{Path: f.Path, Log: m.proxy.log})
		m.add("file", *f, from, err)
	}
	if d := c.DNS; d != nil {
		from, err := dns.New(dns.Options{Name: d.Name, Port: d.Port, Scheme: d.Scheme, Servers: d.Servers, Log: m.proxy.log})
		m.add("dns", *d, from, err)
	}
	if d := c.SRV; d != nil {
		from, err := dns.New(dns.Options{Name: d.Name, SRV: true, Scheme: d.Scheme, Servers: d.Servers, Log: m.proxy.log})
		m.add("srv", *d, from, err)
	}
	m.registries(c)
}

// registries makes those that are registries.
func (m *sourceMaker) registries(c *config.Provider) {
	if e := c.Etcd; e != nil {
		from, err := etcd.New(etcd.Options{
			Endpoints: e.Endpoints, Prefix: e.Prefix, Service: cmp.Or(e.Service, m.key.name),
			CA: e.CA, Cert: e.Cert, Key: e.Key, User: e.User, Password: e.Password, Log: m.proxy.log,
		})
		m.add("etcd", *e, from, err)
	}
	if k := c.Consul; k != nil {
		from, err := consul.New(consul.Options{
			Address: k.Address, Token: k.Token, Datacenter: k.Datacenter, Service: cmp.Or(k.Service, m.key.name),
			Tags: k.Tags, Scheme: k.Scheme, CA: k.CA, Cert: k.Cert, Key: k.Key, Log: m.proxy.log,
		})
		m.add("consul", *k, from, err)
	}
	if z := c.ZooKeeper; z != nil {
		from, err := zookeeper.New(zookeeper.Options{
			Servers: z.Servers, Prefix: z.Prefix, Service: cmp.Or(z.Service, m.key.name),
			Auth: z.Auth, Session: z.Session.Std(), Log: m.proxy.log,
		})
		m.add("zookeeper", *z, from, err)
	}
}

// add takes what a constructor has returned, for a source of that kind and those
// settings.
func (m *sourceMaker) add(kind string, settings any, from provider.Provider, err error) {
	if err != nil {
		m.found.addOptions(m.path+"."+kind, err)
		return
	}
	m.list = append(m.list, &source{
		key: m.key, kind: kind, rank: len(m.list), settings: settings,
		provider: provider.Damped(from, provider.DampOptions{HoldAbove: holdAbove, Log: m.proxy.log}),
	})
}
