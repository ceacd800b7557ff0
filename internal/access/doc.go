// Package access admits clients by their address: lists of networks in CIDR
// notation (RFC 4632, RFC 4291 §2.3), some allowed, some denied.
//
// Deny wins over allow. With an allow list everybody else is refused; without
// one, everybody who is not denied is admitted. The address is the client's as
// far as trusted proxies tell it ([exchange.Client]), so a list is as good as
// trusted_proxies is.
//
// An IPv4 address matches IPv4 networks, also when it came as IPv4-mapped IPv6
// (::ffff:192.0.2.1); ::/0 is all of IPv6 and nothing of IPv4. A client on a
// Unix socket has no address. It is on this machine, and is taken for what other
// local clients are: admitted or denied as 127.0.0.1 and ::1 are, whichever of
// them a list names.
package access
