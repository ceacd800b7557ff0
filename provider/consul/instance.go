package consul

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/consul/api"

	"github.com/weirproxy/weir/endpoint"
	"github.com/weirproxy/weir/provider/internal/registry"
)

// entries reads instances.
func (o Options) entries(list []*api.ServiceEntry) map[string]registry.Entry {
	list = slices.DeleteFunc(slices.Clone(list), func(i *api.ServiceEntry) bool { return i == nil || i.Service == nil })
	nodes := map[string]string{} // the first that uses an ID
	for _, i := range list {
		if first, ok := nodes[i.Service.ID]; !ok || nodeOf(i) < first {
			nodes[i.Service.ID] = nodeOf(i)
		}
	}
	entries := make(map[string]registry.Entry, len(list))
	for _, i := range list {
		name := i.Service.ID
		// Without an ID of its own an instance has the name of the service for one,
		// on every node.
		if name == o.Service || nodes[name] != nodeOf(i) {
			name += "@" + nodeOf(i)
		}
		e, err := o.read(name, i)
		entries[nodeOf(i)+"/"+i.Service.ID] = registry.Entry{Endpoint: e, Wrong: err}
	}
	return entries
}

func nodeOf(i *api.ServiceEntry) string {
	if i.Node == nil {
		return ""
	}
	return i.Node.Node
}

// read reads one instance.
func (o Options) read(name string, i *api.ServiceEntry) (e endpoint.Endpoint, err error) {
	if err := registry.CheckID("its ID", name); err != nil {
		return e, err
	}
	host := i.Service.Address
	if host == "" && i.Node != nil {
		host = i.Node.Address
	}
	switch {
	case host == "":
		return e, errors.New("neither it nor its node has an address")
	case i.Service.Port == 0:
		return e, errors.New("it has no port")
	}
	c := registry.Content{
		URL:     o.Scheme + "://" + net.JoinHostPort(host, strconv.Itoa(i.Service.Port)),
		Version: said(i.Service, "version"), Zone: said(i.Service, "zone"), Labels: labels(i.Service.Meta),
	}
	if w := min(i.Service.Weights.Passing, registry.MaxWeight); w > 1 {
		c.Weight = &w
	}
	if e, err = c.Endpoint(); err != nil {
		return e, err
	}
	if e.Address.Host != host || e.Address.BasePath != "" || e.Address.BaseQuery != "" {
		return e, fmt.Errorf("%q is not the address of a server", registry.Shorten(host))
	}
	e.Name = name
	return e, nil
}

// said returns what the metadata say of a key, or else a tag.
func said(s *api.AgentService, key string) string {
	if value := s.Meta[key]; value != "" {
		return value
	}
	for _, tag := range s.Tags {
		if value, ok := strings.CutPrefix(tag, key+"="); ok {
			return value
		}
	}
	return ""
}

// labels returns the other metadata, as far as they fit: Consul has room for more than an
// endpoint, and that is no reason to leave an endpoint out.
func labels(meta map[string]string) map[string]string {
	var list map[string]string
	left := registry.MaxLabelBytes
	for _, key := range slices.Sorted(maps.Keys(meta)) {
		value := meta[key]
		size := len(key) + len(value)
		if key == "version" || key == "zone" || key == "" || size > left || len(list) == registry.MaxLabels ||
			!registry.IsPlain(key) || !registry.IsPlain(value) {
			continue
		}
		if list == nil {
			list = map[string]string{}
		}
		list[key] = value
		left -= size
	}
	return list
}
