package sidecar

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// lines makes a head of its lines.
func lines(l ...string) string { return strings.Join(l, "\r\n") + "\r\n\r\n" }

func TestHandler_SendsTheRequestAsItCame(t *testing.T) {
	local := listenRaw(t)
	r := attach(t, local.url(), Options{})
	for _, c := range []struct {
		name string
		req  *http.Request
		want string
	}{
		{
			"nothing is added",
			r.request(t, "GET", "/", nil),
			lines("GET / HTTP/1.1", "Host: shop.example"),
		},
		{
			"values of one name keep their order",
			r.request(t, "GET", "/", nil, "X-A", "2", "X-A", "1", "X-A", "2", "X-Empty", ""),
			lines("GET / HTTP/1.1", "Host: shop.example", "X-A: 2", "X-A: 1", "X-A: 2", "X-Empty: "),
		},
		{
			"what the router says of the client stays",
			r.request(t, "GET", "/", nil, "X-Forwarded-For", "192.0.2.1", "X-Forwarded-Proto", "https", "User-Agent", "me", "Accept-Encoding", "br"),
			lines("GET / HTTP/1.1", "Host: shop.example", "User-Agent: me", "Accept-Encoding: br", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https"),
		},
		{
			"who takes trailers is told to",
			r.request(t, "GET", "/", nil, "Te", "trailers"),
			lines("GET / HTTP/1.1", "Host: shop.example", "Connection: TE", "Te: trailers"),
		},
		{
			"a POST without content says so",
			r.request(t, "POST", "/", nil),
			lines("POST / HTTP/1.1", "Host: shop.example", "Content-Length: 0"),
		},
		{
			"a key of idempotency arrives",
			r.request(t, "POST", "/", nil, "Idempotency-Key", "k"),
			lines("POST / HTTP/1.1", "Host: shop.example", "Content-Length: 0", "idempotency-key: k"),
		},
		{
			"another method has no framing without content",
			r.request(t, "DELETE", "/", nil),
			lines("DELETE / HTTP/1.1", "Host: shop.example"),
		},
		{
			"content has its length",
			r.request(t, "PATCH", "/", strings.NewReader("abc")),
			lines("PATCH / HTTP/1.1", "Host: shop.example", "Content-Length: 3"),
		},
		{
			"content without a length is chunked",
			r.request(t, "GET", "/", io.MultiReader(strings.NewReader("abc"))),
			lines("GET / HTTP/1.1", "Host: shop.example", "Transfer-Encoding: chunked"),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			heads := local.serveOne(t, ok)
			if text := content(t, r.send(t, c.req)); text != "ok" {
				t.Errorf("the answer is %q", text)
			}
			if got := <-heads; got != c.want {
				t.Errorf("the local server gets\n%q, want\n%q", got, c.want)
			}
		})
	}
}

func TestHandler_SendsTheTargetByteForByte(t *testing.T) {
	local := listenRaw(t)
	for _, c := range []struct{ base, path, want string }{
		{"", "/a%2fb%2F%41;x=1", ""},
		{"", "/?", ""},
		{"", "/a?b=%20+&&c", ""},
		{"", `/a"<b>|^{}`, ""},
		{"", "/a//b/./../c", ""},
		{"", "*", ""},
		{"/base", "/", "/base/"},
		{"/base/", "/x?y", "/base/x?y"},
		{"/base", "//x", "/base//x"},
	} {
		r := attach(t, local.url()+c.base, Options{})
		want := c.want
		if want == "" {
			want = c.path
		}
		heads := local.serveOne(t, ok)
		req := r.request(t, "OPTIONS", c.path, nil)
		content(t, r.send(t, req))
		line, _, _ := strings.Cut(<-heads, "\r\n")
		if line != "OPTIONS "+want+" HTTP/1.1" {
			t.Errorf("with base %q, target %s arrives as %q", c.base, c.path, line)
		}
	}
}

func TestHandler_TakesTwoSlashesForNoAuthority(t *testing.T) {
	parsed, err := ParseTarget("http://localhost:3000")
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"//evil.example/x", "//a%2Fb?c=%20", "//a?", "///"} {
		u := parsed.url(target)
		if u.RequestURI() != target || u.Host != "localhost:3000" {
			t.Errorf("%s goes to %s as %s", target, u.Host, u.RequestURI())
		}
	}
}

func TestHandler_StreamsContentOfAKnownLength(t *testing.T) {
	local := listenRaw(t)
	r := attach(t, local.url(), Options{})
	from, to := io.Pipe()
	req := r.request(t, "POST", "/", from)
	req.ContentLength = 6
	answered := make(chan *http.Response, 1)
	go func() {
		defer close(answered)
		if resp, err := r.client.RoundTrip(req); err == nil {
			answered <- resp
		}
	}()
	c := local.accept(t)
	c.head(t)
	for _, piece := range []string{"ab", "cd"} {
		if _, err := io.WriteString(to, piece); err != nil {
			t.Fatal(err)
		}
		c.reads(t, piece) // before the next is sent
	}
	if _, err := io.WriteString(to, "ef"); err != nil {
		t.Fatal(err)
	}
	_ = to.Close() // the client looks for the end before it sends the last piece
	c.reads(t, "ef")
	c.write(t, ok)
	resp := <-answered
	if resp == nil {
		t.Fatal("there is no answer")
	}
	defer resp.Body.Close()
	if text := content(t, resp); text != "ok" {
		t.Errorf("the answer is %q", text)
	}
}

func TestHandler_PassesTrailersOfARequest(t *testing.T) {
	local := listenRaw(t)
	r := attach(t, local.url(), Options{})
	req := r.request(t, "POST", "/", strings.NewReader("abc"))
	req.Trailer = http.Header{"X-Sum": {"6"}}
	answered := make(chan error, 1)
	go func() {
		resp, err := r.client.RoundTrip(req)
		if err == nil {
			resp.Body.Close()
		}
		answered <- err
	}()
	c := local.accept(t)
	if got, want := c.head(t), lines("POST / HTTP/1.1", "Host: shop.example", "Transfer-Encoding: chunked", "Trailer: X-Sum"); got != want {
		t.Errorf("the local server gets\n%q, want\n%q", got, want)
	}
	c.reads(t, "3\r\nabc\r\n0\r\nX-Sum: 6\r\n\r\n")
	c.write(t, ok)
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

func TestHandler_SendsNoPOSTTwice(t *testing.T) {
	local := listenRaw(t)
	r := attach(t, local.url(), Options{})
	c := keepConnection(t, local, r)
	answered := make(chan *http.Response, 1)
	go func() {
		defer close(answered)
		resp, err := r.client.RoundTrip(r.request(t, "POST", "/", nil, "Idempotency-Key", "k"))
		if err != nil {
			t.Errorf("the POST is not answered: %v", err)
			return
		}
		answered <- resp
	}()
	c.head(t)
	_ = c.Close()
	// Were it sent again, it would wait for an answer on a new connection.
	if resp := <-answered; resp != nil {
		defer resp.Body.Close()
		problem(t, resp, 502, "endpoint_closed")
	}
}

func TestHandler_SendsAGETAgainThatMetAClosedConnection(t *testing.T) {
	local := listenRaw(t)
	r := attach(t, local.url(), Options{})
	c := keepConnection(t, local, r)
	answered := make(chan int, 1)
	go func() {
		defer close(answered)
		resp, err := r.client.RoundTrip(r.request(t, "GET", "/", nil))
		if err != nil {
			t.Errorf("the GET is not answered: %v", err)
			return
		}
		resp.Body.Close()
		answered <- resp.StatusCode
	}()
	c.head(t)
	_ = c.Close()
	again := local.accept(t)
	again.head(t)
	again.write(t, ok)
	if status := <-answered; status != 200 {
		t.Errorf("the status is %d", status)
	}
}

// However many connections are kept, a request that ends one of them after the other
// is executed twice at most.
func TestHandler_SendsAGETTwiceAtMost(t *testing.T) {
	const kept = 6
	var together sync.WaitGroup
	together.Add(kept)
	var executed atomic.Int32
	local := serveHTTP1(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/poison" {
			together.Done()
			together.Wait() // so that each has a connection
			return
		}
		executed.Add(1)
		panic(http.ErrAbortHandler)
	})
	r := attach(t, "http://"+local, Options{})
	var all sync.WaitGroup
	for range kept {
		all.Go(func() {
			resp, err := r.client.RoundTrip(r.request(t, "GET", "/", nil))
			if err != nil {
				t.Errorf("a request is not answered: %v", err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		})
	}
	all.Wait()
	resp, err := r.client.RoundTrip(r.request(t, "GET", "/poison", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	problem(t, resp, 502, "endpoint_closed")
	if n := executed.Load(); n < 1 || n > 2 {
		t.Errorf("the local server has executed the request %d times", n)
	}
}

// keepConnection has a request answered over a connection that is kept.
func keepConnection(t *testing.T, local *rawServer, r *router) *rawConn {
	t.Helper()
	answered := make(chan error, 1)
	go func() {
		resp, err := r.client.RoundTrip(r.request(t, "GET", "/", nil))
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		answered <- err
	}()
	c := local.accept(t)
	c.head(t)
	c.write(t, ok)
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	return c
}
