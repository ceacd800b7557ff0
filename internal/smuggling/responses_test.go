package smuggling_test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/internal/smuggling"
)

// Every response reaches the client as the one message that it says, or is
// replaced or broken off so that the client can tell; and a connection on which
// anything was wrong carries no other request.
func TestResponses(t *testing.T) {
	cases, err := smuggling.ResponseCases()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d responses", len(cases))
	for _, c := range cases {
		t.Run(c.Name+"/fresh", func(t *testing.T) { playResponse(t, c, false) })
		t.Run(c.Name+"/used", func(t *testing.T) { playResponse(t, c, true) })
	}
}

func playResponse(t *testing.T, c *smuggling.ResponseCase, used bool) {
	e := newScripted(t, c.Bytes, c.Closes)
	address := startProxy(t, e.URL(), config.Listener{Address: "127.0.0.1:0"})[0]
	client := newClient(t, address)
	if used {
		client.expectAfter(t)
	}
	before := len(e.Connections())
	client.send(t, c.Method, "/")
	resp := client.receive(t, c.Method)
	if problems := c.Judge(resp.status, resp.header, resp.body, resp.err); len(problems) > 0 {
		t.Errorf("%s\n%s", c.Reason, strings.Join(problems, "\n"))
	}
	for _, name := range []string{"Keep-Alive", "Proxy-Connection", "Upgrade", "Te"} {
		if resp.header[name] != nil {
			t.Errorf("%s passed", name)
		}
	}
	carriers := e.Connections()[before:]
	if resp.closes || resp.err != nil {
		client.expectEnd(t)
		client = newClient(t, address)
	}
	client.expectAfter(t)
	newClient(t, address).expectAfter(t)
	later := e.Connections()[before+len(carriers):]
	if again := slices.Contains(carriers, later[0]) || slices.Contains(carriers, later[1]); again != c.Keeps {
		t.Errorf("%s\nit came on connections %v, the requests behind it on %v", c.Reason, carriers, later)
	}
}

// An endpoint that answers twice, the second time when its connection is idle
// already, does not become the answer to somebody else's request.
func TestResponses_ABelatedSecondOneIsNobodys(t *testing.T) {
	const stray = "HTTP/1.1 200 OK\r\nX-Stray: 1\r\n"
	for name, second := range map[string]string{
		"with a length": stray + "Content-Length: 5\r\n\r\nstray",
		"in chunks":     stray + "Transfer-Encoding: chunked\r\n\r\n5\r\nstray\r\n0\r\n\r\n",
		"interim":       "HTTP/1.1 103 Early Hints\r\nX-Stray: 1\r\n\r\n",
	} {
		for _, method := range []string{"GET", "POST"} {
			t.Run(name+"/"+method, func(t *testing.T) {
				e := newScripted(t, []byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst"), false)
				address := startProxy(t, e.URL(), config.Listener{Address: "127.0.0.1:0"})[0]
				victim := newClient(t, address)
				attacker := newClient(t, address)
				attacker.send(t, "GET", "/")
				attacker.receive(t, "GET")
				attacker.expectAfter(t) // on the same connection: it is idle again
				if err := e.Send(0, []byte(second)); err != nil {
					t.Fatal(err)
				}
				victim.send(t, method, smuggling.After)
				resp := victim.receive(t, method)
				if resp.header["X-Stray"] != nil || resp.status != 502 && resp.body != "after\n" {
					t.Errorf("answered with %d %q %q", resp.status, resp.header, resp.body)
				}
			})
		}
	}
}

func newScripted(t *testing.T, bytes []byte, closes bool) *smuggling.ScriptedEndpoint {
	t.Helper()
	e, err := smuggling.NewScriptedEndpoint(bytes, closes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// A rawClient is one connection to the proxy.
type rawClient struct {
	conn net.Conn
	in   *bufio.Reader
}

func newClient(t *testing.T, address string) *rawClient {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	t.Cleanup(func() { _ = c.Close() })
	return &rawClient{c, bufio.NewReader(c)}
}

func (c *rawClient) send(t *testing.T, method, path string) {
	t.Helper()
	length := ""
	if method == "POST" {
		length = "Content-Length: 0\r\n"
	}
	if _, err := fmt.Fprintf(c.conn, "%s %s HTTP/1.1\r\nHost: a.example\r\n%s\r\n", method, path, length); err != nil {
		t.Fatal(err)
	}
}

// A received is a final response, with the fields of its trailer section too.
type received struct {
	status int
	header http.Header
	body   string
	closes bool
	err    error
}

func (c *rawClient) receive(t *testing.T, method string) received {
	t.Helper()
	for {
		resp, err := http.ReadResponse(c.in, &http.Request{Method: method})
		if err != nil {
			t.Fatalf("net/http cannot read the answer: %v", err)
		}
		if resp.StatusCode < 200 {
			continue
		}
		body, err := io.ReadAll(resp.Body)
		maps.Copy(resp.Header, resp.Trailer)
		return received{resp.StatusCode, resp.Header, string(body), resp.Close, err}
	}
}

// expectAfter holds that a request on the connection gets its own answer.
func (c *rawClient) expectAfter(t *testing.T) {
	t.Helper()
	c.send(t, "GET", smuggling.After)
	if resp := c.receive(t, "GET"); resp.status != 200 || resp.body != "after\n" || resp.err != nil {
		t.Fatalf("the next request was answered with %d %q, %v", resp.status, resp.body, resp.err)
	}
}

func (c *rawClient) expectEnd(t *testing.T) {
	t.Helper()
	if rest, err := io.ReadAll(c.in); len(rest) > 0 || err != nil {
		t.Errorf("behind the answer there is %q, %v", rest, err)
	}
}
