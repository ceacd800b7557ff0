package access

import (
	"net/netip"

	"github.com/weirproxy/weir/internal/exchange"
)

// Options are the networks as they are written.
type Options struct {
	// Allow are the only networks that are admitted; if empty, all are. Deny
	// are refused even so.
	Allow, Deny []netip.Prefix
}

// A List says who is admitted. It is immutable and safe for concurrent use. A nil
// List admits everybody.
type List struct{ allow, deny set }

// New returns the list; nil if it would admit everybody. The networks must be
// valid.
func New(o Options) *List {
	if len(o.Allow)+len(o.Deny) == 0 {
		return nil
	}
	return &List{allow: newSet(o.Allow), deny: newSet(o.Deny)}
}

// Check returns why the client of x is refused; nil if it is admitted.
func (l *List) Check(x *exchange.Exchange) *exchange.Failure {
	if l.Admits(x.Client.Addr) {
		return nil
	}
	return exchange.Fail(exchange.CodeForbidden, "", nil)
}

// Admits reports whether a client with that address is admitted. The zero Addr is
// a client on a Unix socket.
func (l *List) Admits(a netip.Addr) bool {
	if l == nil {
		return true
	}
	if !a.IsValid() {
		return !l.deny.has(local4) && !l.deny.has(local6) && (l.allowed(local4) || l.allowed(local6))
	}
	a = a.Unmap().WithZone("")
	return !l.deny.has(a) && l.allowed(a)
}

func (l *List) allowed(a netip.Addr) bool { return len(l.allow) == 0 || l.allow.has(a) }

// local4 and local6 are the addresses of clients on this machine.
var (
	local4 = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	local6 = netip.IPv6Loopback()
)
