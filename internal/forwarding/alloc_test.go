package forwarding

import (
	"slices"
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
)

// again is an exchange that Apply can be measured on: every turn begins with the
// fields as they were parsed.
type again struct {
	x      *exchange.Exchange
	parsed exchange.Header
}

func newAgain(t testing.TB, peer string, lines ...string) *again {
	x := newExchange(t, peer, lines...)
	return &again{x, slices.Clone(x.Request.Header)}
}

func (a *again) apply(p *Policy) {
	a.x.Request.Header = append(a.x.Request.Header[:0], a.parsed...)
	a.x.Scratch = a.x.Scratch[:0]
	p.Apply(a.x)
}

func TestPolicy_AllocatesNothing(t *testing.T) {
	for _, tc := range []struct {
		who, peer string
		lines     []string
	}{
		{"a stranger", stranger, []string{"X-Forwarded-For: 6.6.6.6", "X-Request-Id: theirs"}},
		{"a trusted proxy", friend, []string{"X-Forwarded-For: 198.51.100.7, 10.0.0.2", "X-Request-Id: theirs"}},
		{"a trusted proxy that writes ports", friend, []string{"X-Forwarded-For: 198.51.100.7:1234, 10.0.0.2:99"}},
		{"a trusted proxy of IPv6", "[fd00::1]:1", []string{"X-Forwarded-For: 2001:db8:1111:2222:3333:4444:5555:6666, [fd00::2]:443"}},
	} {
		a := newAgain(t, tc.peer, tc.lines...)
		a.apply(&trusting) // the header grows once
		if n := testing.AllocsPerRun(100, func() { a.apply(&trusting) }); n != 0 {
			t.Errorf("a request from %s costs %v allocations, want none", tc.who, n)
		}
	}
}

func BenchmarkPolicy_Stranger(b *testing.B) {
	a := newAgain(b, stranger, "Accept: */*", "User-Agent: bench", "X-Forwarded-For: 6.6.6.6")
	for b.Loop() {
		a.apply(&trusting)
	}
}

func BenchmarkPolicy_Trusted(b *testing.B) {
	a := newAgain(b, friend, "Accept: */*", "User-Agent: bench", "X-Forwarded-For: 198.51.100.7, 10.0.0.2")
	for b.Loop() {
		a.apply(&trusting)
	}
}
