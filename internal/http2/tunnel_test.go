package http2

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

func newUpgrade() *exchange.Exchange {
	x := newExchange("GET", "/chat", "Connection", "Upgrade", "Upgrade", "websocket",
		"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version", "13")
	x.Request.Upgrade = []byte("websocket")
	return x
}

// openTunnel returns a tunnel that the peer has agreed to.
func openTunnel(t *testing.T, o Options) (*begun, *peer, uint32) {
	t.Helper()
	c, p := connect(t, o, settingConnect, 1)
	b := start(c, newUpgrade())
	id, fields, end := p.request()
	if end || fields[":method"] != "CONNECT" || fields[":protocol"] != "websocket" || fields[":path"] != "/chat" || fields["sec-websocket-version"] != "13" {
		t.Fatalf("the request is %v (ends: %t), want an extended CONNECT that stays open", fields, end)
	}
	if key, ok := fields["sec-websocket-key"]; ok {
		t.Errorf("Sec-WebSocket-Key %q was sent, which is for HTTP/1.1", key)
	}
	p.head(id, false, ":status", "200", "sec-websocket-protocol", "chat")
	if b.answered(t).Tunnel == nil {
		t.Fatalf("the response %d has no tunnel", b.s.Response.Status)
	}
	return b, p, id
}

func TestTunnel_AnswersLikeHTTP1(t *testing.T) {
	b, _, _ := openTunnel(t, Options{})
	resp := &b.s.Response
	if resp.Status != 101 || resp.Body != nil || !resp.Header.Lists(exchange.FieldConnection, "upgrade") {
		t.Errorf("the response is %d with %v, want 101 and Connection: Upgrade", resp.Status, resp.Header)
	}
	for name, want := range map[string]string{
		"Upgrade": "websocket", "Sec-WebSocket-Protocol": "chat",
		"Sec-WebSocket-Accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", // the example of RFC 6455 §1.3
	} {
		if got, _ := resp.Header.Lookup(name); string(got) != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestTunnel_CarriesBytesBothWays(t *testing.T) {
	b, p, id := openTunnel(t, Options{})
	pipe := b.s.Response.Tunnel
	go p.data(id, false, "hello")
	part := make([]byte, 3)
	if n, err := io.ReadFull(pipe, part); err != nil || string(part) != "hel" {
		t.Errorf("%q is read (%d, %v), want hel", part, n, err)
	}
	if _, err := pipe.Write([]byte("up")); err != nil {
		t.Fatalf("writing fails: %v", err)
	}
	if d := p.await(frameData); string(d.payload) != "up" {
		t.Errorf("the peer gets %q, want up", d.payload)
	}
	if err := pipe.CloseWrite(); err != nil {
		t.Errorf("the half-close fails: %v", err)
	}
	if d := p.await(frameData); !d.has(flagEndStream) {
		t.Error("the half-close does not reach the peer")
	}
	go p.data(id, true, "bye")
	if rest, err := io.ReadAll(pipe); string(rest) != "lobye" || err != nil {
		t.Errorf("then comes %q (%v), want lobye and the end", rest, err)
	}
}

func TestTunnel_EndsWhenNothingMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, p, id := openTunnel(t, Options{Tunnel: time.Minute, Ping: time.Hour})
		time.AfterFunc(30*time.Second, func() { p.data(id, false, "x") })
		at := time.Now()
		if text, err := io.ReadAll(b.s.Response.Tunnel); string(text) != "x" || err == nil {
			t.Errorf("the tunnel carries %q and ends with %v, want x and a failure", text, err)
		}
		within(t, "the tunnel", time.Since(at), 90*time.Second)
	})
}

func TestTunnel_AbortEndsBothDirections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _, _ := openTunnel(t, Options{})
		pipe := &b.s.pipe
		failed := make(chan error, 2)
		go func() { _, err := pipe.Read(make([]byte, 1)); failed <- err }()
		go func() { _, err := pipe.Write(make([]byte, 1<<20)); failed <- err }()
		synctest.Wait()
		pipe.Abort()
		for range 2 {
			if <-failed == nil {
				t.Error("a direction goes on after Abort")
			}
		}
	})
}

func TestTunnel_IsRefusedByAnyOtherAnswer(t *testing.T) {
	c, p := connect(t, Options{}, settingConnect, 1)
	b := start(c, newUpgrade())
	id, _, _ := p.request()
	p.head(id, false, ":status", "403")
	p.data(id, true, "no")
	resp := b.answered(t)
	if text, err := readAll(resp.Body); resp.Status != 403 || resp.Tunnel != nil || text != "no" || err != nil {
		t.Errorf("the response is %d %q (%v), want 403 no", resp.Status, text, err)
	}
}

func TestTunnel_IsNotAskedOfAPeerThatDoesNotKnowIt(t *testing.T) {
	c, p := connect(t, Options{})
	b := start(c, newUpgrade())
	id, fields, end := p.request()
	if _, ok := fields["upgrade"]; !end || ok || fields[":method"] != "GET" {
		t.Errorf("the request is %v, want a plain GET", fields)
	}
	p.head(id, true, ":status", "426")
	if status := b.answered(t).Status; status != 426 {
		t.Errorf("the status is %d, want 426", status)
	}
}

func TestConn_SendsTheContentOfManyByTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connect(t, Options{}, settingWindow, 1<<20)
		large := strings.Repeat("x", 200<<10)
		one := start(c, with(newExchange("PUT", "/1"), newContent(large), int64(len(large))))
		synctest.Wait() // the first has filled the connection's window
		two := start(c, with(newExchange("PUT", "/2"), newContent(large), int64(len(large))))
		synctest.Wait()
		for len(p.frames) > 0 {
			<-p.frames
		}
		p.write(appendNumber(nil, frameWindow, 0, 8*maxFrame))
		synctest.Wait()
		sent := map[uint32]int{}
		for len(p.frames) > 0 {
			if f := <-p.frames; f.kind == frameData {
				sent[f.stream] += len(f.payload)
			}
		}
		if sent[1] != 4*maxFrame || sent[3] != 4*maxFrame {
			t.Errorf("of %d bytes the streams have sent %v, want half each", 8*maxFrame, sent)
		}
		one.s.Stop()
		two.s.Stop()
		one.fails(t, exchange.CodeCancelled, true)
		two.fails(t, exchange.CodeCancelled, true)
	})
}
