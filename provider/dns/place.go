package dns

import (
	"cmp"
	"math"
	"slices"

	"github.com/weirproxy/weir/endpoint"
)

// maxWeight is the largest weight of an endpoint.
const maxWeight = 1000

// endpoints makes endpoints of places, sorted by priority and name. Places that are the
// same share one endpoint, of the lowest priority among theirs.
func (o Options) endpoints(places []place) []endpoint.Endpoint {
	slices.SortStableFunc(places, func(a, b place) int { return cmp.Compare(a.priority, b.priority) })
	at := map[string]int{}
	var unique []place
	var list []endpoint.Endpoint
	for _, p := range places {
		address := o.address(p)
		name := address.String()
		i, twice := at[name]
		switch {
		case !twice:
			at[name] = len(list)
			unique = append(unique, p)
			list = append(list, endpoint.Endpoint{Name: name, Address: address})
		case unique[i].priority == p.priority:
			unique[i].weight += p.weight
		}
	}
	for i, w := range weights(unique) {
		list[i].Weight = w
	}
	slices.SortFunc(list, func(a, b endpoint.Endpoint) int {
		return cmp.Or(cmp.Compare(unique[at[a.Name]].priority, unique[at[b.Name]].priority), cmp.Compare(a.Name, b.Name))
	})
	return list
}

func (o Options) address(p place) endpoint.Address {
	host, port := p.addr.Addr().String(), p.addr.Port()
	return endpoint.Address{Network: "tcp", Host: host, Port: decimal(port), TLS: o.Scheme == "https"}
}

// weights returns whole weights from 1 to maxWeight in the same proportions, as well as
// that goes. Those that are so already stay as they are.
func weights(places []place) []int {
	top, fit := 0.0, true
	for _, p := range places {
		top = max(top, p.weight)
		fit = fit && p.weight == math.Trunc(p.weight)
	}
	factor := 1.0
	if !fit || top > maxWeight {
		factor = maxWeight / top
	}
	list := make([]int, len(places))
	for i, p := range places {
		list[i] = max(1, int(math.Round(p.weight*factor)))
	}
	return list
}
