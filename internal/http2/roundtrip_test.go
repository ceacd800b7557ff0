package http2

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

func TestConn_SendsTheRequestAsHTTP2HasIt(t *testing.T) {
	o := Options{Head: http1.RequestHead{
		BasePath: "/base/", BaseQuery: "k=v",
		Headers: []exchange.Field{{Name: []byte("X-Set"), Value: []byte("ours")}, {Name: []byte("Host"), Value: []byte("no")}},
	}}
	c, p := connect(t, o)
	x := newExchange("GET", "/a%2Fb", "Host", "ignored", "X-One", "1", "x-set", "theirs", "Connection", "x", "Keep-Alive", "1",
		"Proxy-Connection", "1", "Transfer-Encoding", "chunked", "Upgrade", "h2c", "TE", "gzip, trailers", "Cookie", "a=b", "Expect", "100-continue")
	x.Request.Query, x.Request.HasQuery = []byte("q=1"), true
	b := start(c, x)
	id, fields, end := p.request()
	want := map[string]string{
		":method": "GET", ":scheme": "http", ":authority": "example.org", ":path": "/base/a%2Fb?k=v&q=1",
		"x-one": "1", "x-set": "ours", "te": "trailers", "cookie": "a=b",
	}
	if !end || len(fields) != len(want) {
		t.Errorf("the request has fields %v (ends: %t), want %v and its end", fields, end, want)
	}
	for name, value := range want {
		if fields[name] != value {
			t.Errorf("%s is %q, want %q", name, fields[name], value)
		}
	}
	p.head(id, true, ":status", "204", "x-a", "1", "x-a", "2")
	resp := b.answered(t)
	if resp.Status != 204 || string(resp.Reason) != "No Content" || resp.Body != nil || resp.Minor != 1 {
		t.Errorf("the response is %d %q with body %v, want 204 No Content without one", resp.Status, resp.Reason, resp.Body)
	}
	if len(resp.Header) != 2 || string(resp.Header[0].Value) != "1" || string(resp.Header[1].Value) != "2" {
		t.Errorf("the fields are %v, want both in order", resp.Header)
	}
}

func TestConn_CarriesContentAndTrailersBothWays(t *testing.T) {
	c, p := connect(t, Options{})
	body := newContent("hel", "lo")
	body.trailer = exchange.Header{{Name: []byte("X-Sum"), Value: []byte("7")}, {Name: []byte("X-Skipped"), Value: []byte("1"), Skip: true}}
	b := start(c, with(newExchange("POST", "/"), body, exchange.LengthUnknown))
	id, fields, _ := p.request()
	if _, ok := fields["content-length"]; ok {
		t.Error("content of unknown length was sent with a length")
	}
	if d := p.await(frameData); string(d.payload) != "hello" || d.has(flagEndStream) {
		t.Errorf("the content is %q (ends: %t), want hello and trailers after it", d.payload, d.has(flagEndStream))
	}
	if _, trailer, end := p.request(); !end || trailer["x-sum"] != "7" || len(trailer) != 1 {
		t.Errorf("the trailers are %v (end: %t), want x-sum alone and the end", trailer, end)
	}
	p.head(id, false, ":status", "200", "content-length", "5")
	p.data(id, false, "wor")
	p.data(id, false, "ld")
	p.head(id, true, "x-after", "8", "content-length", "5", "set-cookie", "a=b")
	resp := b.answered(t)
	text, err := readAll(resp.Body)
	if text != "world" || err != nil || resp.Length != 5 {
		t.Errorf("the content is %q of %d bytes (%v), want world, 5", text, resp.Length, err)
	}
	trailer := resp.Body.Trailer()
	if len(trailer) != 3 || string(trailer[0].Value) != "8" || trailer[0].Skip || !trailer[1].Skip || !trailer[2].Skip {
		t.Errorf("the trailers are %v; want x-after passed on and the others not", trailer)
	}
	if n := b.x.Outcome.RequestBytes; n != 5 {
		t.Errorf("%d bytes of the request are counted, want 5", n)
	}
}

func TestConn_SendsLaterContentWhileItWaits(t *testing.T) {
	c, p := connect(t, Options{})
	body := newContent("now")
	body.later = make(chan string)
	b := start(c, with(newExchange("POST", "/"), body, 8))
	id, fields, _ := p.request()
	if fields["content-length"] != "8" {
		t.Errorf("Content-Length is %q, want 8", fields["content-length"])
	}
	p.head(id, false, ":status", "103")
	body.later <- "later"
	close(body.later)
	got := ""
	for !strings.HasSuffix(got, "later") {
		got += string(p.await(frameData).payload)
	}
	if last := p.await(frameData); !last.has(flagEndStream) {
		t.Errorf("after the content comes %q, want its end", last.payload)
	}
	p.head(id, true, ":status", "200")
	b.answered(t)
	if got := b.x.Responder.(*recorder).interim; len(got) != 1 || got[0] != 103 {
		t.Errorf("the interim responses passed on are %v, want 103", got)
	}
	if !b.s.Streamed() {
		t.Error("content that came later does not count as streamed")
	}
	b.s.Close(b.x)
	if n := b.x.Outcome.RequestBytes; n != 8 {
		t.Errorf("%d bytes of the request are counted, want 8", n)
	}
}

func TestConn_KeepsToTheWindowsOfThePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connect(t, Options{}, settingWindow, 10)
		b := start(c, with(newExchange("PUT", "/"), newContent(strings.Repeat("x", 25)), 25))
		id, _, _ := p.request()
		if d := p.await(frameData); len(d.payload) != 10 {
			t.Fatalf("%d bytes are sent, the window has 10", len(d.payload))
		}
		synctest.Wait()
		if n := len(p.frames); n > 0 {
			t.Fatalf("%d frames are sent without a window", n)
		}
		p.write(appendNumber(nil, frameWindow, id, 100))
		if d := p.await(frameData); len(d.payload) != 15 {
			t.Errorf("%d bytes are sent once the window is wide, want the other 15", len(d.payload))
		}
		p.head(id, true, ":status", "200")
		b.answered(t)
		b.s.Close(b.x)
	})
}

func TestConn_WidensWindowsAsContentIsRead(t *testing.T) {
	c, p := connect(t, Options{StreamWindow: 1000, ConnWindow: 1 << 20})
	p.settings() // its acknowledgement comes after our SETTINGS were taken in
	p.await(frameSettings)
	p.await(frameSettings)
	b := start(c, newExchange("GET", "/"))
	id, _, _ := p.request()
	p.head(id, false, ":status", "200")
	p.data(id, false, strings.Repeat("x", 1000))
	resp := b.answered(t)
	if data, err := resp.Body.Next(true); len(data) != 1000 || err != nil {
		t.Fatalf("%d bytes are handed out (%v), want 1000", len(data), err)
	}
	if data, err := resp.Body.Next(false); data != nil || err != nil {
		t.Fatalf("%q (%v) is handed out, though nothing more has come", data, err)
	}
	f := p.await(frameWindow)
	for f.stream != id {
		f = p.await(frameWindow)
	}
	if n := number(f.payload); n != 1000 {
		t.Errorf("the window is widened by %d, want the 1000 that were read", n)
	}
	p.data(id, true, "end")
	if text, err := readAll(resp.Body); text != "end" || err != nil {
		t.Errorf("then comes %q (%v), want end", text, err)
	}
}

func TestConn_SplitsHeadsThatNoFrameHolds(t *testing.T) {
	c, p := connect(t, Options{})
	value := strings.Repeat("v", 3*maxFrame)
	b := start(c, newExchange("GET", "/", "X-Long", value))
	id, fields, _ := p.request()
	if fields["x-long"] != value {
		t.Errorf("a value of %d bytes arrives with %d", len(value), len(fields["x-long"]))
	}
	p.head(id, true, ":status", "200")
	b.answered(t)
}

func TestStream_LetsAResponseEndByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connect(t, Options{Ping: time.Hour})
		for _, ends := range []bool{true, false} {
			b := start(c, newExchange("HEAD", "/"))
			id, _, _ := p.request()
			p.head(id, false, ":status", "200", "content-length", "5")
			if resp := b.answered(t); resp.Body != nil || resp.Length != 0 {
				t.Errorf("the response to HEAD has content of %d bytes", resp.Length)
			}
			b.s.Close(b.x)
			synctest.Wait()
			if len(p.frames) > 0 || c.InFlight() != 0 {
				t.Fatalf("%d frames are sent, %d requests under way, before the response's end; want none", len(p.frames), c.InFlight())
			}
			if ends {
				p.data(id, true, "")
				time.Sleep(2 * buryFor) // of the bubble's time
				if n := len(p.frames); n > 0 {
					t.Errorf("%d frames are sent about a response that ended by itself", n)
				}
			} else if code := errorCode(number(p.await(frameReset).payload)); code != errCancel {
				t.Errorf("a response without end is ended with %#x, want CANCEL", code)
			}
		}
	})
}

func TestStream_GivesItsPlaceToARequestThatNeedsIt(t *testing.T) {
	c, p := connect(t, Options{}, settingMaxStreams, 1)
	b := start(c, newExchange("HEAD", "/"))
	id, _, _ := p.request()
	p.head(id, false, ":status", "200")
	b.answered(t)
	b.s.Close(b.x)
	b = start(c, newExchange("GET", "/"))
	if f := p.await(frameReset); f.stream != id {
		t.Errorf("stream %d is given up, want the first, %d", f.stream, id)
	}
	id, _, _ = p.request()
	p.head(id, true, ":status", "200")
	b.answered(t)
}

func TestConn_DoesNotTakeContentForARequestItHasNoPlaceFor(t *testing.T) {
	c, _ := connect(t, Options{}, settingMaxStreams, 0)
	body := newContent("x")
	start(c, with(newExchange("POST", "/"), body, 1)).fails(t, exchange.CodeEndpointClosed, false)
	if len(body.now) == 0 {
		t.Error("the content was taken, and others may need it")
	}
}
