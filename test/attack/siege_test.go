package attack

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
)

// A siege is one router under attack: an honest worker of service default, beside
// which the villain attaches, and one of aside@v1, which has nothing to do with it.
type siege struct {
	*weir.Proxy
	t                *testing.T
	cfg              weir.Config
	clients, workers string // addresses
	log              *journal
	honest           []*honest
	before           gauge
	heap             *peak
	traffic          *traffic
	lifted           bool
	liars            int         // how many villains have been told to lie
	listen           weir.Listen // if not nil, opens the listeners

	mu   sync.Mutex
	seen []string // the targets that honest workers were asked for, as they were written
	// heapMost is by how many bytes the heap may grow.
	heapMost uint64
}

// besiege starts a router, its honest workers and its clients. What is changed of
// its configuration, if anything, is change's.
func besiege(t *testing.T, change func(*weir.Config)) *siege {
	t.Helper()
	s := newSiege(t, change)
	s.begin()
	return s
}

// newSiege returns one that has not begun.
func newSiege(t *testing.T, change func(*weir.Config)) *siege {
	s := &siege{t: t, cfg: configuration(), log: new(journal), heapMost: 64 << 20}
	if change != nil {
		change(&s.cfg)
	}
	return s
}

func (s *siege) begin() {
	s.t.Helper()
	s.start()
	s.station("honest", "")
	s.station("bystander", "aside", "Weir-Service: aside", "Weir-Version: v1")
	s.before, s.heap = measure(), watchHeap()
	s.traffic = s.newTraffic()
	s.t.Cleanup(func() { s.lift() })
}

// configuration is that of weir run without a file, and besides: who may attach;
// a service whose requests are tried once, for who looks at what comes of them; and
// times that a test can wait for. Retries are not what is attacked: they may be as
// many as there are requests.
func configuration() weir.Config {
	c := config.Zero()
	c.Listeners[0].Address = "127.0.0.1:0"
	c.Attach.Address = "127.0.0.1:0"
	c.Attach.Tokens = []config.AttachToken{
		{Token: tokenOfHonest, Services: []string{"*"}},
		{Token: tokenOfVillain, Services: []string{"default", "prey", "shop@v1"}},
	}
	c.Admin.Off = true
	times := config.Timeouts{
		Response: config.Duration(500 * time.Millisecond), Read: config.Duration(time.Second), Write: config.Duration(time.Second),
	}
	c.Services["default"] = config.Service{Timeouts: times, Retry: config.Retry{Budget: 1000_00, Attempts: 10}}
	c.Services["aside"] = config.Service{} // where nobody has to be given up, however busy the machine is
	c.Services["prey"] = config.Service{
		Timeouts: times, Retry: config.Retry{Attempts: 1}, Backpressure: config.Backpressure{Off: true},
		Queue: config.Queue{Timeout: config.Duration(soon)},
	}
	c.Routes = append(c.Routes, config.Route{Service: "prey", Match: config.Match{Path: "/prey/*"}, StripPrefix: "/prey"})
	return *c.WithDefaults()
}

func (s *siege) start() {
	s.t.Helper()
	options := []weir.Option{weir.WithLogger(s.log.logger())}
	if s.listen != nil {
		options = append(options, weir.WithListen(s.listen))
	}
	p, err := weir.New(s.cfg, options...)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := p.Listen(); err != nil {
		s.t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- p.Serve() }()
	s.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), soon)
		defer cancel()
		if err := errors.Join(p.Shutdown(ctx), <-served); err != nil {
			s.t.Errorf("the router does not stop as it should: %v", err)
		}
	})
	s.Proxy, s.clients, s.workers = p, p.Addresses()[0], p.AttachAddress()
	if s.listen != nil { // that address cannot be dialed
		s.workers = p.Addresses()[1]
	}
}

// infiltrate attaches a villain to the siege.
func (s *siege) infiltrate(fields ...string) *villain {
	s.t.Helper()
	return infiltrate(s.t, s.workers, fields...)
}

// lured is what a client was answered, or why there is nothing.
type lured struct {
	answer
	err error
}

// lure attaches a villain that serves prey alone, and has a client ask it for /it.
func (s *siege) lure(t *testing.T, method string, fields ...string) (*villain, <-chan lured) {
	t.Helper()
	v := infiltrate(t, s.workers, append(fields, "Weir-Service: prey")...).begin()
	c := dialClient(t, s.clients)
	asked := make(chan lured, 1)
	go func() {
		defer c.nc.Close()
		a, err := c.ask(method, "/prey/it")
		asked <- lured{a, err}
	}()
	return v, asked
}

// awaitLeft waits until the router has said of n connections of an instance that
// they are gone, for this reason.
func (s *siege) awaitLeft(n int, instance, reason string) {
	s.t.Helper()
	s.log.await(s.t, n, `msg="a worker left" .*instance=`+instance+` .*reason=.*`+reason)
}

// lift ends the siege, and sees what it has done. The villains have left.
func (s *siege) lift() {
	s.t.Helper()
	if s.lifted {
		return
	}
	s.lifted = true
	s.traffic.await(s.t, 2) // it goes on
	s.traffic.stop(s.t)
	if grown := s.heap.grown(); grown > s.heapMost {
		s.t.Errorf("the heap has grown by %d KiB, more than %d", grown>>10, s.heapMost>>10)
	} else {
		s.t.Logf("the heap has grown by %d KiB at most; %d requests of clients were answered", grown>>10, s.traffic.answered.Load())
	}
	s.before.awaitReturn(s.t)
	for _, h := range s.honest {
		h.leave()
	}
}

// An honest worker is a real server of HTTP/2 on a connection that it has opened.
type honest struct {
	nc     net.Conn
	served sync.WaitGroup
}

// station attaches an honest worker that answers its name and what it was asked.
func (s *siege) station(name, service string, fields ...string) {
	s.t.Helper()
	nc, r, answer := handshake(s.t, s.workers, append(fields, bearer(tokenOfHonest), "Weir-Instance: "+name)...)
	if answer.StatusCode != http.StatusSwitchingProtocols {
		s.t.Fatalf("worker %s was refused: %d", name, answer.StatusCode)
	}
	_ = nc.SetDeadline(time.Time{})
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.see(r.RequestURI)
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%s %s", name, r.RequestURI)
	}), Protocols: new(http.Protocols)}
	srv.Protocols.SetUnencryptedHTTP2(true)
	h := &honest{nc: nc}
	h.served.Go(func() { _ = srv.Serve(&single{conn: buffered{nc, r}}) })
	s.honest = append(s.honest, h)
	s.log.await(s.t, 1, `msg="a worker attached" .*instance=`+name+` `)
}

// see notes what an honest worker was asked for, but for the ordinary.
func (s *siege) see(target string) {
	if target == "/ordinary" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, target)
}

func (h *honest) leave() {
	_ = h.nc.Close()
	h.served.Wait()
}

type buffered struct {
	net.Conn
	r *bufio.Reader
}

// Read implements net.Conn.
func (b buffered) Read(p []byte) (int, error) { return b.r.Read(p) }

// A single is a listener of one connection.
type single struct{ conn net.Conn }

// Accept implements net.Listener.
func (s *single) Accept() (net.Conn, error) {
	if c := s.conn; c != nil {
		s.conn = nil
		return c, nil
	}
	return nil, io.EOF
}

// Close implements net.Listener.
func (s *single) Close() error { return nil }

// Addr implements net.Listener.
func (s *single) Addr() net.Addr { return &net.TCPAddr{} }

// Traffic is clients that ask all the time, and must be answered by honest workers.
type traffic struct {
	answered atomic.Int64
	mu       sync.Mutex
	wrong    []string
	end      chan struct{}
	running  sync.WaitGroup
}

func (s *siege) newTraffic() *traffic {
	t := &traffic{end: make(chan struct{})}
	for path, want := range map[string]string{"/ordinary": "honest /ordinary", "/aside/v1/ordinary": "bystander /ordinary"} {
		t.running.Go(func() { t.run(s.clients, path, want) })
	}
	return t
}

func (t *traffic) run(address, path, want string) {
	var c *client
	defer func() {
		if c != nil {
			_ = c.nc.Close()
		}
	}()
	for {
		select {
		case <-t.end:
			return
		case <-time.After(time.Millisecond):
		}
		if c == nil {
			nc, err := net.Dial("tcp", address)
			if err != nil {
				t.note("%s: %v", path, err)
				return
			}
			c = newClient(nc)
		}
		a, err := c.ask("GET", path)
		if err != nil || a.truncated || a.status != 200 || a.body != want {
			t.note("%s was answered %d %q %q (truncated: %t, %v), not %q", path, a.status, a.header, a.body, a.truncated, err, want)
		}
		t.answered.Add(1)
		if err != nil || a.truncated || a.closing {
			_ = c.nc.Close()
			c = nil
		}
	}
}

func (t *traffic) note(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wrong = append(t.wrong, fmt.Sprintf(format, args...))
}

// await waits until the clients have been answered n more requests.
func (t *traffic) await(tt *testing.T, n int64) {
	tt.Helper()
	for start, goal := time.Now(), t.answered.Load()+n; t.answered.Load() < goal; time.Sleep(time.Millisecond) {
		if time.Since(start) > soon {
			tt.Fatal("clients get no answers")
		}
	}
}

func (t *traffic) stop(tt *testing.T) {
	tt.Helper()
	close(t.end)
	t.running.Wait()
	if n := len(t.wrong); n > 0 {
		tt.Errorf("%d of %d requests of clients were answered wrong, such as:\n%s", n, t.answered.Load(), strings.Join(t.wrong[:min(n, 3)], "\n"))
	}
}
