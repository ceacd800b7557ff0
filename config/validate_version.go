package config

import (
	"maps"
	"slices"
)

// versions checks the versions of a service, and how requests are split among
// them.
func (c *checker) versions(s Service, path string) {
	c.provider(s.Provider, joinKey(path, "provider"))
	for _, version := range slices.Sorted(maps.Keys(s.Versions)) {
		below := joinKey(joinKey(path, "versions"), version)
		if message := badVersion(version); message != "" {
			c.addAtKey(below, "%s", message)
		}
		v := s.Versions[version]
		c.endpoints(v.Endpoints, joinKey(below, "endpoints"))
		c.provider(v.Provider, joinKey(below, "provider"))
	}
	c.split(s, joinKey(path, "split"))
}

// maxShare bounds the shares of a split, so that their sum is exact.
const maxShare = 1_000_000

func (c *checker) split(s Service, path string) {
	sum := 0
	for _, version := range slices.Sorted(maps.Keys(s.Split)) {
		below, share := joinKey(path, version), s.Split[version]
		if message := badVersion(version); message != "" {
			c.addAtKey(below, "%s", message)
		}
		switch {
		case share < 0:
			c.add(below, "must not be negative")
		case share > maxShare:
			c.add(below, "must be at most %d", maxShare)
		}
		sum += share
	}
	switch {
	case s.Split != nil && len(s.Split) == 0:
		c.add(path, "is empty; write the share of each version, as in { v1: 90, v2: 10 }, or leave it out")
	case len(s.Split) > 0 && sum <= 0 && !c.broken(path):
		c.add(path, "no version gets anything: all shares are 0")
	case len(s.Split) > 0 && len(s.Endpoints) > 0:
		c.add(path, "the service has endpoints of its own, which would get nothing; write them under versions, or leave split out")
	}
}

// provider checks that there is some source. What is below it is checked by its
// tags, and by the source itself.
func (c *checker) provider(p *Provider, path string) {
	if p != nil && p.empty() {
		c.add(path, "names no source; write one of file, dns, srv, etcd, consul, zookeeper")
	}
}
