package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// A gate lets requests through to the admin API, or refuses them.
//
// With a token, whoever has it may enter. Without one, only a listener that
// nobody off this machine can connect to lets anybody in, and there the danger is
// the browser of somebody who sits at this machine and visits a hostile page:
//
//   - its name may resolve to 127.0.0.1 (DNS rebinding), which makes the page
//     and the API one origin. So Host has to be a name that nobody else owns;
//   - it may send requests across origins without reading the answers. So an
//     Origin other than Host's, and whatever the browser calls cross-site, is
//     refused.
type gate struct {
	token    [sha256.Size]byte
	hasToken bool
	loopback bool
	hosts    []string
	next     http.Handler
}

func newGate(options Options, next http.Handler) *gate {
	return &gate{
		token:    sha256.Sum256([]byte(options.Token)),
		hasToken: options.Token != "",
		loopback: options.Loopback,
		hosts:    options.Hosts,
		next:     next,
	}
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if refusal := g.refuse(r); refusal != nil {
		if refusal.Status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer realm="weir admin"`)
		}
		writeProblem(w, *refusal)
		return
	}
	g.next.ServeHTTP(w, r)
}

// refuse returns why a request may not enter, or nil.
func (g *gate) refuse(r *http.Request) *problem {
	switch {
	case g.hasToken && g.authorized(r):
		return nil
	case g.hasToken:
		return &problem{
			Status: http.StatusUnauthorized, Error: "unauthorized",
			Detail: "Send the admin token as Authorization: Bearer.",
		}
	case !g.loopback: // the configuration does not allow it; in case it ever does
		return &problem{
			Status: http.StatusForbidden, Error: "token_required",
			Detail: "Off loopback, the admin API needs a token to be configured.",
		}
	case !g.ownHost(r.Host):
		return &problem{
			Status: http.StatusMisdirectedRequest, Error: "host_refused",
			Detail: "Host is neither loopback nor listed.",
		}
	case crossOrigin(r):
		return &problem{
			Status: http.StatusForbidden, Error: "cross_site",
			Detail: "The request comes from a page of another site.",
		}
	default:
		return nil
	}
}

// authorized compares digests, so that neither the token's bytes nor its length
// show in the time that it takes.
func (g *gate) authorized(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	digest := sha256.Sum256([]byte(strings.TrimSpace(token)))
	same := subtle.ConstantTimeCompare(digest[:], g.token[:]) == 1
	return same && strings.EqualFold(scheme, "Bearer")
}

// ownHost reports whether Host is one that no DNS server elsewhere could point
// here, or one that was listed.
func (g *gate) ownHost(host string) bool {
	name := hostname(host)
	if strings.EqualFold(name, "localhost") {
		return true
	}
	if addr, err := netip.ParseAddr(name); err == nil && addr.IsLoopback() {
		return true
	}
	for _, listed := range g.hosts {
		if name != "" && strings.EqualFold(name, listed) {
			return true
		}
	}
	return false
}

// hostname returns a Host field without its port and brackets.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		return host[1 : len(host)-1]
	}
	return host
}

// crossOrigin reports whether a browser says that a page of another origin is
// behind the request. Programs that are no browsers say nothing of the kind.
func crossOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); strings.EqualFold(site, "cross-site") {
		return true
	}
	for _, origin := range r.Header.Values("Origin") {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || !strings.EqualFold(u.Host, r.Host) { // "null" has no host
			return true
		}
	}
	return false
}
