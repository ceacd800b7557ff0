package weir

import (
	"cmp"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/endpoint"
	"github.com/weirproxy/weir/internal/admin"
	"github.com/weirproxy/weir/internal/observe"
	"github.com/weirproxy/weir/internal/pool"
	"github.com/weirproxy/weir/internal/service"
)

// A registry lets whoever runs the proxy see and change who serves what. It
// implements admin.Endpoints.
type registry struct{ proxy *Proxy }

// List implements admin.Endpoints.
func (r registry) List(name, version string) ([]admin.Description, bool) {
	s := r.proxy.services.version(name, []byte(version))
	if s == nil {
		return nil, false
	}
	return s.described(), true
}

// Change implements admin.Endpoints. One change is made at a time, and none while
// another configuration is taken over.
func (r registry) Change(name, version, id string, c admin.Change, may func(*admin.Description) bool) (*admin.Description, error) {
	p := r.proxy
	p.applying.Lock()
	defer p.applying.Unlock()
	if p.over {
		return nil, &admin.Refusal{Status: http.StatusServiceUnavailable, Code: "stopping", Detail: "Weir is shutting down."}
	}
	change := &change{proxy: p, key: serviceKey{name, version}, id: id, Change: c}
	current := change.current()
	if !may(current) {
		return nil, admin.ErrPrecondition
	}
	if err := change.make(); err != nil {
		return nil, err
	}
	p.events.Publish(observe.Event{Time: time.Now(), Type: "endpoint_changed", Service: change.key.String(), Endpoint: id, To: changeNames[c.Kind]})
	return change.current(), nil
}

var changeNames = map[admin.ChangeKind]string{
	admin.Put: "put", admin.Remove: "removed", admin.Drain: "draining", admin.Undrain: "undrained",
}

// A change is one change to one endpoint, in the making.
type change struct {
	proxy *Proxy
	key   serviceKey
	id    string
	admin.Change
}

func (c *change) service() *liveService {
	return c.proxy.services.version(c.key.name, []byte(c.key.version))
}

// current is how the endpoint is described now; nil if there is none.
func (c *change) current() *admin.Description {
	s := c.service()
	if s == nil {
		return nil
	}
	return s.describedAs(c.id)
}

// make makes the change: it is written first, then it takes effect.
func (c *change) make() error {
	s := c.service()
	if s != nil && s.roll.has(c.id) {
		return c.changeWorker(s)
	}
	next, err := c.edit(s)
	if err != nil {
		return err
	}
	if s == nil {
		if s, err = c.proxy.serviceFor(c.key.name, c.key.version); err != nil {
			return &admin.Refusal{Status: http.StatusServiceUnavailable, Code: "too_many_services", Detail: sentence(err)}
		}
	}
	offers, err := next.offers(s.settings())
	if err != nil {
		return &admin.Refusal{Status: http.StatusUnprocessableEntity, Code: "bad_endpoint", Detail: sentence(err)}
	}
	if err := c.proxy.edits.set(c.key, next); err != nil {
		c.proxy.log.Error("the state could not be written; nothing was changed", "error", err)
		return &admin.Refusal{Status: http.StatusInternalServerError, Code: "state_not_written", Detail: "The state file could not be written, so that nothing was changed: " + err.Error() + "."}
	}
	s.edit(next, offers)
	if c.Kind == admin.Drain || c.Kind == admin.Undrain {
		s.drainMember(c.id, c.Kind == admin.Drain)
	}
	return nil
}

// changeWorker changes what can be changed about a worker: whether it gets anything
// new, for as long as it is attached.
func (c *change) changeWorker(s *liveService) error {
	if c.Kind == admin.Drain || c.Kind == admin.Undrain {
		s.drainMember(c.id, c.Kind == admin.Drain)
		return nil
	}
	return &admin.Refusal{Status: http.StatusConflict, Code: "worker", Detail: "A worker comes and leaves by itself; drain it instead."}
}

// edit returns what will have been changed in the service.
func (c *change) edit(s *liveService) (*edit, error) {
	next := c.proxy.edits.of(c.key).clone()
	switch c.Kind {
	case admin.Put:
		put, err := c.put()
		if err != nil {
			return nil, err
		}
		next.put[c.id] = put
		delete(next.removed, c.id)
	case admin.Remove:
		delete(next.put, c.id)
		delete(next.drained, c.id)
		if s.announces(c.id) {
			next.removed[c.id] = true
		}
	case admin.Drain:
		next.drained[c.id] = true
	case admin.Undrain:
		delete(next.drained, c.id)
	}
	if next.size() > maxEdited {
		return nil, &admin.Refusal{Status: http.StatusServiceUnavailable, Code: "too_many_endpoints", Detail: "As many endpoints of the service were changed as can be."}
	}
	return next, nil
}

// put is the endpoint that is to be.
func (c *change) put() (edited, error) {
	if err := checkServiceKey(c.key); err != nil {
		return edited{}, &admin.Refusal{Status: http.StatusUnprocessableEntity, Code: "bad_service_name", Detail: sentence(err)}
	}
	d := c.Put
	address, err := endpoint.ParseAddress(d.URL)
	if err == nil {
		err = config.CheckEndpointURL(d.URL)
	}
	if err != nil {
		return edited{}, &admin.Refusal{Status: http.StatusUnprocessableEntity, Code: "bad_endpoint", Detail: "url: " + sentence(err)}
	}
	if c.proxy.listensAt(address) {
		return edited{}, &admin.Refusal{Status: http.StatusUnprocessableEntity, Code: "own_listener", Detail: "url: that is one of Weir's own listeners; requests would go round in circles."}
	}
	put := edited{Endpoint: endpoint.Endpoint{
		Name: c.id, Address: address, Weight: cmp.Or(d.Weight, 1), Concurrency: d.Concurrency, Zone: d.Zone, Labels: d.Labels,
	}}
	for _, name := range slices.Sorted(maps.Keys(d.Headers)) {
		put.headers = append(put.headers, config.Field{Name: name, Value: d.Headers[name]})
	}
	if err := config.CheckEndpointFields(put.headers); err != nil {
		return edited{}, &admin.Refusal{Status: http.StatusUnprocessableEntity, Code: "bad_endpoint", Detail: "headers: " + sentence(err)}
	}
	return put, nil
}

// checkServiceKey tells what is wrong with the name of a service or a version.
func checkServiceKey(key serviceKey) error {
	if err := config.CheckName(key.name); err != nil {
		return err
	}
	if key.version == "" {
		return nil
	}
	return config.CheckName(key.version)
}

// sentence is an error as the detail of a problem.
func sentence(err error) string { return err.Error() + "." }

// listensAt reports whether an address is one of the proxy's own listeners, as far as
// can be told without asking for its name.
func (p *Proxy) listensAt(a endpoint.Address) bool {
	for _, l := range p.listening() {
		switch bound := l.Addr().(type) {
		case *net.UnixAddr:
			if a.Network == "unix" && a.Host == bound.Name {
				return true
			}
		case *net.TCPAddr:
			if a.Network == "tcp" && a.Port == portText(bound) && reaches(a.Host, bound.AddrPort().Addr()) {
				return true
			}
		}
	}
	return false
}

func portText(a *net.TCPAddr) string {
	_, port, _ := net.SplitHostPort(a.String())
	return port
}

// reaches reports whether a connection to host comes to a listener that is bound to
// that address.
func reaches(host string, bound netip.Addr) bool {
	bound = bound.Unmap()
	addr, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return host == "localhost" && (bound.IsLoopback() || bound.IsUnspecified())
	case addr.Unmap() == bound:
		return true
	case !bound.IsUnspecified():
		return addr.IsUnspecified() && bound.IsLoopback()
	}
	return addr.IsLoopback() || addr.IsUnspecified() || isOurs(addr.Unmap())
}

// isOurs reports whether an address is one of this machine.
func isOurs(addr netip.Addr) bool {
	list, err := net.InterfaceAddrs()
	return err == nil && slices.ContainsFunc(list, func(a net.Addr) bool {
		prefix, err := netip.ParsePrefix(a.String())
		return err == nil && prefix.Addr().Unmap() == addr
	})
}

// listening returns all listeners that are open.
func (p *Proxy) listening() (list []net.Listener) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.doors {
		list = append(list, d.listener)
	}
	list = append(list, p.attach.listener, p.admin.api, p.admin.metrics)
	return slices.DeleteFunc(list, func(l net.Listener) bool { return l == nil })
}

// described returns how the endpoints of the service are described.
func (s *liveService) described() []admin.Description {
	workers := s.roll.shown()
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]admin.Description, 0, len(s.members.Members()))
	for _, m := range s.members.Members() {
		list = append(list, s.describedLocked(m, workers[m.Transport]))
	}
	return list
}

// describedAs returns how the endpoint of that name is described; nil if there is none.
func (s *liveService) describedAs(name string) *admin.Description {
	w := s.roll.shownAs(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.members.Members() {
		if m.Endpoint.Name == name {
			d := s.describedLocked(m, w)
			return &d
		}
	}
	return nil
}

func (s *liveService) describedLocked(m *service.Member, w *admin.Worker) admin.Description {
	d := admin.Description{
		Name: m.Endpoint.Name, URL: m.Endpoint.Address.String(), Weight: m.Weight(), Concurrency: m.Concurrency(),
		Draining: m.State().Condition == pool.Draining,
	}
	if w != nil {
		d.Source, d.Zone, d.Labels = fromWorker, w.Zone, w.Labels
	}
	if r := s.reached[d.Name]; r != nil && w == nil {
		d.Source, d.Zone, d.Labels = r.offer.from, r.offer.Zone, r.offer.Labels
		if len(r.offer.headers) > 0 {
			d.Headers = map[string]string{}
		}
		for _, f := range r.offer.headers {
			d.Headers[f.Name] = f.Value
		}
	}
	return d
}

// edit has the service be as it was changed to.
func (s *liveService) edit(next *edit, offers []offer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.edited, s.put = next, offers
	s.publishLocked(false)
}

// announces reports whether somebody else than the API offers an endpoint of that
// name.
func (s *liveService) announces(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	lists := [][]offer{s.configured}
	for _, p := range s.provided {
		lists = append(lists, p.list)
	}
	return slices.ContainsFunc(merge(lists), func(o offer) bool { return o.Name == name })
}

// drainMember gives an endpoint nothing new, or calls that off.
func (s *liveService) drainMember(name string, on bool) {
	for _, m := range s.members.Members() {
		if m.Endpoint.Name == name && (m.State().Condition == pool.Draining) != on {
			s.members.Drain(m, on)
		}
	}
}

// readState reads what was changed before the proxy started.
func (p *Proxy) readState(found *problems) {
	p.edits.path = p.config().State
	if p.edits.path == "" {
		return
	}
	all, err := readState(p.edits.path)
	if err != nil {
		found.add("state", err)
	}
	p.edits.all = all
}

// restore has services be as they were changed to before the proxy started.
func (p *Proxy) restore() error {
	for _, key := range p.edits.keys() {
		s, err := p.serviceFor(key.name, key.version)
		if err != nil {
			return err
		}
		e := p.edits.of(key)
		offers, err := e.offers(s.settings())
		if err != nil {
			return errors.New("service " + key.String() + ": " + err.Error())
		}
		s.edit(e, offers)
	}
	return nil
}
