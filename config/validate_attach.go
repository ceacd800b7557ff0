package config

// attach checks the door for workers, and the listeners that are one besides.
func (c *checker) attach(cfg *Config, taken map[string]string) {
	verifiable := true
	if a := cfg.Attach; a != nil {
		if a.TLS != nil {
			c.serverTLS(a.TLS, "attach.tls")
		}
		c.tokens(a.Tokens)
		c.certificates(a.Certificates)
		c.routers(a.Routers)
		verifiable = c.verifiable(cfg)
		if a.listens() {
			c.address(a.Address, "attach.address", taken)
			c.attachDoor(a, verifiable)
		}
	}
	for i, l := range cfg.Listeners {
		if l.Attach {
			c.attachListener(cfg.Attach, l, joinIndex("listeners", i), verifiable)
		}
	}
}

// verifiable checks that some listener for workers verifies certificates, if
// there are rules for them.
func (c *checker) verifiable(cfg *Config) bool {
	a := cfg.Attach
	if len(a.Certificates) == 0 || a.listens() && verifies(a.TLS) ||
		c.broken("attach.address", "attach.tls", "attach.certificates", "listeners") {
		return true
	}
	for _, l := range cfg.Listeners {
		if l.Attach && verifies(l.TLS) {
			return true
		}
	}
	c.addAtKey("attach.certificates", "none of them can ever be verified; write client_ca in attach.tls, or in tls of a listener with attach: true")
	return false
}

func verifies(t *ServerTLS) bool { return t != nil && t.ClientCA != "" }

// attachDoor checks whether the listener that is for workers alone is safe, and
// whether anybody could attach there.
func (c *checker) attachDoor(a *Attach, verifiable bool) {
	local := isLoopback(a.Address)
	if badAddress(a.Address) != "" || c.broken("attach.address", "attach.tls", "attach.insecure") {
		return
	}
	if !local && a.TLS == nil && !a.Insecure {
		c.add("attach.tls", "is required, because %s; write %s, or insecure: true to have tokens and requests cross the network in clear text", reachable(a.Address), tlsSample)
	}
	if c.broken("attach.tokens", "attach.certificates") || local && a.TLS == nil {
		return // who comes in clear text from this machine needs neither
	}
	switch message := unshowable(a, a.TLS); {
	case !a.hasCredentials() && !local:
		c.add("attach.tokens", "tokens or certificates are required, because %s; write %s", reachable(a.Address), tokenSample)
	case !a.hasCredentials():
		c.add("attach.tokens", "nobody could attach: over TLS a token or a certificate is asked for, from this machine too; write %s, or leave tls out", tokenSample)
	case verifiable && message != "" && (a.TLS != nil || a.Insecure):
		c.addAtKey("attach.certificates", "nobody could attach at %s: %s", quote(a.Address), message)
	}
}

// What to write to be safe.
const (
	tlsSample   = "tls: { certificates: [{ cert: …, key: … }] }"
	tokenSample = `tokens: [{ token: "${WEIR_TOKEN}", services: [web] }]`
)

func reachable(address string) string {
	return quote(address) + " can be reached from other machines"
}

// unshowable tells why none of the credentials could be shown to a listener with
// such TLS, or "".
func unshowable(a *Attach, t *ServerTLS) string {
	switch {
	case len(a.Tokens) > 0 || verifies(t):
		return ""
	case t == nil:
		return "there are no tokens, and certificates cannot be shown in clear text"
	}
	return "there are no tokens, and its tls has no client_ca to verify certificates with"
}

// attachListener checks a listener for clients where workers may attach too.
func (c *checker) attachListener(a *Attach, l Listener, path string, verifiable bool) {
	at := joinKey(path, "attach")
	if c.broken("attach.tokens", "attach.certificates", "attach.insecure", joinKey(path, "tls"), joinKey(path, "address")) {
		return
	}
	if a == nil {
		c.add(at, "it is not said who may attach; add attach: { address: off, %s }", tokenSample)
		return
	}
	exposed := l.TLS == nil && !a.Insecure && badAddress(l.Address) == "" && !isLoopback(l.Address)
	if exposed {
		c.add(at, "workers may attach here over TLS only, because %s; give the listener %s, or write insecure: true under attach", reachable(l.Address), tlsSample)
	}
	switch message := unshowable(a, l.TLS); {
	case !a.hasCredentials():
		c.add(at, "needs tokens or certificates under attach, because clients come here too; write there %s", tokenSample)
	case verifiable && message != "" && !exposed:
		c.add(at, "nobody could attach here: %s", message)
	}
}
