package http2

import (
	"strings"
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

func TestConn_SaysWhatWasNotLookedAt(t *testing.T) {
	goAway := func(p *peer, last uint32) { p.write(appendGoAway(nil, last, errNone, "")) }
	for name, tc := range map[string]struct {
		do   func(p *peer, id uint32)
		sent bool
	}{
		"GOAWAY below it":     {func(p *peer, id uint32) { goAway(p, id-1) }, false},
		"REFUSED_STREAM":      {func(p *peer, id uint32) { p.write(appendNumber(nil, frameReset, id, uint32(errRefusedStream))) }, false},
		"RST_STREAM":          {func(p *peer, id uint32) { p.write(appendNumber(nil, frameReset, id, uint32(errCancel))) }, true},
		"a connection closed": {func(p *peer, _ uint32) { _ = p.nc.Close() }, true},
	} {
		t.Run(name, func(t *testing.T) {
			c, p := connect(t, Options{})
			b := start(c, newExchange("GET", "/"))
			id, _, _ := p.request()
			tc.do(p, id)
			b.fails(t, exchange.CodeEndpointClosed, tc.sent)
			if n := c.InFlight(); n != 0 {
				t.Errorf("%d requests are under way after the failure, want none", n)
			}
		})
	}
}

func TestConn_NeverCarriesMoreThanItsCapacity(t *testing.T) {
	c, p := connect(t, Options{MaxStreams: 5}, settingMaxStreams, 1)
	if n := c.Capacity(); n != 1 {
		t.Fatalf("the capacity is %d, want 1 as announced", n)
	}
	b := start(c, newExchange("GET", "/1"))
	id, _, _ := p.request()
	start(c, newExchange("GET", "/2")).fails(t, exchange.CodeEndpointClosed, false)
	p.head(id, true, ":status", "200")
	b.answered(t)
	b = start(c, newExchange("GET", "/3"))
	if id, _, _ = p.request(); id != 3 {
		t.Errorf("the next request has stream %d, want 3: the one too many has none", id)
	}
	p.head(id, true, ":status", "200")
	b.answered(t)
	p.settings(settingMaxStreams, 1000)
	p.await(frameSettings)
	if n := c.Capacity(); n != 5 {
		t.Errorf("the capacity is %d, want what the options allow, 5", n)
	}
}

func TestConn_RefusesMalformedResponses(t *testing.T) {
	for name, fields := range map[string][]string{
		"no status":              {"a", "b"},
		"another pseudo-field":   {":status", "200", ":path", "/"},
		"two statuses":           {":status", "200", ":status", "200"},
		"a late status":          {"a", "b", ":status", "200"},
		"no number":              {":status", "2x0"},
		"status 600":             {":status", "600"},
		"switched protocols":     {":status", "101"},
		"upper case":             {":status", "200", "A", "b"},
		"an empty name":          {":status", "200", "", "b"},
		"a space in a name":      {":status", "200", "a b", "b"},
		"a line feed":            {":status", "200", "a", "b\nc: d"},
		"a space before a value": {":status", "200", "a", " b"},
		"a NUL":                  {":status", "200", "a", "\x00"},
		"Connection":             {":status", "200", "connection", "close"},
		"Transfer-Encoding":      {":status", "200", "transfer-encoding", "chunked"},
		"Keep-Alive":             {":status", "200", "keep-alive", "1"},
		"Upgrade":                {":status", "200", "upgrade", "x"},
		"two lengths":            {":status", "200", "content-length", "0", "content-length", "1"},
		"a length that is none":  {":status", "200", "content-length", "+1"},
		"a length without bytes": {":status", "200", "content-length", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			c, p := connect(t, Options{})
			b := start(c, newExchange("GET", "/"))
			id, _, _ := p.request()
			p.head(id, true, fields...)
			b.fails(t, exchange.CodeMalformedResponse, true)
			if code := errorCode(number(p.await(frameReset).payload)); code != errProtocol {
				t.Errorf("the peer is told %#x, want PROTOCOL_ERROR", code)
			}
			if c.Err() != nil {
				t.Errorf("the connection ends (%v); only the stream should", c.Err())
			}
		})
	}
}

func TestConn_RefusesHeadsThatAreTooLargeAndGoesOn(t *testing.T) {
	for name, fields := range map[string][]string{
		"bytes":  {":status", "200", "a", strings.Repeat("x", 1000)},
		"fields": {":status", "200", "a", "1", "b", "2", "c", "3", "d", "4"},
	} {
		t.Run(name, func(t *testing.T) {
			c, p := connect(t, Options{Limits: http1.Limits{HeaderBytes: 600, HeaderCount: 3}})
			b := start(c, newExchange("GET", "/"))
			id, _, _ := p.request()
			p.head(id, true, fields...)
			b.fails(t, exchange.CodeResponseTooLarge, true)
			b = start(c, newExchange("GET", "/"))
			id, _, _ = p.request()
			p.head(id, true, ":status", "200", "b", "kept")
			if resp := b.answered(t); string(resp.Header[0].Value) != "kept" {
				t.Errorf("the next head is %v; its table is not the peer's", resp.Header)
			}
		})
	}
}

func TestBody_IsCutWhenTheResponseIs(t *testing.T) {
	for name, do := range map[string]func(p *peer, id uint32){
		"a reset":            func(p *peer, id uint32) { p.write(appendNumber(nil, frameReset, id, uint32(errCancel))) },
		"less than declared": func(p *peer, id uint32) { p.data(id, true, "") },
		"more than declared": func(p *peer, id uint32) { p.data(id, true, "12345678") },
		"a bad trailer":      func(p *peer, id uint32) { p.head(id, true, "A", "b") },
		"a trailer that goes on": func(p *peer, id uint32) {
			p.head(id, false, "a", "b")
		},
		"the connection's end": func(p *peer, _ uint32) { _ = p.nc.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			c, p := connect(t, Options{})
			b := start(c, newExchange("GET", "/"))
			id, _, _ := p.request()
			p.head(id, false, ":status", "200", "content-length", "9")
			p.data(id, false, "part")
			resp := b.answered(t)
			do(p, id)
			text, err := readAll(resp.Body)
			f := asFailure(err, exchange.CodeNoRoute)
			if text != "part" || f.Code != exchange.CodeResponseIncomplete {
				t.Errorf("the content is %q (%v), want what came, and that it is incomplete", text, err)
			}
		})
	}
}

func TestConn_LetsAnAnswerStandThatEndsTheRequestEarly(t *testing.T) {
	c, p := connect(t, Options{})
	body := newContent("x")
	body.later = make(chan string)
	b := start(c, with(newExchange("POST", "/"), body, exchange.LengthUnknown))
	id, _, _ := p.request()
	p.head(id, false, ":status", "413")
	p.data(id, true, "no")
	p.write(appendNumber(nil, frameReset, id, uint32(errNone)))
	resp := b.answered(t)
	if text, err := readAll(resp.Body); text != "no" || err != nil {
		t.Errorf("the content is %q (%v), want all of it", text, err)
	}
}

func TestConn_PassesOnWhatTheClientDidWrong(t *testing.T) {
	c, p := connect(t, Options{})
	body := newContent("x")
	body.later = make(chan string)
	body.err = exchange.Fail(exchange.CodeMalformedBody, "", nil)
	b := start(c, with(newExchange("POST", "/"), body, exchange.LengthUnknown))
	p.request()
	close(body.later)
	b.fails(t, exchange.CodeMalformedBody, true)
	if code := errorCode(number(p.await(frameReset).payload)); code != errCancel {
		t.Errorf("the peer is told %#x, want CANCEL", code)
	}
}

func TestStream_CanBeUsedAgainOnceReset(t *testing.T) {
	c, p := connect(t, Options{})
	b := &begun{x: newExchange("GET", "/"), done: make(chan *exchange.Failure, 1)}
	b.s.Stop()
	b.s.Reset()
	go func() { b.done <- c.RoundTrip(b.x, &b.s) }()
	id, _, _ := p.request()
	p.head(id, true, ":status", "200")
	b.answered(t)
}
