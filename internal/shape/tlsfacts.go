package shape

import "crypto/tls"

// tlsFacts are what expressions see of a connection that is secured.
type tlsFacts struct {
	// Version is "1.2" or "1.3", ServerName what the client asked for.
	Version, ServerName string
	// Subject is that of the client's certificate, if it was verified, and
	// SANs are its alternative names.
	Subject string
	SANs    []string
}

var tlsVersions = map[uint16]string{tls.VersionTLS12: "1.2", tls.VersionTLS13: "1.3"}

func factsOf(c *tls.ConnectionState) *tlsFacts {
	facts := &tlsFacts{Version: tlsVersions[c.Version], ServerName: c.ServerName}
	if len(c.VerifiedChains) == 0 {
		return facts
	}
	leaf := c.PeerCertificates[0]
	facts.Subject = leaf.Subject.String()
	facts.SANs = append(facts.SANs, leaf.DNSNames...)
	for _, u := range leaf.URIs {
		facts.SANs = append(facts.SANs, u.String())
	}
	for _, ip := range leaf.IPAddresses {
		facts.SANs = append(facts.SANs, ip.String())
	}
	facts.SANs = append(facts.SANs, leaf.EmailAddresses...)
	return facts
}
