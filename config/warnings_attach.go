package config

import "strings"

// shortToken is how many characters a token should have: fewer can be tried out.
const shortToken = 16

// attachWarnings tells what is unwise about the door for workers.
func (c *checker) attachWarnings(cfg *Config) {
	a := cfg.Attach
	if a == nil {
		return
	}
	doors := attachDoors(cfg)
	if len(doors) == 0 {
		c.addAtKey("attach", "has no effect: address is off, and no listener has attach: true")
	}
	if a.TLS != nil && !a.listens() {
		c.addAtKey("attach.tls", "has no effect: address is off")
	}
	if message := unshowable(a, a.TLS); a.listens() && a.hasCredentials() && message != "" {
		// Validate lets this pass only where credentials are not mandatory.
		c.add("attach.address", "nobody can attach at %s: %s; write address: off", quote(a.Address), message)
	}
	if a.Insecure {
		c.insecureAttach(doors)
	}
	c.wildcards(a.Certificates)
	for i, t := range a.Tokens {
		if len(t.Token) < shortToken {
			c.add(joinKey(joinIndex("attach.tokens", i), "token"), "has fewer than %d characters, so that it can be found by trying; write a long random one", shortToken)
		}
	}
}

// wildcards tells of names that look like patterns.
func (c *checker) wildcards(certificates []AttachCertificate) {
	for i, cert := range certificates {
		if strings.HasPrefix(cert.SAN, "*.") {
			c.add(joinKey(joinIndex("attach.certificates", i), "san"), "is no pattern: only a certificate that has the name %s itself, with the *, is meant", quote(cert.SAN))
		}
	}
}

// An attachDoor is a listener where workers may attach.
type attachDoor struct {
	address string
	tls     *ServerTLS
}

func attachDoors(cfg *Config) (doors []attachDoor) {
	if cfg.Attach.listens() {
		doors = append(doors, attachDoor{cfg.Attach.Address, cfg.Attach.TLS})
	}
	for _, l := range cfg.Listeners {
		if l.Attach {
			doors = append(doors, attachDoor{l.Address, l.TLS})
		}
	}
	return doors
}

func (c *checker) insecureAttach(doors []attachDoor) {
	var open []string
	for _, d := range doors {
		if d.tls == nil && !isLoopback(d.address) {
			open = append(open, quote(d.address))
		}
	}
	if len(open) == 0 {
		c.add("attach.insecure", "has no effect: no worker can attach in clear text from another machine")
		return
	}
	c.add("attach.insecure", "tokens, requests and responses cross the network in clear text to workers at %s; whoever is in between can read and change them, and attach with the token", strings.Join(open, ", "))
}

// mayServe tells whether a worker may serve a version of the service, or the
// service itself.
func (cfg *Config) mayServe(service string) bool {
	a := cfg.Attach
	if a == nil {
		return false
	}
	if !a.hasCredentials() {
		return a.listens() // whoever comes from this machine, and anything
	}
	for _, t := range a.Tokens {
		if covers(t.Services, service) {
			return true
		}
	}
	for _, cert := range a.Certificates {
		if covers(cert.Services, service) {
			return true
		}
	}
	return false
}

// covers tells whether one of the patterns has the service, in whatever version.
func covers(patterns []string, service string) bool {
	for _, p := range patterns {
		if name, _, _ := strings.Cut(p, "@"); p == "*" || name == service {
			return true
		}
	}
	return false
}
