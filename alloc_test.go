package weir_test

import (
	"bytes"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
)

// A wireExchange is one request and its answer, as they are on the wire. Both end
// with something that is nowhere else in them, so that neither side has to parse.
type wireExchange struct {
	name              string
	request, answer   string
	reqEnd, answerEnd string
}

const tenFields = "Host: shop.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: text/html\r\nAccept-Language: de\r\n" +
	"Accept-Encoding: gzip\r\nCookie: session=0123456789abcdef0123456789abcdef\r\nReferer: http://shop.example/\r\n" +
	"Cache-Control: no-cache\r\nX-Canary: 1\r\nDNT: 1\r\n"

var allocExchanges = []wireExchange{
	{
		name:    "GET with 10 fields and an answer of 600 bytes",
		request: "GET /shop/cart?id=1 HTTP/1.1\r\n" + tenFields + "\r\n", reqEnd: "\r\n\r\n",
		answer: "HTTP/1.1 200 OK\r\nServer: app\r\nContent-Type: text/html\r\nDate: Mon, 02 Jan 2006 15:04:05 GMT\r\nContent-Length: 600\r\n\r\n" +
			strings.Repeat("x", 597) + "END", answerEnd: "END",
	},
	{
		name:    "POST with a small body",
		request: "POST /shop/cart HTTP/1.1\r\n" + tenFields + "Content-Length: 100\r\n\r\n" + strings.Repeat("y", 97) + "END", reqEnd: "END",
		answer: "HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nokEND", answerEnd: "END",
	},
	{
		name:    "POST with a small chunked body",
		request: "POST /shop/cart HTTP/1.1\r\n" + tenFields + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", reqEnd: "\r\n0\r\n\r\n",
		answer: "HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nokEND", answerEnd: "END",
	},
	{
		name:    "GET with a chunked answer",
		request: "GET / HTTP/1.1\r\n" + tenFields + "\r\n", reqEnd: "\r\n\r\n",
		answer: "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", answerEnd: "\r\n0\r\n\r\n",
	},
	{
		name:    "GET that is not modified",
		request: "GET / HTTP/1.1\r\n" + tenFields + "If-None-Match: \"a\"\r\n\r\n", reqEnd: "\r\n\r\n",
		answer: "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n", answerEnd: "\r\n\r\n",
	},
}

// TestProxy_AllocatesNothingOnThePlainPath holds the whole way of a request,
// through three endpoints, with the access log and the metrics on.
func TestProxy_AllocatesNothingOnThePlainPath(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes pools forget")
	}
	for _, ex := range allocExchanges {
		t.Run(ex.name, func(t *testing.T) { wantNoAllocations(t, ex, config.Service{}) })
	}
}

// TestProxy_AllocatesNothingWhateverIsOn adds to the retries, the backpressure, the
// queue and the metrics, which are always on, what has to be asked for.
func TestProxy_AllocatesNothingWhateverIsOn(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes pools forget")
	}
	for _, balance := range []string{"round_robin", "least_load", "random", "first", "hash", "maglev"} {
		for _, strategy := range []string{"single", "failover"} {
			t.Run(balance+" "+strategy, func(t *testing.T) {
				wantNoAllocations(t, allocExchanges[0], config.Service{
					Balance: balance, Strategy: strategy, HashOn: `request.cookies["session"]`,
					Concurrency:  1000,
					Retry:        config.Retry{PerTry: config.Duration(10 * time.Second), IdempotencyKey: true},
					Backpressure: config.Backpressure{Failures: []string{"connect", "reset", "timeout", "5xx"}, Slow: config.Duration(time.Minute)},
					Health:       &config.Health{Interval: config.Duration(time.Hour)},
					SlowStart:    config.Duration(time.Minute),
				})
			})
		}
	}
}

func wantNoAllocations(t *testing.T, ex wireExchange, service config.Service) {
	t.Helper()
	client := newAllocClient(t, ex, service)
	for range 200 { // pools and buffers fill
		client.exchange(t)
	}
	if n := testing.AllocsPerRun(3000, func() { client.exchange(t) }); n != 0 {
		t.Errorf("one request costs %v allocations, want none", n)
	}
}

// A rawClient sends one request again and again, and allocates nothing itself.
type rawClient struct {
	conn          net.Conn
	request, room []byte
	end           []byte
}

func (c *rawClient) exchange(t testing.TB) {
	if _, err := c.conn.Write(c.request); err != nil {
		t.Fatal(err)
	}
	if _, err := readUntil(c.conn, c.room, c.end); err != nil {
		t.Fatal(err)
	}
}

// readUntil reads until what was read ends with end.
func readUntil(r io.Reader, room, end []byte) (n int, err error) {
	for {
		k, err := r.Read(room[n:])
		n += k
		if err != nil || bytes.HasSuffix(room[:n], end) {
			return n, err
		}
	}
}

// newAllocClient starts a proxy before three endpoints of a service and connects
// to it.
func newAllocClient(t testing.TB, ex wireExchange, service config.Service) *rawClient {
	t.Helper()
	for range 3 {
		service.Endpoints = append(service.Endpoints, config.Endpoint{URL: "http://" + newRawEndpoint(t, ex), Concurrency: 100})
	}
	p, err := weir.New(weir.Config{
		Listeners: []config.Listener{{Address: "127.0.0.1:0"}},
		Admin:     config.Admin{Off: true},
		Metrics:   &config.Metrics{Address: "127.0.0.1:0"},
		Services:  map[string]config.Service{"shop": service},
		AccessLog: &config.AccessLog{Path: filepath.Join(t.TempDir(), "access.log"), Format: "json"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Listen(); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- p.Serve() }()
	c, err := net.Dial("tcp", p.Addresses()[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Close()
		if err := p.Shutdown(t.Context()); err != nil && t.Context().Err() == nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return &rawClient{conn: c, request: []byte(ex.request), room: make([]byte, 16<<10), end: []byte(ex.answerEnd)}
}

// newRawEndpoint gives the one answer to every request.
func newRawEndpoint(t testing.TB, ex wireExchange) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serveRaw(c, ex)
		}
	}()
	return l.Addr().String()
}

func serveRaw(c net.Conn, ex wireExchange) {
	defer c.Close()
	room, end, answer := make([]byte, 16<<10), []byte(ex.reqEnd), []byte(ex.answer)
	for {
		if _, err := readUntil(c, room, end); err != nil {
			return
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}

func BenchmarkProxy(b *testing.B) {
	for _, ex := range allocExchanges {
		b.Run(strings.ReplaceAll(ex.name, " ", "_"), func(b *testing.B) {
			client := newAllocClient(b, ex, config.Service{})
			b.ReportAllocs()
			for b.Loop() {
				client.exchange(b)
			}
		})
	}
}
