package http1

import (
	"errors"
	"io"
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
)

func TestPlainPath_DoesNotAllocate(t *testing.T) {
	var (
		req      exchange.Request
		resp     exchange.Response
		body     BodyReader
		reqHead  = []byte(typicalRequest)
		ipv6     = []byte("GET http://[2001:db8::1]:80/ HTTP/1.1\r\nHost: [::1]\r\nConnection: a, b\r\nA: 1\r\n\r\n")
		bad      = []byte("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n")
		respHead = []byte(typicalResponse)
		chunks   = []byte("5\r\nhello\r\n5;a=b\r\nworld\r\n0\r\nA: b\r\nC: d\r\n\r\n")
		src      = &wholeSource{}
		dst      = make([]byte, 0, 4<<10)
		data     = make([]byte, 1000)
	)
	readAll := func(f Framing, wire []byte) {
		src.buf = wire
		body.Reset(src, f, BodyOptions{Limits: &usualLimits})
		for {
			if _, err := body.Next(true); err != nil {
				if !errors.Is(err, io.EOF) {
					t.Fatal(err)
				}
				return
			}
		}
	}
	framing, _ := ParseRequest(reqHead, &usualLimits, &req)
	respFraming, _ := ParseResponse(respHead, &usualLimits, exchange.MethodGet, &resp)
	out := RequestHead{BasePath: "/base", BaseQuery: "k=v", Headers: fieldsOf("X-Up", "1"), Framing: framing}
	back := ResponseHead{Method: exchange.MethodGet, Minor: 1, Close: true}

	for name, do := range map[string]func(){
		"HeadEnd":            func() { HeadEnd(reqHead, 0) },
		"CheckStart":         func() { _ = CheckStart(reqHead) },
		"ParseRequest":       func() { _, _ = ParseRequest(reqHead, &usualLimits, &req) },
		"ParseRequest IPv6":  func() { _, _ = ParseRequest(ipv6, &usualLimits, &req) },
		"ParseRequest error": func() { _, _ = ParseRequest(bad, &usualLimits, &req) },
		"ParseResponse":      func() { _, _ = ParseResponse(respHead, &usualLimits, exchange.MethodGet, &resp) },
		"AppendRequestHead":  func() { AppendRequestHead(dst, &req, &out) },
		"AppendResponseHead": func() { AppendResponseHead(dst, &resp, respFraming, &back) },
		"AppendInterim":      func() { AppendInterim(dst, &resp) },
		"AppendChunk":        func() { AppendLastChunk(AppendChunk(dst, data), nil) },
		"body with a length": func() { readAll(Framing{Kind: BodyLength, Length: 1000}, data) },
		"body until close":   func() { readAll(Framing{Kind: BodyUntilClose}, data) },
		"body in chunks":     func() { readAll(Framing{Kind: BodyChunked}, chunks) },
	} {
		if n := testing.AllocsPerRun(100, do); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}
