package http2

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

func TestConn_EndsWhenThePeerBreaksTheRules(t *testing.T) {
	window := func(stream, n uint32) []byte { return appendNumber(nil, frameWindow, stream, n) }
	setting := func(id uint16, v int) []byte { return appendFrame(nil, frameSettings, 0, 0, appendSetting(nil, id, v)) }
	for name, tc := range map[string]struct {
		bytes []byte
		code  errorCode
	}{
		"PUSH_PROMISE":                {appendFrame(nil, framePush, flagEndHeaders, 1, make([]byte, 5)), errProtocol},
		"DATA on no stream":           {appendFrame(nil, frameData, 0, 0, nil), errProtocol},
		"DATA on an idle stream":      {appendFrame(nil, frameData, 0, 99, nil), errProtocol},
		"DATA on an even stream":      {appendFrame(nil, frameData, 0, 2, nil), errProtocol},
		"HEADERS on an idle stream":   {appendFrame(nil, frameHeaders, flagEndHeaders, 99, nil), errProtocol},
		"RST_STREAM of an idle one":   {appendNumber(nil, frameReset, 99, 0), errProtocol},
		"WINDOW_UPDATE of an idle":    {window(99, 1), errProtocol},
		"CONTINUATION alone":          {appendFrame(nil, frameContinuation, 0, 1, nil), errProtocol},
		"HEADERS interrupted":         {appendFrame(appendFrame(nil, frameHeaders, 0, 1, nil), framePing, 0, 0, make([]byte, 8)), errProtocol},
		"CONTINUATION of another":     {appendFrame(appendFrame(nil, frameHeaders, 0, 1, nil), frameContinuation, 0, 3, nil), errProtocol},
		"padding without end":         {appendFrame(nil, frameData, flagPadded, 1, []byte{9}), errProtocol},
		"a frame too long":            {appendFrameHead(nil, maxFrame+1, frameData, 0, 1), errFrameSize},
		"SETTINGS of 5 bytes":         {appendFrame(nil, frameSettings, 0, 0, make([]byte, 5)), errFrameSize},
		"SETTINGS on a stream":        {appendFrame(nil, frameSettings, 0, 1, nil), errProtocol},
		"a full acknowledgement":      {appendFrame(nil, frameSettings, flagAck, 0, make([]byte, 6)), errFrameSize},
		"huge SETTINGS":               {appendFrame(nil, frameSettings, 0, 0, make([]byte, 6*(maxSettings+1))), errTooMuch},
		"ENABLE_PUSH":                 {setting(settingPush, 1), errProtocol},
		"a window too large":          {setting(settingWindow, 1<<31), errFlowControl},
		"frames too small":            {setting(settingFrameSize, 100), errProtocol},
		"ENABLE_CONNECT_PROTOCOL 2":   {setting(settingConnect, 2), errProtocol},
		"a PING of 7 bytes":           {appendFrame(nil, framePing, 0, 0, make([]byte, 7)), errFrameSize},
		"a PING on a stream":          {appendFrame(nil, framePing, 0, 1, make([]byte, 8)), errProtocol},
		"a GOAWAY of 7 bytes":         {appendFrame(nil, frameGoAway, 0, 0, make([]byte, 7)), errFrameSize},
		"a window widened by nothing": {window(0, 0), errProtocol},
		"a window widened too far":    {window(0, maxWindow), errFlowControl},
		"an HPACK index of nothing":   {appendFrame(nil, frameHeaders, flagEndHeaders, 1, []byte{0xff, 0x7f}), errCompression},
		"fields without end":          {appendFrame(nil, frameHeaders, flagEndHeaders, 1, bytes.Repeat([]byte{0x88}, maxFields+1)), errTooMuch},
		"an HPACK block cut short":    {appendFrame(nil, frameHeaders, flagEndHeaders, 1, []byte{0x40, 5, 'a'}), errCompression},
	} {
		t.Run(name, func(t *testing.T) {
			c, p := connect(t, Options{})
			b := start(c, newExchange("GET", "/"))
			p.request()
			go p.write(tc.bytes)
			b.fails(t, exchange.CodeEndpointClosed, true)
			if code := p.awaitEnd(); code != tc.code {
				t.Errorf("the connection ends with %#x, want %#x", code, tc.code)
			}
			<-c.Closed()
		})
	}
}

func TestConn_BoundsFloods(t *testing.T) {
	forever := func(frame []byte) func(p *peer) {
		return func(p *peer) {
			for {
				if _, err := p.nc.Write(frame); err != nil {
					return
				}
			}
		}
	}
	for name, flood := range map[string]func(p *peer){
		"SETTINGS":      forever(appendFrame(nil, frameSettings, 0, 0, nil)),
		"PING":          forever(appendFrame(nil, framePing, 0, 0, make([]byte, 8))),
		"PRIORITY":      forever(appendFrame(nil, framePriority, 0, 1, make([]byte, 5))),
		"WINDOW_UPDATE": forever(appendNumber(nil, frameWindow, 1, 1)),
		"unknown kinds": forever(appendFrame(nil, 200, 0, 1, nil)),
		"empty DATA": func(p *peer) {
			p.head(1, false, ":status", "200")
			forever(appendFrame(nil, frameData, 0, 1, nil))(p)
		},
		"CONTINUATION": func(p *peer) {
			p.frame(frameHeaders, 0, 1, nil)
			forever(appendFrame(nil, frameContinuation, 0, 1, nil))(p)
		},
		"a block without end": func(p *peer) {
			block := binary.BigEndian.AppendUint32(nil, 0x00000000) // literals of nothing
			p.frame(frameHeaders, 0, 1, block)
			forever(appendFrame(nil, frameContinuation, 0, 1, make([]byte, maxFrame)))(p)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // time stands still, so the budget does
				c, p := connect(t, Options{})
				b := start(c, newExchange("GET", "/"))
				p.request()
				go flood(p)
				code := p.awaitEnd()
				<-c.Closed()
				if code != errTooMuch {
					t.Errorf("the flood ends with %#x (%v), want ENHANCE_YOUR_CALM", code, c.Err())
				}
				<-b.done
				b.s.Close(b.x)
			})
		})
	}
}

func TestConn_EndsStreamsThatOverrunTheirWindow(t *testing.T) {
	c, p := connect(t, Options{StreamWindow: 1000})
	p.settings()
	p.await(frameSettings)
	p.await(frameSettings)
	b := start(c, newExchange("GET", "/"))
	id, _, _ := p.request()
	p.head(id, false, ":status", "200")
	p.data(id, false, strings.Repeat("x", 1001))
	if code := errorCode(number(p.await(frameReset).payload)); code != errFlowControl {
		t.Errorf("the stream ends with %#x, want FLOW_CONTROL_ERROR", code)
	}
	if f := <-b.done; f == nil {
		b.s.Close(b.x)
	}
	if c.Err() != nil {
		t.Errorf("the connection ends too: %v", c.Err())
	}
}

func TestConn_BoundsInterimResponses(t *testing.T) {
	c, p := connect(t, Options{})
	b := start(c, newExchange("GET", "/"))
	id, _, _ := p.request()
	for range maxInterim + 1 {
		p.head(id, false, ":status", "103")
	}
	b.fails(t, exchange.CodeMalformedResponse, true)
}

// slow is a Responder whose client takes interim responses when the test lets it.
type slow struct {
	recorder
	goOn chan struct{}
}

func (r *slow) Inform(resp *exchange.Response) error {
	<-r.goOn
	return r.recorder.Inform(resp)
}

func TestConn_LeavesOutInterimResponsesThatWouldPileUp(t *testing.T) {
	c, p := connect(t, Options{Limits: http1.Limits{HeaderBytes: 1000}})
	x := newExchange("GET", "/")
	r := &slow{goOn: make(chan struct{})}
	x.Responder = r
	b := start(c, x)
	id, _, _ := p.request()
	for range 10 {
		p.head(id, false, ":status", "103", "link", strings.Repeat("x", 400))
	}
	p.head(id, true, ":status", "200")
	p.frame(framePing, 0, 0, make([]byte, 8))
	p.await(framePing) // all of it was read
	close(r.goOn)
	b.answered(t)
	if n := len(r.interim); n < 2 || n > 3 {
		t.Errorf("%d interim responses of 400 bytes are passed on, want those that fit into 1000, and one that was on its way", n)
	}
}
