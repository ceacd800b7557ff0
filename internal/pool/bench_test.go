package pool

import (
	"fmt"
	"testing"

	"github.com/weirproxy/weir/balance"
	"github.com/weirproxy/weir/endpoint"
)

// BenchmarkPool_TakeOfMany is the choice of one endpoint among 10,000, and giving its place
// back.
func BenchmarkPool_TakeOfMany(b *testing.B) {
	for _, name := range []string{"round_robin", "least_load", "random", "hash", "maglev"} {
		b.Run(name, func(b *testing.B) {
			p, _ := newCrowdedPool(b, name)
			b.ReportAllocs()
			var q testQuery
			for b.Loop() {
				q = testQuery{Place: q.Place + 0x9e3779b97f4a7c15, Placed: true}
				g, ok := p.Take(&q)
				if !ok {
					b.Fatal("there is no place")
				}
				p.Leave(&g)
			}
		})
	}
}

// BenchmarkPool_UpdateOfMany is what it takes until one more endpoint beside 10,000 can be
// chosen.
func BenchmarkPool_UpdateOfMany(b *testing.B) {
	for _, name := range []string{"round_robin", "least_load", "hash"} {
		b.Run(name, func(b *testing.B) {
			p, endpoints := newCrowdedPool(b, name)
			for i := 0; b.Loop(); i++ {
				p.Update(endpoints[:len(endpoints)-i%2], nil, func(endpoint.Endpoint) *scripted { return new(scripted) })
			}
		})
	}
}

func newCrowdedPool(b *testing.B, policy string) (*Pool[*scripted], []endpoint.Endpoint) {
	b.Helper()
	o := defaults()
	o.Policy, _ = balance.Named(policy)
	o.Placed = policy == "hash" || policy == "maglev"
	var endpoints []endpoint.Endpoint
	var transports []*scripted
	for i := range 10_000 {
		endpoints = append(endpoints, endpoint.Endpoint{Name: fmt.Sprint("endpoint-", i), Weight: 1})
		transports = append(transports, new(scripted))
	}
	p := New(endpoints, transports, o)
	b.Cleanup(p.Close)
	return p, endpoints
}
