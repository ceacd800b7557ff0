package worker

import (
	"encoding/json"
	"net/http"
	"net/textproto"
	"strings"
)

// The paths by which a router speaks with a worker. They are compared with the
// request's target byte for byte, as it came: a router lets no request of a client
// pass whose target begins like them, and it does not decode either.
const (
	controlPrefix = "/.well-known/weir/"
	workerPath    = controlPrefix + "worker"
	drainPath     = controlPrefix + "drain"
)

// The same fields as net/http has them.
var (
	keyProtocol = textproto.CanonicalMIMEHeaderKey(fieldProtocol)
	keyFirst    = textproto.CanonicalMIMEHeaderKey(fieldFirst)
)

type linkKey struct{}

// ServeHTTP answers what the router itself asks, and gives the rest to the
// handler.
func (w *worker) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.running.enter()
	defer w.running.leave()
	l, _ := r.Context().Value(linkKey{}).(*link)
	first := r.Header.Get(keyFirst) != ""
	delete(r.Header, keyFirst)
	if protocol := r.Header[keyProtocol]; len(protocol) == 1 {
		delete(r.Header, keyProtocol)
		r.Method = http.MethodConnect
		r.Header[":protocol"] = protocol // as net/http has it
	}
	if !strings.HasPrefix(r.RequestURI, controlPrefix) {
		w.handler.ServeHTTP(rw, r)
		return
	}
	switch {
	case r.RequestURI == workerPath && first && w.opts.Protocol == RH2:
		w.introduce(rw)
		l.tell()
	case r.RequestURI == drainPath && r.Method == http.MethodPost:
		rw.WriteHeader(http.StatusNoContent)
		l.move()
	default:
		http.NotFound(rw, r)
	}
}

// introduce says who this is. It is the one answer that has the token, and only
// the first request of a connection gets it: that one the router has made.
func (w *worker) introduce(rw http.ResponseWriter) {
	o := &w.opts
	rw.Header().Set("Content-Type", "application/json")
	rw.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(rw).Encode(struct { // who has left is not told
		Service  string            `json:"service"`
		Version  string            `json:"version,omitempty"`
		Instance string            `json:"instance"`
		Weight   int               `json:"weight"`
		Zone     string            `json:"zone,omitempty"`
		Labels   map[string]string `json:"labels,omitempty"`
		Token    string            `json:"token,omitempty"`
	}{o.Service, o.Version, o.Instance, o.Weight, o.Zone, o.Labels, o.Token})
}
