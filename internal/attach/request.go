package attach

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"strings"

	"github.com/weirproxy/weir/internal/exchange"
)

// Path is where workers ask to be attached.
const Path = "/.well-known/weir/attach"

// A Request asks to attach the connection that it came over.
type Request struct {
	// Head is its head as it was parsed.
	Head *exchange.Request
	// Remote is the address of the connection's other end.
	Remote net.Addr
	// TLS is the state of the connection; nil if it is clear text.
	TLS *tls.ConnectionState
	// Ahead says that more than the request has arrived.
	Ahead bool
}

// check tells why a request is none to attach; nil if it is one.
func (r Request) check() *Refusal {
	h := r.Head
	switch {
	case string(h.Path) != Path:
		return &Refusal{Status: http.StatusNotFound, Code: exchange.CodeNoRoute.Name, Detail: "workers attach at " + Path + "; there is nothing else here"}
	case h.Method != exchange.MethodGet:
		return &Refusal{Status: http.StatusMethodNotAllowed, Code: exchange.CodeMethodNotAllowed.Name, Detail: "a request to attach is a GET", Allow: "GET"}
	case h.Minor == 0:
		return badAttach("a request to attach is HTTP/1.1, not HTTP/1.0")
	case h.HasQuery:
		return badAttach("a request to attach has no query")
	case h.Length != 0:
		return badAttach("a request to attach has no content")
	case r.Ahead:
		// The worker is the server of what follows the 101, and the router
		// begins. Bytes ahead of the answer are somebody else's idea of the
		// conversation.
		return badAttach("the connection has more than the request before it is answered, or its end")
	case !h.Header.Lists(exchange.FieldConnection, "upgrade"):
		return badAttach("Connection does not list upgrade")
	}
	upgrade, _, wrong := sole(h.Header, "Upgrade")
	if wrong == "" && !exchange.EqualFold(upgrade, "ptth") {
		wrong = "is not ptth"
	}
	if wrong != "" {
		return badAttach("Upgrade " + wrong)
	}
	alpn, _, wrong := sole(h.Header, "ALPN")
	if wrong == "" && !lists(alpn, "h2") {
		wrong = "does not list h2"
	}
	if wrong != "" {
		return badAttach("ALPN " + wrong)
	}
	return nil
}

// token returns the bearer token of the request, empty if it has none.
func (r Request) token() (string, *Refusal) {
	value, present, wrong := sole(r.Head.Header, "Authorization")
	if wrong != "" {
		return "", badAttach("Authorization " + wrong)
	}
	if !present {
		return "", nil
	}
	scheme, token, _ := strings.Cut(value, " ")
	token = strings.TrimLeft(token, " ")
	if !exchange.EqualFold(scheme, "Bearer") || !isVisible(token) {
		return "", unauthorized("Authorization is not Bearer and a token")
	}
	return token, nil
}

// sole returns the value of the one field of that name. More than one, or one
// that the Connection field would have another proxy take away, means that two
// could read the request differently.
func sole(header exchange.Header, name string) (value string, present bool, wrong string) {
	for i := range header {
		f := &header[i]
		if !exchange.EqualFold(f.Name, name) {
			continue
		}
		switch {
		case present:
			return "", true, "is repeated"
		case header.Lists(exchange.FieldConnection, name) && f.ID != exchange.FieldUpgrade:
			return "", true, "is named by Connection"
		}
		value, present = string(f.Value), true
	}
	return value, present, ""
}

// lists reports whether one of the comma-separated elements is the one given.
func lists(list, element string) bool {
	for e := range strings.SplitSeq(list, ",") {
		if strings.Trim(e, " \t") == element {
			return true
		}
	}
	return false
}

// verified returns the certificate that a client proved to have; nil if none.
func verified(state *tls.ConnectionState) *x509.Certificate {
	if state == nil || len(state.VerifiedChains) == 0 {
		return nil
	}
	return state.PeerCertificates[0]
}

// isLocal reports whether an address is on this machine.
func isLocal(a net.Addr) bool {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	}
	return false
}
