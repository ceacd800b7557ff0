package access

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
)

func networks(texts ...string) (list []netip.Prefix) {
	for _, t := range texts {
		list = append(list, netip.MustParsePrefix(t))
	}
	return list
}

// addr is the address of that text; "" is a Unix socket.
func addr(text string) netip.Addr {
	if text == "" {
		return netip.Addr{}
	}
	return netip.MustParseAddr(text)
}

func TestList_AdmitsWhoIsAllowedAndNotDenied(t *testing.T) {
	for _, tc := range []struct {
		allow, deny []netip.Prefix
		admitted    []string
		refused     []string
	}{
		{allow: networks("10.0.0.0/8"), admitted: []string{"10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"}, refused: []string{"9.255.255.255", "11.0.0.0", "::1", "fd00::1", ""}},
		{deny: networks("10.0.0.0/8"), admitted: []string{"9.9.9.9", "2001:db8::1", ""}, refused: []string{"10.1.2.3", "::ffff:10.1.2.3"}},
		{allow: networks("10.0.0.0/8"), deny: networks("10.1.0.0/16"), admitted: []string{"10.0.0.1", "10.2.0.0"}, refused: []string{"10.1.0.0", "10.1.255.255", "192.0.2.1"}},
		{allow: networks("10.1.0.0/16"), deny: networks("10.0.0.0/8"), refused: []string{"10.1.0.1", "10.0.0.1", "192.0.2.1"}},
		{allow: networks("2001:db8::/32", "192.0.2.7/32"), admitted: []string{"2001:db8::1", "2001:db8:ffff::", "192.0.2.7"}, refused: []string{"2001:db9::", "192.0.2.6", "192.0.2.8"}},
		{allow: networks("fe80::/10"), admitted: []string{"fe80::1%eth0", "fe80::1"}},
		{allow: networks("10.1.2.3/8"), admitted: []string{"10.200.0.1"}, refused: []string{"11.1.2.3"}},
		{deny: networks("::/0"), admitted: []string{"192.0.2.1", "::ffff:192.0.2.1"}, refused: []string{"2001:db8::1", "::1"}},
		{deny: networks("0.0.0.0/0"), admitted: []string{"2001:db8::1"}, refused: []string{"192.0.2.1"}},
		{deny: networks("::ffff:192.0.2.0/120"), admitted: []string{"192.0.3.1"}, refused: []string{"192.0.2.1", "::ffff:192.0.2.255"}},
	} {
		l := New(Options{Allow: tc.allow, Deny: tc.deny})
		for _, a := range tc.admitted {
			if !l.Admits(addr(a)) {
				t.Errorf("allowing %v and denying %v refuses %q", tc.allow, tc.deny, a)
			}
		}
		for _, a := range tc.refused {
			if l.Admits(addr(a)) {
				t.Errorf("allowing %v and denying %v admits %q", tc.allow, tc.deny, a)
			}
		}
	}
}

func TestList_TakesUnixSocketsForLocal(t *testing.T) {
	for _, tc := range []struct {
		allow, deny []netip.Prefix
		want        bool
	}{
		{allow: networks("127.0.0.0/8"), want: true},
		{allow: networks("::1/128"), want: true},
		{allow: networks("10.0.0.0/8")},
		{deny: networks("10.0.0.0/8"), want: true},
		{deny: networks("127.0.0.1/32")},
		{deny: networks("::/0")},
		{allow: networks("127.0.0.0/8"), deny: networks("::1/128")},
	} {
		if got := New(Options{Allow: tc.allow, Deny: tc.deny}).Admits(netip.Addr{}); got != tc.want {
			t.Errorf("allowing %v and denying %v admits a client on a Unix socket: %t, want %t", tc.allow, tc.deny, got, tc.want)
		}
	}
}

func TestList_WithoutNetworksAdmitsEverybody(t *testing.T) {
	l := New(Options{})
	if l != nil || !l.Admits(addr("192.0.2.1")) || l.Check(new(exchange.Exchange)) != nil {
		t.Error("a list without networks refuses somebody, or costs something")
	}
}

func TestList_RefusesAsForbidden(t *testing.T) {
	x := new(exchange.Exchange)
	x.Client.Addr = addr("192.0.2.1")
	f := New(Options{Deny: networks("192.0.2.0/24")}).Check(x)
	if f == nil || f.Code != exchange.CodeForbidden || f.Code.Status != 403 {
		t.Errorf("a client that is denied is told %v, want 403 forbidden", f)
	}
}

// randomNetworks are networks that overlap often.
func randomNetworks(r *rand.Rand, n int) (list []netip.Prefix) {
	for range n {
		list = append(list, netip.PrefixFrom(randomAddr(r), r.IntN(33)))
	}
	return list
}

func randomAddr(r *rand.Rand) netip.Addr {
	a := [16]byte{0x20, 0x01}
	for i := range 4 {
		a[i] = byte(r.IntN(4)) << r.IntN(7)
	}
	if r.IntN(2) == 0 {
		return netip.AddrFrom4([4]byte(a[:4]))
	}
	return netip.AddrFrom16(a)
}

func TestList_AgreesWithALookAtEveryNetwork(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 632))
	for range 300 {
		o := Options{Allow: randomNetworks(r, r.IntN(20)), Deny: randomNetworks(r, r.IntN(5))}
		l := New(o)
		for range 200 {
			a := randomAddr(r)
			want := (len(o.Allow) == 0 || within(o.Allow, a)) && !within(o.Deny, a)
			if got := l.Admits(a); got != want {
				t.Fatalf("allowing %v and denying %v admits %s: %t, want %t", o.Allow, o.Deny, a, got, want)
			}
		}
	}
}

func within(list []netip.Prefix, a netip.Addr) bool {
	for _, n := range list {
		if n.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}

// thousands are 10,000 networks that are apart.
func thousands() (list []netip.Prefix) {
	for i := range 10_000 {
		list = append(list, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 6), byte(i<<2 | 1), 0}), 24))
	}
	return list
}

func TestList_AllocatesNothing(t *testing.T) {
	l := New(Options{Allow: networks("0.0.0.0/0"), Deny: thousands()})
	x := new(exchange.Exchange)
	for _, who := range []string{"192.0.2.1", "::ffff:192.0.2.1", "fe80::1%eth0", ""} {
		x.Client.Addr = addr(who)
		if n := testing.AllocsPerRun(100, func() { l.Admits(x.Client.Addr) }); n != 0 {
			t.Errorf("looking %q up costs %v allocations, want none", who, n)
		}
	}
	x.Client.Addr = addr("192.0.2.1")
	if n := testing.AllocsPerRun(100, func() { _ = l.Check(x) }); n != 0 {
		t.Errorf("a client that is admitted costs %v allocations, want none", n)
	}
}

func BenchmarkList_TenThousandNetworks(b *testing.B) {
	l := New(Options{Deny: thousands()})
	a := addr("192.0.2.1")
	for b.Loop() {
		l.Admits(a)
	}
}
