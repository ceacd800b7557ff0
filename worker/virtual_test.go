package worker_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirproxy/weir/internal/attach"
	"github.com/weirproxy/weir/internal/http2"
	"github.com/weirproxy/weir/worker"
)

// A network is addresses that can be dialed, in memory, so that time can be
// virtual.
type network struct {
	mu     sync.Mutex
	places map[string]*place
	dialed []string
}

func newNetwork() *network { return &network{places: map[string]*place{}} }

// A place is a listener at an address.
type place struct {
	at     *net.TCPAddr
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (n *network) listen(address string) *place {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := &place{at: net.TCPAddrFromAddrPort(netip.MustParseAddrPort(address)), conns: make(chan net.Conn), closed: make(chan struct{})}
	n.places[address] = p
	return p
}

var errNobody = errors.New("nobody listens there")

func (n *network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	n.dialed = append(n.dialed, address)
	p := n.places[address]
	n.mu.Unlock()
	if p == nil {
		return nil, errNobody
	}
	ours, theirs := net.Pipe()
	select {
	case p.conns <- addressed{theirs, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 40000}}:
		return addressed{ours, p.at}, nil
	case <-p.closed:
		return nil, errNobody
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// to returns every address that was dialed, once.
func (n *network) to() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := slices.Sorted(slices.Values(n.dialed))
	return slices.Compact(all)
}

func (p *place) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *place) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *place) Addr() net.Addr { return p.at }

type addressed struct {
	net.Conn
	remote net.Addr
}

func (c addressed) RemoteAddr() net.Addr { return c.remote }

func TestMove_LeavesAlsoWhenNobodyTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var draining bool // read and written in turns
		n := newNetwork()
		g := openGateOn(t, n.listen("127.0.0.1:7000"), attach.Options{Draining: func() bool { return draining }}, anonymous)
		serve(t, worker.Options{Routers: []string{"127.0.0.1:7000"}, Dial: n.dial}, http.HandlerFunc(hello))
		old := g.next().Conn
		synctest.Wait()
		draining = true
		since := time.Now()
		askToMove(t, old)
		<-old.Closed()
		if kept := time.Since(since); kept != 5*time.Second {
			t.Errorf("with nobody to take over, the connection was kept for %v, not for 5 s", kept)
		}
		if err := old.Err(); !errors.Is(err, http2.ErrDrained) {
			t.Errorf("the connection has ended with: %v", err)
		}
	})
}

func TestMove_InALoopDoesNotSpin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		g := openGateOn(t, n.listen("127.0.0.1:7000"), attach.Options{}, anonymous)
		serve(t, worker.Options{Routers: []string{"127.0.0.1:7000"}, Dial: n.dial}, http.HandlerFunc(hello))
		end, over := time.After(10*time.Minute), false
		for !over {
			select {
			case a := <-g.arrived:
				askToMove(t, a.Conn)
			case <-end:
				over = true
			}
		}
		// A wait is 5 s on average once it has grown to its bound, so 120 of them
		// are expected.
		if n := g.count.Load(); n > 240 || n < 60 {
			t.Errorf("a router that sends its worker away at once saw it %d times in 10 min, not about 120 times", n)
		}
	})
}

// mute is a router that has accepted a worker, reads, and says nothing more.
func mute(t *testing.T, p *place) (arrived chan time.Time) {
	arrived = make(chan time.Time, 16)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := p.Accept()
			if err != nil {
				return
			}
			arrived <- time.Now()
			all.Go(func() {
				defer c.Close()
				_ = readHead(c)
				_, _ = io.WriteString(c, switched+"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+"\x00\x00\x00\x04\x00\x00\x00\x00\x00")
				_, _ = io.Copy(io.Discard, c)
			})
		}
	})
	t.Cleanup(func() {
		_ = p.Close()
		all.Wait()
	})
	return arrived
}

// readHead reads a request's head byte by byte.
func readHead(c net.Conn) error {
	var head []byte
	for b := make([]byte, 1); !strings.HasSuffix(string(head), "\r\n\r\n"); head = append(head, b...) {
		if _, err := io.ReadFull(c, b); err != nil {
			return err
		}
	}
	return nil
}

func TestServe_NoticesARouterThatIsGoneWithoutAWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		arrived := mute(t, n.listen("127.0.0.1:7000"))
		serve(t, worker.Options{Routers: []string{"127.0.0.1:7000"}, Dial: n.dial}, http.HandlerFunc(hello))
		first := <-arrived
		if after := (<-arrived).Sub(first); after < 20*time.Second || after > 30*time.Second {
			t.Errorf("a router that says nothing is left after %v, not after about 25 s", after)
		}
	})
}

func TestServe_LeavesARouterThatIsAliveInPeace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		g := openGateOn(t, n.listen("127.0.0.1:7000"), attach.Options{}, anonymous)
		serve(t, worker.Options{Routers: []string{"127.0.0.1:7000"}, Dial: n.dial}, http.HandlerFunc(hello))
		c := g.next().Conn
		time.Sleep(time.Hour)
		expect(t, c, "GET", "/", "GET / ")
		if n := g.count.Load(); n != 1 {
			t.Errorf("within an idle hour the worker has attached %d times, not once", n)
		}
	})
}

func TestRefusal_IsHeededForAsLongAsItSays(t *testing.T) {
	for _, c := range []struct {
		status, field string
		atLeast, most time.Duration
	}{
		{"503 Service Unavailable", "Retry-After: 20\r\n", 20 * time.Second, 31 * time.Second},
		{"503 Service Unavailable", "Retry-After: 100000\r\n", time.Minute, 71 * time.Second},
		{"503 Service Unavailable", "", 0, 11 * time.Second},
		{"403 Forbidden", "", 5 * time.Second, 11 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork()
			arrived := refuse(t, n.listen("127.0.0.1:7000"), "HTTP/1.1 "+c.status+"\r\nContent-Length: 0\r\n"+c.field+"\r\n")
			serve(t, worker.Options{Routers: []string{"127.0.0.1:7000"}, Dial: n.dial}, http.HandlerFunc(hello))
			last := <-arrived
			for range 10 {
				at := <-arrived
				if wait := at.Sub(last); wait < c.atLeast || wait > c.most {
					t.Errorf("after %s with %q the worker comes back in %v, not in %v to %v", c.status, c.field, wait, c.atLeast, c.most)
				}
				last = at
			}
		})
	}
}

// refuse is a router that answers everybody with text.
func refuse(t *testing.T, p *place, text string) (arrived chan time.Time) {
	arrived = make(chan time.Time)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := p.Accept()
			if err != nil {
				return
			}
			_ = readHead(c)
			_, _ = io.WriteString(c, text)
			_ = c.Close()
			select {
			case arrived <- time.Now():
			case <-p.closed:
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = p.Close()
		<-done
	})
	return arrived
}

// names are addresses of names, which can change.
type names struct {
	mu  sync.Mutex
	ips map[string][]string
}

func (n *names) set(host string, ips ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ips[host] = ips
}

func (n *names) resolve(_ context.Context, _, host string) (ips []netip.Addr, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, text := range n.ips[host] {
		ips = append(ips, netip.MustParseAddr(text))
	}
	if len(ips) == 0 {
		err = &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return ips, err
}

// serveNamed is serve, with names.
func serveNamed(t *testing.T, n *network, d *names, o worker.Options) {
	t.Helper()
	o.Dial = n.dial
	run(t, func(ctx context.Context) error {
		return worker.ServeResolving(ctx, o, http.HandlerFunc(hello), d.resolve)
	})
}

func TestRoster_FollowsTheAddressesOfAName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, d := newNetwork(), &names{ips: map[string][]string{}}
		one := openGateOn(t, n.listen("10.0.0.1:7000"), attach.Options{}, anonymous)
		two := openGateOn(t, n.listen("10.0.0.2:7000"), attach.Options{}, anonymous)
		serveNamed(t, n, d, worker.Options{Routers: []string{"http://router.example.com:7000"}})
		time.Sleep(time.Minute) // the name is not there yet
		d.set("router.example.com", "10.0.0.1")
		first := one.next()
		d.set("router.example.com", "10.0.0.2", "10.0.0.1")
		expect(t, two.next().Conn, "GET", "/", "GET / ")
		d.set("router.example.com", "10.0.0.2")
		<-first.Closed()
		if err := first.Err(); !errors.Is(err, http2.ErrDrained) {
			t.Errorf("the connection to an address that the name has no more has ended with: %v", err)
		}
		d.set("router.example.com") // the name server fails, or the name is gone
		time.Sleep(time.Hour)
		if a, b := one.count.Load(), two.count.Load(); a != 1 || b != 1 {
			t.Errorf("the worker has attached %d and %d times, not once to each address", a, b)
		}
	})
}

func TestRoster_HasOneConnectionToAnAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, d := newNetwork(), &names{ips: map[string][]string{}}
		g := openGateOn(t, n.listen("10.0.0.1:7000"), attach.Options{Routers: func() []string { return []string{"http://10.0.0.1:7000"} }}, anonymous)
		d.set("a.example.com", "10.0.0.1", "::ffff:10.0.0.1")
		d.set("b.example.com", "10.0.0.1")
		serveNamed(t, n, d, worker.Options{Routers: []string{
			"http://a.example.com:7000", "http://B.example.com:7000/", "http://10.0.0.1:7000", "HTTP://10.0.0.1:7000",
		}})
		time.Sleep(time.Hour)
		if n := g.count.Load(); n != 1 {
			t.Errorf("to one address there are %d connections", n)
		}
	})
}

func TestRoster_FollowsRoutersThatRoutersName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := newAuthority(t)
		n, d := newNetwork(), &names{ips: map[string][]string{}}
		named := func(routers ...string) attach.Options {
			return attach.Options{TLS: ca.server(t), Routers: func() []string { return routers }}
		}
		a := openGateOn(t, n.listen("10.0.0.1:443"), named("10.0.0.2:7000", "http://10.0.0.9:80", "nonsense", "127.0.0.1:7000"), tokens)
		b := openGateOn(t, n.listen("10.0.0.2:7000"), named("https://c.example.com"), tokens)
		c := openGateOn(t, n.listen("10.0.0.3:443"), named("https://a.example.com"), tokens)
		d.set("a.example.com", "10.0.0.1")
		d.set("c.example.com", "10.0.0.3")
		serveNamed(t, n, d, worker.Options{
			Routers: []string{"https://a.example.com"}, Service: "web", Token: "alpha-token", TLS: ca.client(t, ""),
		})
		for _, g := range []*gate{a, b, c} {
			expect(t, g.next().Conn, "GET", "/", "GET / ")
		}
		time.Sleep(time.Hour)
		if got, want := n.to(), []string{"10.0.0.1:443", "10.0.0.2:7000", "10.0.0.3:443"}; !slices.Equal(got, want) {
			t.Errorf("the worker has dialed %v, not %v alone", got, want)
		}
	})
}

func TestRoster_BelievesClearTextOnThisMachineAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		further := func() []string {
			return []string{"127.0.0.1:7001", "https://10.0.0.9", "http://10.0.0.9", "10.0.0.9:7000"}
		}
		here := openGateOn(t, n.listen("127.0.0.1:7000"), attach.Options{Routers: further}, anonymous)
		there := openGateOn(t, n.listen("10.0.0.2:80"), attach.Options{Routers: further}, anonymous)
		beside := openGateOn(t, n.listen("127.0.0.1:7001"), attach.Options{}, anonymous)
		serve(t, worker.Options{Routers: []string{"http://10.0.0.2"}, Dial: n.dial}, http.HandlerFunc(hello))
		there.next()
		time.Sleep(time.Hour)
		if got := n.to(); len(got) != 1 {
			t.Errorf("at the word of a router in clear text the worker has dialed %v", got)
		}
		serve(t, worker.Options{Routers: []string{"127.0.0.1:7000"}, Dial: n.dial}, http.HandlerFunc(hello))
		here.next()
		beside.next()
		time.Sleep(time.Hour)
		if got, want := n.to(), []string{"10.0.0.2:80", "127.0.0.1:7000", "127.0.0.1:7001"}; !slices.Equal(got, want) {
			t.Errorf("the workers have dialed %v, not %v", got, want)
		}
	})
}

func TestRoster_BoundsWhoIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		g := openGateOn(t, n.listen("127.0.0.1:7000"), attach.Options{Routers: func() (all []string) {
			for i := range 200 {
				all = append(all, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 1, byte(i)}), 7000).String())
			}
			return all
		}}, anonymous)
		serve(t, worker.Options{Routers: []string{"127.0.0.1:7000"}, Dial: n.dial}, http.HandlerFunc(hello))
		g.next()
		time.Sleep(time.Hour)
		if got := len(n.to()); got != 1+64 {
			t.Errorf("a router that names 200 others has the worker dial %d addresses, not 65", got)
		}
	})
}
