package worker

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// A router is where a worker attaches, as somebody has written it.
type router struct {
	text       string // as it was written
	host, port string
	secure     bool // TLS
	local      bool // it is written as a loopback address
}

// parseRouter reads https://host[:port], http://host[:port] or host:port.
func parseRouter(text string) (router, error) {
	r := router{text: text}
	rest, isURL := text, false
	for _, scheme := range []string{"https://", "http://"} {
		if len(text) >= len(scheme) && strings.EqualFold(text[:len(scheme)], scheme) {
			rest, isURL, r.secure = strings.TrimSuffix(text[len(scheme):], "/"), true, scheme == "https://"
		}
	}
	if err := r.parseHost(rest, isURL); err != nil {
		return router{}, fmt.Errorf("router %q: %w", redact(text), err)
	}
	r.local = isLoopback(r.host)
	if !isURL {
		r.secure = !r.local
	}
	return r, nil
}

var errRouterForm = errors.New("write https://host, https://host:port or host:port")

// parseHost reads host:port, or host alone after a scheme.
func (r *router) parseHost(text string, isURL bool) error {
	if strings.ContainsAny(text, "/?#@ \t\r\n") {
		return errRouterForm
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		if !isURL || strings.HasSuffix(text, ":") {
			return errRouterForm
		}
		// No port: a name, an IPv4 address, or an IPv6 address in brackets.
		u := url.URL{Host: text}
		host, port = u.Hostname(), "80"
		if r.secure {
			port = "443"
		}
	}
	n, err := strconv.ParseUint(port, 10, 16)
	switch {
	case err != nil || n == 0:
		return fmt.Errorf("%q is not a port; %w", port, errRouterForm)
	case host == "":
		return fmt.Errorf("it has no host; %w", errRouterForm)
	case !isHost(host), strings.HasPrefix(text, "[") != strings.Contains(host, ":"):
		return fmt.Errorf("%q is not a host; %w", host, errRouterForm)
	}
	r.host, r.port = strings.ToLower(host), strconv.FormatUint(n, 10)
	return nil
}

// isHost reports whether text is an address, or could be a name.
func isHost(text string) bool {
	if _, err := netip.ParseAddr(text); err == nil {
		return true
	}
	return isVisible(text) && !strings.ContainsAny(text, `:[]%"<>\^{|}`)
}

// isLoopback reports whether a host is this machine by the way it is written.
func isLoopback(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback()
	}
	return strings.EqualFold(host, "localhost")
}

// authority is what the router is called in requests.
func (r router) authority() string {
	if r.secure && r.port == "443" || !r.secure && r.port == "80" {
		if strings.Contains(r.host, ":") {
			return "[" + r.host + "]"
		}
		return r.host
	}
	return net.JoinHostPort(r.host, r.port)
}

// key is equal for routers that are written differently and mean the same.
func (r router) key() string {
	scheme := "http://"
	if r.secure {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(r.host, r.port)
}

// redact leaves out what somebody may have written before an @.
func redact(text string) string {
	if i := strings.LastIndexByte(text, '@'); i >= 0 {
		return "…" + text[i:]
	}
	return text
}

// parseRouters reads all, and reports everything that is wrong with them.
func parseRouters(o *Options) ([]router, error) {
	var all []router
	var wrong []error
	for _, text := range o.Routers {
		r, err := parseRouter(text)
		if err == nil && o.Protocol == RH2 && !r.secure {
			err = fmt.Errorf("router %q: rh2 is agreed on by TLS; write https://%s", text, net.JoinHostPort(r.host, r.port))
		}
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		all = append(all, r)
	}
	return all, errors.Join(wrong...)
}
