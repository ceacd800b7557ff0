package forwarding

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
)

// FuzzPolicy_ClientIsRightmostUntrusted compares with a walk over the list as one
// would write it down.
func FuzzPolicy_ClientIsRightmostUntrusted(f *testing.F) {
	for _, seed := range []string{
		"", "1.2.3.4", "1.2.3.4, 10.0.0.2", "[2001:db8::1]:80,fd00::2", "a,b", ",,", "1.2.3.4:80", "[::1]", "::ffff:10.0.0.9",
		"1.2.3.4, [fd00::2%x]:1", "1.2.3.4:5:6", "[1.2.3.4]", "1.2.3.4 ,", "::",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, list string) {
		x := newExchange(t, friend)
		value := strings.TrimSpace(list)
		x.Request.Header = append(x.Request.Header, exchange.Field{Name: nameFor, Value: []byte(value), ID: exchange.FieldXForwardedFor})
		trusting.Apply(x)
		if want := reference(value); x.Client.Addr != want {
			t.Errorf("with X-Forwarded-For %q the client is %s, want %s", value, x.Client.Addr, want)
		}
		got, _ := x.Request.Header.Get(exchange.FieldXForwardedFor)
		if !strings.HasPrefix(string(got), value) || !strings.HasSuffix(string(got), "10.0.0.1") {
			t.Errorf("X-Forwarded-For %q is passed on as %q, want the peer behind it", value, got)
		}
	})
}

func reference(list string) netip.Addr {
	client := netip.MustParseAddr("10.0.0.1")
	if list == "" {
		return client
	}
	items := strings.Split(list, ",")
	for i := len(items) - 1; i >= 0; i-- {
		text := strings.TrimSpace(items[i])
		addr, ok := referenceAddr(text)
		if !ok || len(text) > 64 {
			return client
		}
		client = addr.Unmap().WithZone("")
		if !trusting.Trusted[0].Contains(client) && !trusting.Trusted[1].Contains(client) {
			return client
		}
	}
	return client
}

// referenceAddr reads an address, bare, in brackets, or with a port.
func referenceAddr(text string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(text); err == nil {
		return a, true
	}
	if ap, err := netip.ParseAddrPort(text); err == nil {
		return ap.Addr(), true
	}
	if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		a, err := netip.ParseAddr(text[1 : len(text)-1])
		return a, err == nil && a.Is6()
	}
	return netip.Addr{}, false
}
