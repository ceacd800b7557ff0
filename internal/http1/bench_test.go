package http1

import (
	"io"
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
)

// A typical request and response, ten fields each.
const (
	typicalRequest = "GET /api/v1/items/4711?expand=owner&limit=20 HTTP/1.1\r\n" +
		"Host: shop.example.com\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n" +
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n" +
		"Accept-Language: en-US,en;q=0.5\r\n" +
		"Accept-Encoding: gzip, deflate, br\r\n" +
		"Referer: https://shop.example.com/items\r\n" +
		"Connection: keep-alive\r\n" +
		"Cookie: session=6f1ed002ab5595859014ebf0951522d9; theme=dark\r\n" +
		"Cache-Control: max-age=0\r\n" +
		"X-Request-Id: 7d3f0b6e\r\n\r\n"
	typicalResponse = "HTTP/1.1 200 OK\r\n" +
		"Server: nginx/1.22.1\r\n" +
		"Date: Tue, 06 Oct 2026 08:12:31 GMT\r\n" +
		"Content-Type: application/json; charset=utf-8\r\n" +
		"Content-Length: 512\r\n" +
		"Connection: keep-alive\r\n" +
		"Cache-Control: no-store\r\n" +
		"ETag: \"5f3c-60d\"\r\n" +
		"Vary: Accept-Encoding\r\n" +
		"X-Frame-Options: DENY\r\n" +
		"Strict-Transport-Security: max-age=31536000\r\n\r\n"
)

var usualLimits = Limits{HeaderBytes: 64 << 10, HeaderCount: 128}

func BenchmarkHeadEnd(b *testing.B) {
	head := []byte(typicalRequest)
	b.SetBytes(int64(len(head)))
	for b.Loop() {
		if HeadEnd(head, 0) != len(head) {
			b.Fatal("no end")
		}
	}
}

func BenchmarkParseRequest(b *testing.B) {
	head := []byte(typicalRequest)
	var req exchange.Request
	b.SetBytes(int64(len(head)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseRequest(head, &usualLimits, &req); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseResponse(b *testing.B) {
	head := []byte(typicalResponse)
	var resp exchange.Response
	b.SetBytes(int64(len(head)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseResponse(head, &usualLimits, exchange.MethodGet, &resp); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendRequestHead(b *testing.B) {
	var req exchange.Request
	framing, err := ParseRequest([]byte(typicalRequest), &usualLimits, &req)
	if err != nil {
		b.Fatal(err)
	}
	h := RequestHead{Framing: framing}
	dst := make([]byte, 0, 4<<10)
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendRequestHead(dst[:0], &req, &h)
	}
}

func BenchmarkAppendResponseHead(b *testing.B) {
	var resp exchange.Response
	framing, err := ParseResponse([]byte(typicalResponse), &usualLimits, exchange.MethodGet, &resp)
	if err != nil {
		b.Fatal(err)
	}
	h := ResponseHead{Method: exchange.MethodGet, Minor: 1}
	dst := make([]byte, 0, 4<<10)
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendResponseHead(dst[:0], &resp, framing, &h)
	}
}

func BenchmarkChunkedBody(b *testing.B) {
	var wire []byte
	data := make([]byte, 1024)
	for range 16 {
		wire = AppendChunk(wire, data)
	}
	wire = AppendLastChunk(wire, nil)
	src := &wholeSource{}
	var body BodyReader
	b.SetBytes(int64(len(wire)))
	b.ReportAllocs()
	for b.Loop() {
		src.buf = wire
		body.Reset(src, Framing{Kind: BodyChunked}, BodyOptions{Limits: &usualLimits})
		for {
			if _, err := body.Next(false); err == io.EOF {
				break
			}
		}
	}
}

// wholeSource is a source whose bytes have all arrived.
type wholeSource struct{ buf []byte }

func (s *wholeSource) Buffered() []byte { return s.buf }
func (s *wholeSource) Consume(n int)    { s.buf = s.buf[n:] }
func (s *wholeSource) Fill() error      { return io.EOF }
