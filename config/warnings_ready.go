package config

import "net/netip"

// readyWarnings tells what is unwise in what the route at path has ready-made.
func (c *checker) readyWarnings(r Route, path string, limit Size) {
	if l := r.RateLimit; l != nil && isConstant(l.Key) {
		c.add(joinKey(joinKey(path, "rate_limit"), "key"), "is the same for every request, so that all clients share one limit")
	}
	if limit > 0 && r.MaxBody > limit {
		c.add(joinKey(path, "max_body"), "has no effect: limits.body_bytes is %v", limit)
	}
	if r.CORS != nil {
		c.corsWarnings(r.CORS, joinKey(path, "cors"))
	}
	c.accessWarnings(r, joinKey(path, "allow"), joinKey(path, "deny"))
}

func (c *checker) corsWarnings(o *CORS, path string) {
	for i, origin := range o.Origins {
		if len(origin) > 5 && origin[:5] == "http:" && o.Credentials {
			c.add(joinIndex(joinKey(path, "origins"), i), "whoever is on the way can put a page there, which may then act for the user")
		}
	}
}

func (c *checker) accessWarnings(r Route, allow, deny string) {
	if r.Deny != nil && len(r.Deny) == 0 {
		c.add(deny, "has no effect: the list is empty")
	}
	for i, p := range r.Allow {
		if p.Bits() == 0 {
			c.add(joinIndex(allow, i), "%s is every address of its kind", quote(p.String()))
		}
		for _, d := range r.Deny {
			if covering(d, p) {
				c.add(joinIndex(allow, i), "has no effect: deny has %s", d)
				break
			}
		}
	}
	for i, p := range r.Deny {
		if p.Bits() == 0 {
			c.add(joinIndex(deny, i), "%s is every address of its kind", quote(p.String()))
		}
	}
}

// covering tells whether all of inner is in outer.
func covering(outer, inner netip.Prefix) bool {
	return outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr())
}
