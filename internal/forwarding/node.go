package forwarding

import "strings"

// appendListener appends the listener as a node (RFC 7239 §6): its address if it
// has one of its own, else a name for this proxy that reveals nothing, which "MUST
// begin with an underscore" (§6.3), and the port.
//
//	node    = nodename [ ":" node-port ]
//	obfnode = "_" 1*( ALPHA / DIGIT / "." / "_" / "-" )
func (e *Extras) appendListener(dst []byte, address string) []byte {
	host, port := splitAddress(address)
	if port == "" {
		return e.appendObfuscated(dst)
	}
	dst = append(dst, '"') // because of the colon
	if isSpecificIP(host) {
		dst = append(dst, host...)
	} else {
		dst = e.appendObfuscated(dst)
	}
	return append(append(append(dst, ':'), port...), '"')
}

// splitAddress splits the address of a listener; a Unix socket has no port.
func splitAddress(address string) (host, port string) {
	colon := strings.LastIndexByte(address, ':')
	if colon < 0 {
		return "", ""
	}
	host, port = address[:colon], address[colon+1:]
	if port == "" || len(port) > 5 || strings.Trim(port, "0123456789") != "" {
		return "", ""
	}
	return host, port
}

// isSpecificIP reports whether a host is an IPv4 address, or an IPv6 address in
// brackets, of one interface.
func isSpecificIP(host string) bool {
	switch {
	case host == "" || host == "0.0.0.0" || host == "[::]":
		return false
	case host[0] == '[':
		return host[len(host)-1] == ']' && strings.Trim(host, "[]0123456789abcdefABCDEF:.") == ""
	default:
		return strings.Trim(host, "0123456789.") == ""
	}
}

// appendObfuscated appends the pseudonym as an obfuscated node.
func (e *Extras) appendObfuscated(dst []byte) []byte {
	dst = append(dst, '_')
	for _, c := range e.pseudonym() {
		if !isNodeByte(c) {
			c = '-'
		}
		dst = append(dst, c)
	}
	return dst
}

func isNodeByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-'
}
