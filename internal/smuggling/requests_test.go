package smuggling_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/internal/smuggling"
)

// Every case reaches the endpoint as the messages that it says, or not at all:
// however it is cut into pieces, over plain sockets and over TLS.
func TestRequests(t *testing.T) {
	cases, err := smuggling.Cases()
	if err != nil {
		t.Fatal(err)
	}
	e := newEndpoint(t)
	cert, key := certificate(t)
	addresses := startProxy(t, e.URL(), config.Listener{Address: "127.0.0.1:0"}, config.Listener{
		Address: "127.0.0.1:0",
		TLS:     &config.ServerTLS{Certificates: []config.Certificate{{Cert: cert, Key: key}}},
	})
	dials := map[string]func() (net.Conn, error){
		"plain": func() (net.Conn, error) { return net.Dial("tcp", addresses[0]) },
		"tls": func() (net.Conn, error) {
			return tls.Dial("tcp", addresses[1], &tls.Config{InsecureSkipVerify: true})
		},
	}
	r := rig{endpoint: e, address: addresses[0]}
	for _, c := range cases {
		for name, dial := range dials {
			for _, m := range smuggling.Modes {
				if c.In(m) {
					t.Run(c.Name+"/"+name+"/"+string(m), func(t *testing.T) { r.play(t, c, m, dial) })
				}
			}
		}
	}
}

// A rig is a proxy and the endpoint behind it.
type rig struct {
	endpoint *smuggling.Endpoint
	address  string // of the proxy's plain listener
}

func (r *rig) play(t *testing.T, c *smuggling.Case, m smuggling.Mode, dial func() (net.Conn, error)) {
	got, setting, reached := r.send(t, c, m, dial)
	// Whatever was left on a connection to the endpoint comes before this, or
	// in the place of its answer.
	checkAlive(t, r.address)
	taken := r.endpoint.Take()
	seen, barrier := taken.Messages, (*smuggling.Message)(nil)
	if n := len(seen); n > 0 {
		seen, barrier = seen[:n-1], seen[n-1]
	}
	if barrier == nil || barrier.Target != "/barrier" {
		t.Errorf("the request sent afterwards was seen as %+v", barrier)
	}
	problems := setting.Judge(c, m, got, seen)
	if taken.Err != nil {
		problems = append(problems, taken.Err.Error())
	}
	// Only what arrives in one piece is known to be wrong before it is passed on.
	onePiece := m == smuggling.Whole && len(c.Bytes()) < 1000
	if onePiece && c.Want[0].Verdict == smuggling.Refused && reached && r.reachesAlways(t, c, m, dial) {
		problems = append(problems, "something reached the endpoint")
	}
	if len(problems) > 0 {
		t.Errorf("%s\n%s\nsent %q", c.Reason, strings.Join(problems, "\n"), abbreviate(c.Bytes()))
	}
}

// send plays c on a connection of its own and reports whether the endpoint read
// anything meanwhile.
func (r *rig) send(t *testing.T, c *smuggling.Case, m smuggling.Mode, dial func() (net.Conn, error)) (*smuggling.Transcript, smuggling.Setting, bool) {
	t.Helper()
	before := r.endpoint.Received()
	conn, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	setting := smuggling.Setting{Client: "127.0.0.1", Proto: "http"}
	if _, ok := conn.(*tls.Conn); ok {
		setting.Proto = "https"
	}
	got := smuggling.Play(conn, c, m)
	return got, setting, r.endpoint.Received() > before
}

// reachesAlways reports whether the endpoint reads something each time that c is
// played. Once proves nothing: the endpoint may have read late, on a busy machine,
// what the play before sent.
func (r *rig) reachesAlways(t *testing.T, c *smuggling.Case, m smuggling.Mode, dial func() (net.Conn, error)) bool {
	t.Helper()
	for range 5 {
		time.Sleep(10 * time.Millisecond)
		_, _, reached := r.send(t, c, m, dial)
		r.endpoint.Take()
		if !reached {
			return false
		}
	}
	return true
}

func abbreviate(b []byte) []byte {
	if len(b) > 600 {
		return append(b[:600:600], "…"...)
	}
	return b
}

func checkAlive(t *testing.T, address string) {
	t.Helper()
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: false}}
	defer client.CloseIdleConnections()
	resp, err := client.Get("http://" + address + "/barrier")
	if err != nil {
		t.Fatalf("the proxy does not answer any more: %v", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("a plain request was answered with %s", resp.Status)
	}
}

func newEndpoint(t *testing.T) *smuggling.Endpoint {
	t.Helper()
	e, err := smuggling.NewEndpoint()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// startProxy runs a proxy in front of one endpoint and returns the addresses of
// its listeners.
func startProxy(t *testing.T, endpoint string, listeners ...config.Listener) []string {
	t.Helper()
	p, err := weir.New(weir.Config{
		Listeners: listeners,
		Admin:     config.Admin{Off: true},
		Services: map[string]config.Service{"default": {
			Endpoints: []config.Endpoint{{URL: endpoint}},
			// One case after the other, however badly the one before went.
			Backpressure: config.Backpressure{Off: true},
			Timeouts:     config.Timeouts{Response: config.Duration(10 * time.Second), Read: config.Duration(10 * time.Second)},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Listen(); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- p.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := p.Shutdown(ctx); err != nil {
			t.Errorf("shut down: %v", err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return p.Addresses()
}
