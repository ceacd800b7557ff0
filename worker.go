package weir

import (
	"sync/atomic"

	"github.com/weirproxy/weir/endpoint"
	"github.com/weirproxy/weir/internal/admin"
	"github.com/weirproxy/weir/internal/attach"
	"github.com/weirproxy/weir/internal/http2"
	"github.com/weirproxy/weir/internal/service"
	"github.com/weirproxy/weir/internal/transport"
)

// A worker is an endpoint that has dialed in, over one connection or several.
type worker struct {
	key      workerKey
	service  *liveService
	attached transport.Attached
	// latest is the connection that came last.
	latest atomic.Pointer[link]
	// links are its connections, also those over which nothing new is sent. They
	// are guarded by workers.mu.
	links []*link
	// name is what it is called among the endpoints of its service, and identity
	// what its latest connection has said of it. The roll guards both.
	name     string
	identity attach.Identity
	// member is what it is in the pool; nil until it is announced. The service
	// guards it.
	member *service.Member
}

// A workerKey tells workers apart: those with the same one are connections of one
// instance. What an instance calls itself counts only beside its credential, so
// that nobody can pass for somebody else's.
type workerKey struct{ service, version, scope, instance string }

func keyOf(id attach.Identity) workerKey {
	return workerKey{id.Service, id.Version, id.Scope, id.Instance}
}

// endpoint is the worker as it is announced to the pool.
func (w *worker) endpoint() endpoint.Endpoint {
	places := w.attached.Capacity()
	if places == 0 {
		places = -1 // none for the time being; 0 would be any number
	}
	return endpoint.Endpoint{
		Name:        w.name,
		Address:     endpoint.Address{Network: "worker", Host: w.name},
		Weight:      w.identity.Weight,
		Concurrency: places,
	}
}

// shown is what is shown of the worker; nil as long as it has no connection. The
// roll is locked.
func (w *worker) shown() *admin.Worker {
	latest := w.latest.Load()
	if latest == nil {
		return nil
	}
	id := w.identity
	return &admin.Worker{
		Instance: id.Instance, Version: id.Version, Zone: id.Zone, Labels: id.Labels, Credential: id.Credential,
		Remote: latest.attached.Conn.RemoteAddr().String(), Door: latest.attached.Kind.String(),
	}
}

// A link is one connection of a worker.
type link struct {
	workers  *workers
	attached attach.Attached
	conn     *http2.Conn
	// unnamed: its worker knows nothing of Weir, and is known by its certificate.
	unnamed bool
	// worker is whose it is; nil until it has joined.
	worker  atomic.Pointer[worker]
	retired bool // guarded by workers.mu
	// gone is closed when nothing new is to be sent over it.
	gone chan struct{}
}

// changed sees what has become of the connection: how many requests it takes, or
// that it takes no more.
func (l *link) changed() {
	w := l.worker.Load()
	switch {
	case w == nil: // join will see
	case l.conn.Draining():
		l.workers.retire(l)
	default:
		w.service.heed(w)
	}
}
