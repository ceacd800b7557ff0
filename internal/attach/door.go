package attach

import (
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/weirproxy/weir/internal/exchange"
)

// A Door lets workers in. Its methods may be called concurrently.
type Door struct {
	opts Options

	mu        sync.Mutex
	changed   sync.Cond // a handshake has ended, or a connection is closed
	rules     *ruleset
	closing   bool // no more connections
	listeners map[net.Listener]struct{}
	under     []*handshake // those under way, the oldest first
	live      map[*conn]struct{}
	busy      sync.WaitGroup
}

// NewDoor returns a Door with rules. Options are checked, and so are the rules.
func NewDoor(o Options, r Rules) (*Door, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	d := &Door{opts: o, listeners: map[net.Listener]struct{}{}, live: map[*conn]struct{}{}}
	d.changed.L = &d.mu
	if err := d.SetRules(r); err != nil {
		return nil, err
	}
	return d, nil
}

// SetRules replaces the rules, and closes the connections of workers that they do
// not allow what they serve. On an error the rules stay as they were.
func (d *Door) SetRules(r Rules) error {
	if err := r.Check(); err != nil {
		return err
	}
	rules := newRuleset(r)
	d.mu.Lock()
	d.rules = rules
	var revoked []*conn
	for c := range d.live {
		if !rules.keeps(c.attached.Identity) {
			c.why = ErrRevoked
			revoked = append(revoked, c)
		}
	}
	d.mu.Unlock()
	for _, c := range revoked {
		id := c.attachedNow().Identity
		d.opts.Log.Warn("a worker may no longer serve what it does", "credential", id.Credential, "service", id.Service, "instance", id.Instance)
	}
	closeAll(revoked)
	return nil
}

func (d *Door) currentRules() *ruleset {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rules
}

// Upgrade decides about a request that came in on a listener that is not for
// workers alone: there nobody is let in without a token or a certificate. Who is
// let in gets [Door.AppendAccept], and his connection goes to [Door.Attach].
func (d *Door) Upgrade(r Request) (Identity, *Refusal) {
	return d.decide(r, false)
}

// decide decides about a request; local says whether somebody from this machine
// may be let in without token and certificate.
func (d *Door) decide(r Request, local bool) (Identity, *Refusal) {
	if refusal := r.check(); refusal != nil {
		return Identity{}, refusal
	}
	if d.opts.Draining() {
		return Identity{}, draining()
	}
	claim, refusal := readClaim(r.Head.Header)
	if refusal != nil {
		return Identity{}, refusal
	}
	token, refusal := r.token()
	if refusal != nil {
		return Identity{}, refusal
	}
	shown := Shown{Token: token, Certificate: verified(r.TLS), Local: local && r.TLS == nil && isLocal(r.Remote)}
	id, refusal := d.currentRules().authorize(claim, shown.proof())
	return d.admit(id, refusal, r.Remote)
}

// admit completes an identity that the rules allow, and asks whoever else has a
// say.
func (d *Door) admit(id Identity, refusal *Refusal, remote net.Addr) (Identity, *Refusal) {
	if refusal != nil {
		return Identity{}, refusal
	}
	if id.Instance == "" {
		id.Instance = instanceOf(remote)
	}
	if refusal := d.opts.Admit(id); refusal != nil {
		return Identity{}, refusal
	}
	return id, nil
}

// instanceOf makes up a name of a worker that gave none: no two connections that
// are open at the same time have the same.
func instanceOf(remote net.Addr) string {
	if tcp, ok := remote.(*net.TCPAddr); ok {
		name := strings.NewReplacer(":", "-", "[", "", "]", "", "%", "-").Replace(tcp.String())
		if badName(name) == "" {
			return name
		}
	}
	return string(exchange.AppendID([]byte("connection-")))
}

// ErrClosed is returned by Serve after Close or Drain, and by what comes later.
var ErrClosed = errors.New("door closed")

// stop takes no more connections, and closes the listeners.
func (d *Door) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closing = true
	for l := range d.listeners {
		_ = l.Close()
	}
	d.changed.Broadcast()
}

// Close closes the listeners and all connections, and waits until nothing of the
// door runs any more: Announce must return once its connection is closed.
func (d *Door) Close() {
	d.stop()
	d.mu.Lock()
	live := slices.Collect(maps.Keys(d.live))
	for _, h := range d.under {
		_ = h.conn.Close()
	}
	d.mu.Unlock()
	closeAll(live)
	d.busy.Wait()
}

// closeAll closes connections side by side: TLS has a last word for the other
// end, and who does not take it must not hold up the rest.
func closeAll(conns []*conn) {
	var all sync.WaitGroup
	for _, c := range conns {
		all.Go(func() { _ = c.Close() })
	}
	all.Wait()
}

// Drain closes the listeners, and waits until the last attached connection is
// closed by whoever has it. When ctx ends before that, its error is returned, and
// the connections stay open.
func (d *Door) Drain(ctx context.Context) error {
	d.stop()
	wake := context.AfterFunc(ctx, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.changed.Broadcast()
	})
	defer wake()
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.live)+len(d.under) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		d.changed.Wait()
	}
	return nil
}
