package config

import (
	"maps"
	"reflect"
	"slices"
)

// warn tells what is legal and unwise in a Config with its defaults.
func (c *Config) warn() []finding {
	k := &checker{}
	if !c.Admin.Off && !isLoopback(c.Admin.Address) {
		k.add("admin.address", "the token crosses the network in clear text, because the admin API has no TLS; keep it on loopback or behind TLS")
	}
	for i, p := range c.TrustedProxies {
		if p.Bits() == 0 {
			k.add(joinIndex("trusted_proxies", i), "%s trusts every client to name its own address", quote(p.String()))
		}
	}
	for i, l := range c.Listeners {
		k.proxyWarnings(l.ProxyProtocol, joinKey(joinIndex("listeners", i), "proxy_protocol"))
	}
	k.attachWarnings(c)
	routes := k.routeWarnings(c)
	for i, r := range c.Routes {
		k.stepWarnings(r, joinIndex("routes", i), c.origin)
		k.readyWarnings(r, joinIndex("routes", i), c.Limits.BodyBytes)
	}
	var def Service
	fill(reflect.ValueOf(&def).Elem())
	for _, name := range slices.Sorted(maps.Keys(c.Services)) {
		s, attached := c.Services[name], c.mayServe(name)
		serviceWarner{
			checker: k, service: s, path: joinKey("services", name),
			routes: routes[name], def: def, origin: c.origin,
			open: attached || !s.Provider.empty(), shut: c.Attach != nil && !attached,
		}.warn()
	}
	return k.found
}

func (c *checker) proxyWarnings(p *ProxyProtocol, path string) {
	if p == nil {
		return
	}
	for i, t := range p.Trusted {
		if t.Bits() == 0 {
			c.add(joinIndex(joinKey(path, "trusted"), i), "%s wants a PROXY header from every client, and lets each name its own address", quote(t.String()))
		}
	}
}
