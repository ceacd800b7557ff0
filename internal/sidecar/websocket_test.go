package sidecar

import (
	"crypto/sha1"
	"encoding/base64"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
	"github.com/weirproxy/weir/internal/http2"
)

// A caller is the client's side of a WebSocket, behind a real router's connection.
type caller struct {
	x      *exchange.Exchange
	stream http2.Stream
	failed *exchange.Failure
}

// silent is a client that takes no interim responses.
type silent struct{ exchange.Responder }

// call asks for a WebSocket; it is the test that answers.
func call(t *testing.T, target string) <-chan *caller {
	t.Helper()
	r := attach(t, target, Options{})
	nc, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := http2.NewConn(nc, http2.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := &caller{x: upgrade()}
	called, over := make(chan *caller, 1), make(chan struct{})
	go func() {
		defer close(over)
		c.failed = conn.RoundTrip(c.x, &c.stream)
		called <- c
	}()
	t.Cleanup(func() {
		conn.Close()
		<-over
		<-conn.Closed()
	})
	return called
}

// upgrade is a request for a WebSocket as a client of HTTP/1.1 makes it.
func upgrade() *exchange.Exchange {
	x := &exchange.Exchange{Responder: silent{}, Gone: new(atomic.Bool)}
	x.Outcome.Attempts = 1
	x.Request = exchange.Request{
		MethodName: []byte("GET"), Method: exchange.MethodGet, Upgrade: []byte("websocket"),
		Authority: []byte("shop.example"), Path: []byte("/chat"), HasQuery: true, Query: []byte("room=1"), Minor: 1,
	}
	for _, f := range [][2]string{
		{"Host", "shop.example"},
		{"Connection", "Upgrade"},
		{"Upgrade", "websocket"},
		{"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
		{"Sec-WebSocket-Version", "13"},
		{"Sec-WebSocket-Protocol", "a, b"},
		{"Origin", "https://shop.example"},
	} {
		x.Request.Header = append(x.Request.Header, exchange.Field{Name: []byte(f[0]), Value: []byte(f[1]), ID: http1.FieldIDOf([]byte(f[0]))})
	}
	return x
}

// keyOf returns the key in the head of an upgrade.
func keyOf(t *testing.T, head string) string {
	t.Helper()
	_, rest, _ := strings.Cut(head, "Sec-Websocket-Key: ")
	key, _, _ := strings.Cut(rest, "\r\n")
	if raw, err := base64.StdEncoding.DecodeString(key); err != nil || len(raw) != 16 || key == "dGhlIHNhbXBsZSBub25jZQ==" {
		t.Fatalf("the key is %q, want a fresh one", key)
	}
	return key
}

// accept101 is the answer of RFC 6455 §4.2.2 to a key.
func accept101(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return lines("HTTP/1.1 101 Switching Protocols", "Upgrade: WebSocket", "Connection: Upgrade",
		"Sec-WebSocket-Accept: "+base64.StdEncoding.EncodeToString(sum[:]), "Sec-WebSocket-Protocol: b")
}

// connected opens a WebSocket through the sidecar.
func connected(t *testing.T) (*caller, *rawConn) {
	t.Helper()
	local := listenRaw(t)
	called := call(t, local.url())
	c := local.accept(t)
	head := c.head(t)
	key := keyOf(t, head)
	want := lines("GET /chat?room=1 HTTP/1.1", "Host: shop.example", "Connection: Upgrade", "Origin: https://shop.example",
		"Sec-Websocket-Key: "+key, "Sec-Websocket-Protocol: a, b", "Sec-Websocket-Version: 13", "Upgrade: websocket")
	if head != want {
		t.Errorf("the local server gets\n%q, want\n%q", head, want)
	}
	c.write(t, accept101(key)+"\x81\x02hi") // a frame right behind the head
	client := <-called
	if client.failed != nil || client.stream.Response.Tunnel == nil {
		t.Fatalf("it does not open: %d, %v", client.stream.Response.Status, client.failed)
	}
	return client, c
}

func (c *caller) reads(t *testing.T, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c.stream.Response.Tunnel, got); err != nil || string(got) != want {
		t.Fatalf("the client reads %q (%v), want %q", got[:n], err, want)
	}
}

func TestWebSocket_CarriesFramesBothWays(t *testing.T) {
	client, local := connected(t)
	if got, _ := client.stream.Response.Header.Lookup("Sec-WebSocket-Protocol"); string(got) != "b" {
		t.Errorf("the protocol agreed on is %q", got)
	}
	for _, invented := range []string{"Date", "Content-Type", "Content-Length"} {
		if got, has := client.stream.Response.Header.Lookup(invented); has {
			t.Errorf("%s: %s is invented", invented, got)
		}
	}
	client.reads(t, "\x81\x02hi")
	// A text frame with the mask 1 2 3 4, and one with the answer.
	const ping, pong = "\x81\x84\x01\x02\x03\x04qkmc", "\x81\x04ping"
	for range 3 {
		if _, err := client.stream.Response.Tunnel.Write([]byte(ping)); err != nil {
			t.Fatal(err)
		}
		local.reads(t, ping)
		local.write(t, pong)
		client.reads(t, pong)
	}
	client.stream.Close(client.x)
}

func TestWebSocket_PassesEndsOn(t *testing.T) {
	t.Run("the client's, and what the server says after it", func(t *testing.T) {
		client, local := connected(t)
		defer client.stream.Close(client.x)
		client.reads(t, "\x81\x02hi")
		if err := client.stream.Response.Tunnel.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		local.ends(t)
		local.write(t, "\x88\x00")
		_ = local.Close()
		if rest, err := io.ReadAll(client.stream.Response.Tunnel); string(rest) != "\x88\x00" || err != nil {
			t.Errorf("after its end the client reads %q (%v)", rest, err)
		}
	})
	t.Run("the server's", func(t *testing.T) {
		client, local := connected(t)
		defer client.stream.Close(client.x)
		_ = local.Close()
		if rest, err := io.ReadAll(client.stream.Response.Tunnel); string(rest) != "\x81\x02hi" || err != nil {
			t.Errorf("the client reads %q (%v), want the frame and the end", rest, err)
		}
	})
	t.Run("the server's reset", func(t *testing.T) {
		client, local := connected(t)
		defer client.stream.Close(client.x)
		client.reads(t, "\x81\x02hi")
		_ = local.Conn.(*net.TCPConn).SetLinger(0)
		_ = local.Close()
		if rest, err := io.ReadAll(client.stream.Response.Tunnel); len(rest) > 0 || err == nil {
			t.Errorf("the client reads %q (%v), want that it breaks off", rest, err)
		}
	})
	t.Run("the client's reset", func(t *testing.T) {
		client, local := connected(t)
		client.stream.Close(client.x)
		local.ends(t)
	})
}

func TestWebSocket_PassesOtherAnswersOn(t *testing.T) {
	local := listenRaw(t)
	called := call(t, local.url())
	c := local.accept(t)
	c.head(t)
	c.write(t, lines("HTTP/1.1 403 Forbidden", "Content-Length: 2")+"no")
	client := <-called
	if client.failed != nil {
		t.Fatal(client.failed)
	}
	defer client.stream.Close(client.x)
	if resp := &client.stream.Response; resp.Status != 403 || resp.Tunnel != nil {
		t.Fatalf("the answer is %d", resp.Status)
	} else if text, err := resp.Body.Next(true); string(text) != "no" {
		t.Errorf("its content is %q (%v)", text, err)
	}
}

func TestWebSocket_RefusesWhatIsNone(t *testing.T) {
	for name, answer := range map[string]func(key string) string{
		"an answer that would look like a tunnel": func(string) string { return ok },
		"a wrong Sec-WebSocket-Accept":            func(string) string { return accept101("another key") },
		"no Sec-WebSocket-Accept": func(string) string {
			return lines("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade")
		},
		"another protocol": func(key string) string {
			return strings.Replace(accept101(key), "WebSocket", "other", 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			local := listenRaw(t)
			called := call(t, local.url())
			c := local.accept(t)
			c.write(t, answer(keyOf(t, c.head(t))))
			client := <-called
			if client.failed != nil {
				t.Fatal(client.failed)
			}
			defer client.stream.Close(client.x)
			resp := &client.stream.Response
			if text, err := resp.Body.Next(true); resp.Status != 502 || !strings.Contains(string(text), `"error":"malformed_response"`) {
				t.Errorf("the answer is %d %s (%v)", resp.Status, text, err)
			}
			c.ends(t)
		})
	}
}

func TestWebSocket_AsksAServerOfHTTP2ByHTTP1(t *testing.T) {
	local := listenRaw(t)
	called := call(t, "h2c://"+local.Addr().String())
	c := local.accept(t)
	c.write(t, accept101(keyOf(t, c.head(t)))+"hi")
	client := <-called
	if client.failed != nil || client.stream.Response.Tunnel == nil {
		t.Fatalf("it does not open: %d, %v", client.stream.Response.Status, client.failed)
	}
	client.reads(t, "hi")
	client.stream.Close(client.x)
}
