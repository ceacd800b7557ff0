package weir

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/weirproxy/weir/internal/attach"
	"github.com/weirproxy/weir/internal/http2"
	"github.com/weirproxy/weir/internal/observe"
	"github.com/weirproxy/weir/internal/transport"
)

// workers brings together the door, by which workers come, and the services that
// they serve:
//
//	door ─▶ announce ─▶ open (HTTP/2) ─▶ identify, if it is yet unknown ─▶ join
//	                                                                        │
//	                         leave ◀─ the connection drains or ends ◀─ carry requests
//
// Every connection has one goroutine here, in announce.
type workers struct {
	proxy *Proxy
	door  *attach.Door // nil: nobody can attach

	mu    sync.Mutex
	byKey map[workerKey]*worker
	count int // of connections
}

// What bounds workers, besides descriptors.
const (
	maxAttached    = 20000 // connections
	maxPerInstance = 16    // connections
	maxAnswer      = 16 << 10
)

func newWorkers(p *Proxy) *workers {
	return &workers{proxy: p, byKey: map[workerKey]*worker{}}
}

// announce takes over a connection that has come in by the door, and returns when
// it has ended.
func (ws *workers) announce(a attach.Attached) error {
	if !ws.enter() {
		return ws.full()
	}
	defer ws.exit()
	l := &link{workers: ws, attached: a, gone: make(chan struct{})}
	if err := ws.open(l); err != nil {
		return err
	}
	err := ws.join(l)
	if err != nil {
		l.conn.Close()
	}
	ws.attend(l)
	ws.leave(l)
	return err
}

// attend waits until a connection has ended. Meanwhile it announces when nothing new
// goes out over it, and asks its worker to move when it has grown old.
func (ws *workers) attend(l *link) {
	old := ws.ageing(l)
	for {
		select {
		case <-l.conn.Closed():
			return
		case <-l.gone:
			l.worker.Load().service.announce()
			<-l.conn.Closed()
			return
		case <-old:
			ws.move(l)
		}
	}
}

// ageing returns when the connection will be too old; never, if there is no limit or
// its worker does not know what to do then.
func (ws *workers) ageing(l *link) <-chan time.Time {
	limit := ws.proxy.config().Attach.MaxAge.Std()
	if limit <= 0 || l.attached.Kind == attach.Dialed || l.unnamed {
		return nil
	}
	return time.After(limit - limit/10 + rand.N(limit/5+1))
}

// moveTimeout bounds how long a worker takes to say that it will move.
const moveTimeout = 10 * time.Second

// move asks a worker to open another connection and then to leave this one. Who does
// not know how stays.
func (ws *workers) move(l *link) {
	ctx, cancel := context.WithTimeout(context.Background(), moveTimeout)
	defer cancel()
	status, _, err := transport.Ask(ctx, l.conn, http.MethodPost, attach.DrainPath, 0)
	ws.proxy.log.Debug("a worker was asked to move", "instance", l.attached.Identity.Instance, "status", status, "error", err)
}

// enter counts a connection from its first moment on, also while it has not begun
// HTTP/2 and is nobody's yet; false if there are too many.
func (ws *workers) enter() bool {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.count >= maxAttached {
		return false
	}
	ws.count++
	return true
}

func (ws *workers) exit() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.count--
}

// open begins HTTP/2 on a connection, and sees to it that its worker is known.
func (ws *workers) open(l *link) (err error) {
	if l.conn, err = http2.NewConn(l.attached.Conn, ws.options(l)); err != nil || !l.attached.Pending {
		return err
	}
	if l.attached.Identity, err = ws.identify(l); err != nil {
		l.conn.Refuse(reasonOf(err))
		<-l.conn.Closed()
		return err
	}
	l.conn.Serve(ws.options(l))
	return nil
}

// reasonOf is what a worker is told that asked by HTTP/2: the document that it would
// have been answered an upgrade with.
func reasonOf(err error) string {
	var refusal *attach.Refusal
	if !errors.As(err, &refusal) {
		return err.Error()
	}
	text, err := json.Marshal(refusal.Problem(""))
	if err != nil {
		return refusal.Error() // strings always marshal
	}
	return string(text)
}

// options are those of a connection.
func (ws *workers) options(l *link) http2.Options {
	p, id := ws.proxy, l.attached.Identity
	c := p.plan.Load().settingsOf(id.Service)
	return http2.Options{
		Limits:   p.headLimits(),
		Head:     attachedHead(c, id.Service),
		Response: c.Timeouts.Response.Std(),
		Read:     c.Timeouts.Read.Std(),
		Write:    c.Timeouts.Write.Std(),
		Tunnel:   max(0, c.Timeouts.Tunnel.Std()),
		Changed:  l.changed,
		Log:      p.log,
	}
}

// identify asks a worker that came in by ALPN who it is. Who does not know that
// question is known by its certificate.
func (ws *workers) identify(l *link) (attach.Identity, error) {
	ctx, cancel := context.WithTimeout(context.Background(), identifyTimeout)
	defer cancel()
	status, content, err := transport.Ask(ctx, l.conn, http.MethodGet, attach.WorkerPath, maxAnswer)
	switch {
	case err != nil:
		return attach.Identity{}, err
	case status == http.StatusNotFound:
		l.unnamed = true
		return ws.door.Identify(l.attached.Conn, nil, "")
	case status != http.StatusOK:
		return attach.Identity{}, fmt.Errorf("the worker answered %d when asked who it is", status)
	}
	claim, token, refusal := attach.ReadAnswer(content)
	if refusal != nil {
		return attach.Identity{}, refusal
	}
	return ws.door.Identify(l.attached.Conn, &claim, token)
}

// identifyTimeout bounds the question; the door's own bound is shorter.
const identifyTimeout = time.Minute

// admit implements attach.Options.Admit: it bounds how many there are.
func (ws *workers) admit(id attach.Identity) *attach.Refusal {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.count >= maxAttached {
		return ws.full()
	}
	return ws.conflictLocked(id)
}

func (ws *workers) full() *attach.Refusal {
	return attach.TooManyWorkers(fmt.Sprintf("%d connections of workers are attached, and that is all there may be", maxAttached))
}

// conflictLocked says why an instance cannot have one more connection; nil if it
// can.
func (ws *workers) conflictLocked(id attach.Identity) *attach.Refusal {
	if w := ws.byKey[keyOf(id)]; w == nil || len(w.links) < maxPerInstance {
		return nil
	}
	return attach.InstanceConflict(fmt.Sprintf("instance %s of %s has %d connections already; another worker needs another name",
		id.Instance, fullName(id.Service, id.Version), maxPerInstance))
}

// join has requests go out over a connection.
func (ws *workers) join(l *link) error {
	w, err := ws.enlist(l)
	if err != nil {
		return err
	}
	w.service.announce()
	l.changed() // meanwhile
	ws.tell(eventAttached, "a worker attached", l, nil)
	return nil
}

func (ws *workers) enlist(l *link) (*worker, error) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	id := l.attached.Identity
	// Many can be admitted before the first of them has begun HTTP/2.
	if conflict := ws.conflictLocked(id); conflict != nil {
		return nil, conflict
	}
	w := ws.byKey[keyOf(id)]
	if w != nil {
		w.attached.Add(l.conn)
		w.service.roll.renew(w, id)
	} else {
		w = &worker{key: keyOf(id), identity: id}
		w.attached.Add(l.conn)
		if err := ws.proxy.enroll(w); err != nil {
			return nil, err
		}
		ws.byKey[w.key] = w
	}
	w.links = append(w.links, l)
	w.latest.Store(l)
	l.worker.Store(w)
	return w, nil
}

// retire sends no more requests over a connection, from now on; those that it carries
// go on. That its worker has left, if it was the last one, is announced by the
// goroutine of the connection: it may take a while.
func (ws *workers) retire(l *link) {
	if w := l.worker.Load(); w != nil {
		w.service.heed(w) // before the connection is missing: who is refused there waits
	}
	if w := ws.strike(l); w != nil {
		close(l.gone)
	}
}

// strike takes a connection from its worker, and the worker that has no other from
// its service. It returns the worker; nil if that has happened before.
func (ws *workers) strike(l *link) *worker {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	w := l.worker.Load()
	if l.retired || w == nil {
		return nil
	}
	l.retired = true
	if w.attached.Remove(l.conn) > 0 {
		return w
	}
	w.service.roll.leave(w)
	if ws.byKey[w.key] == w {
		delete(ws.byKey, w.key)
	}
	return w
}

// leave forgets a connection that has ended.
func (ws *workers) leave(l *link) {
	w := l.worker.Load()
	if w == nil {
		return
	}
	ws.retire(l)
	w.service.announce() // the connection may have begun to, and not be done
	ws.mu.Lock()
	w.links = slices.DeleteFunc(w.links, func(other *link) bool { return other == l })
	ws.mu.Unlock()
	ws.tell(eventLeft, "a worker left", l, l.conn.Err())
}

// The events of workers.
const (
	eventAttached = "worker_attached"
	eventLeft     = "worker_left"
)

// tell logs what has happened to a connection, and publishes it.
func (ws *workers) tell(event, text string, l *link, why error) {
	id := l.attached.Identity
	reason := ""
	if why != nil {
		reason = why.Error()
	}
	ws.proxy.log.Info(text, "service", fullName(id.Service, id.Version), "instance", id.Instance,
		"remote", l.attached.Conn.RemoteAddr(), "door", l.attached.Kind, "credential", id.Credential, "reason", reason)
	ws.proxy.events.Publish(observe.Event{
		Time: time.Now(), Type: event, Service: fullName(id.Service, id.Version), Endpoint: l.worker.Load().called(), Reason: reason,
	})
}

// close ends all connections. Requests that they carry fail.
func (ws *workers) close() {
	if ws.door == nil {
		return
	}
	ws.mu.Lock()
	var links []*link
	for _, w := range ws.byKey {
		links = append(links, w.links...)
	}
	ws.mu.Unlock()
	for _, l := range links {
		l.conn.Close() // with a last word, and within a second
	}
	for _, l := range links {
		<-l.conn.Closed()
	}
	ws.door.Close()
}
