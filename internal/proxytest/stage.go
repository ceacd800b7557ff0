package proxytest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A Proxy is what scenarios are played against.
type Proxy interface {
	// Listen opens the listeners, Serve serves until Shutdown.
	Listen() error
	Serve() error
	Shutdown(ctx context.Context) error
	// Addresses are those of the listeners.
	Addresses() []string
}

// Start makes the proxy of a scenario.
type Start func(e Environment) (Proxy, error)

// An Environment is what a proxy has to use, so that the scenario is all it sees.
type Environment struct {
	// Config is the configuration, in YAML. Its endpoints are names that only
	// Dial knows.
	Config []byte
	// AccessLog is the file that the access log goes to, as JSON.
	AccessLog string
	// Listen opens listeners, Dial connects to endpoints.
	Listen func(network, address string) (net.Listener, error)
	Dial   func(ctx context.Context, network, address string) (net.Conn, error)
}

// Play plays the scenario in file, beside others, against proxies that start makes:
// over loopback sockets, plain and with TLS, and over connections in memory in virtual
// time.
func Play(t *testing.T, file string, start Start) { playAll(t, file, start, false) }

// PlayInAnyOrder is Play for proxies that do not keep fields of different names in
// their order, nor the case of names.
func PlayInAnyOrder(t *testing.T, file string, start Start) { playAll(t, file, start, true) }

func playAll(t *testing.T, file string, start Start, anyOrder bool) {
	t.Parallel()
	s, err := load(file)
	if err != nil {
		t.Fatal(err)
	}
	s.anyOrder = anyOrder
	if s.playedOn("plain") {
		t.Run("plain", func(t *testing.T) { play(t, s, sockets{}, patienceReal, start) })
	}
	if s.playedOn("tls") {
		t.Run("tls", func(t *testing.T) { play(t, s, secured{}, patienceReal, start) })
	}
	if s.playedOn("virtual") {
		t.Run("virtual", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { play(t, s, newMemory(), patienceVirtual, start) })
		})
	}
}

// A stage is one scenario being played.
type stage struct {
	file      string
	virtual   bool
	anyOrder  bool // of fields
	network   Network
	patience  time.Duration
	proxy     Proxy
	serving   sync.WaitGroup
	clients   map[string]*client
	endpoints map[string]*endpoint
	whoever   map[string]*endpoint // by any, same and other
	bell      bell
	log       accessLog
	clock     time.Time
}

func play(t *testing.T, s *scenario, n Network, patience time.Duration, start Start) {
	st := &stage{
		file: s.file, anyOrder: s.anyOrder, network: n, patience: patience,
		clients: map[string]*client{}, endpoints: map[string]*endpoint{}, whoever: map[string]*endpoint{},
	}
	_, st.virtual = n.(*memory)
	st.bell.ch = make(chan struct{})
	st.log.path = filepath.Join(t.TempDir(), "access.log")
	defer st.close()
	if err := st.open(s, start); err != nil {
		t.Fatalf("%s: %v", s.file, err)
	}
	for i := range s.script {
		line := &s.script[i]
		if err := st.do(line); err != nil {
			t.Fatalf("%s:%d: %s\n\t%v%s", s.file, line.line, line, err, st.told())
		}
	}
	if err := st.leftovers(); err != nil {
		t.Fatalf("%s: at the end of the script\n\t%v", s.file, err)
	}
}

// open brings up the endpoints and the proxy.
func (st *stage) open(s *scenario, start Start) error {
	var urls []string
	for i := range s.script {
		switch name := s.script[i].actor; {
		case strings.HasPrefix(name, "client"):
			st.clients[name] = &client{name: name}
		case name == "log", name == "clock", isWhoever(name):
		case s.config != nil && !strings.Contains(string(s.config), "//"+name):
			return fmt.Errorf("%d: there is no endpoint http://%s in the configuration", s.script[i].line, name)
		case st.endpoints[name] == nil:
			if err := st.addEndpoint(name); err != nil {
				return err
			}
			urls = append(urls, "http://"+name)
		}
	}
	for _, m := range endpointForm.FindAllSubmatch(s.config, -1) {
		if name := string(m[1]); st.endpoints[name] == nil {
			if err := st.addEndpoint(name); err != nil {
				return err
			}
		}
	}
	config := s.config
	if config == nil {
		config = fmt.Appendf(nil, "services: { web: { endpoints: [%s] } }\n", strings.Join(urls, ", "))
	}
	p, err := start(Environment{Config: config, AccessLog: st.log.path, Listen: st.network.Listen, Dial: st.dial})
	if err != nil {
		return err
	}
	st.proxy = p
	if err := p.Listen(); err != nil {
		return err
	}
	st.serving.Go(func() { _ = p.Serve() })
	st.clock = time.Now()
	return nil
}

// endpointForm finds the endpoints in a configuration.
var endpointForm = regexp.MustCompile(`\bhttp://([a-z][a-z0-9]*)`)

func (st *stage) addEndpoint(name string) error {
	e, err := newEndpoint(name, st)
	if err == nil {
		st.endpoints[name] = e
	}
	return err
}

// dial is how the proxy reaches endpoints: by their names.
func (st *stage) dial(ctx context.Context, network, address string) (net.Conn, error) {
	name, _, _ := net.SplitHostPort(address)
	e := st.endpoints[name]
	if e == nil {
		return nil, refused(network, address)
	}
	return e.dial(ctx, network, address)
}

func (st *stage) do(s *statement) error {
	switch c := st.clients[s.actor]; {
	case c != nil:
		return st.client(c, s)
	case s.actor == "log":
		return st.log.want(s, st.patience)
	case s.actor == "clock":
		return st.time(s)
	case isWhoever(s.actor):
		return st.anyone(s)
	default:
		return st.endpoint(st.endpoints[s.actor], s)
	}
}

// time does what the clock is asked for.
func (st *stage) time(s *statement) error {
	if s.verb == "start" {
		st.clock = time.Now()
		return nil
	}
	d, err := time.ParseDuration(s.args)
	switch {
	case err != nil:
		return err
	case s.verb == "pass":
		time.Sleep(d)
		return nil
	case s.verb != "want":
		return errors.New("a clock knows start, pass and want")
	case !st.virtual:
		return errors.New("the clock is only right in virtual time: `only virtual`")
	}
	// Deadlines are met within two ticks of the watchdog.
	const tolerance = 250 * time.Millisecond
	if passed := time.Since(st.clock); passed < d || passed > d+tolerance {
		return fmt.Errorf("%v have passed, want %v", passed, d)
	}
	return nil
}

// leftovers ends the scenario in an orderly way and looks for what nobody asked
// for: a request that was repeated, an answer that was doubled.
func (st *stage) leftovers() error {
	for _, c := range st.clients {
		if c.end != nil {
			closeWrite(c.end.conn)
		}
	}
	st.shutDown()
	for _, e := range st.ends() {
		e.await(2*time.Second, func() bool { return e.err != nil || e.deaf })
		if rest := e.rest(); len(rest) > 0 && !e.ignored {
			return fmt.Errorf("%s received what no line wants: %s", e.name, show(rest))
		}
	}
	return nil
}

func (st *stage) shutDown() {
	if st.proxy == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = st.proxy.Shutdown(ctx)
	st.serving.Wait()
	st.proxy = nil
}

// close ends everything, however far the scenario got.
func (st *stage) close() {
	for _, c := range st.clients {
		if c.end != nil {
			_ = c.end.conn.Close()
		}
	}
	st.shutDown()
	for _, e := range st.endpoints {
		e.stop()
	}
	for _, e := range st.ends() {
		e.close()
	}
	if st.virtual {
		time.Sleep(time.Second) // what runs at intervals notices that it is over
	}
}

func (st *stage) ends() []*end {
	var list []*end
	for _, c := range st.clients {
		list = append(list, c.ends...)
	}
	for _, e := range st.endpoints {
		list = append(list, e.all()...)
	}
	return list
}

// told is what has come over all connections, for a failure.
func (st *stage) told() string {
	var text strings.Builder
	for _, e := range st.ends() {
		text.WriteString("\n\t" + e.told())
	}
	return text.String()
}

// A bell rings whenever something has arrived anywhere.
type bell struct {
	mu sync.Mutex
	ch chan struct{}
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.ch)
	b.ch = make(chan struct{})
}

// await waits until ready returns true.
func (b *bell) await(d time.Duration, ready func() bool) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		b.mu.Lock()
		ch := b.ch
		b.mu.Unlock()
		if ready() {
			return true
		}
		select {
		case <-ch:
		case <-t.C:
			return false
		}
	}
}
