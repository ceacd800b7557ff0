package http2

import (
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// answer serves every request with a head and content of n bytes, as many at once
// as one read brings.
func answer(nc net.Conn, n int) {
	_, _ = io.ReadFull(nc, make([]byte, len(preface)))
	r := newFrameReader(nc)
	out := appendFrame(nil, frameSettings, 0, 0, nil)
	content := make([]byte, n)
	var f frame
	for {
		if r.from == r.to {
			if _, err := nc.Write(out); err != nil {
				return
			}
			out = out[:0]
		}
		if r.next(&f) != nil {
			return
		}
		if f.kind == frameHeaders {
			out = appendHeaders(out, f.stream, false, []byte{0x88})
			rest := content
			for ; len(rest) > maxFrame; rest = rest[maxFrame:] {
				out = appendFrame(out, frameData, 0, f.stream, rest[:maxFrame])
			}
			out = appendFrame(out, frameData, flagEndStream, f.stream, rest)
		}
	}
}

// BenchmarkConn_CarriesManyRequests has many clients share one connection, peer and
// network included.
func BenchmarkConn_CarriesManyRequests(b *testing.B) {
	for _, size := range []int{512, 60 << 10} { // within the window of a stream
		for _, clients := range []int{1, 16, 128} {
			b.Run(fmt.Sprintf("bytes=%d/clients=%d", size, clients), func(b *testing.B) {
				ours, theirs := connectTCP(b)
				go answer(theirs, size)
				c, err := NewConn(ours, Options{ConnWindow: 16 << 20, Response: time.Minute, Read: time.Minute})
				if err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				var all sync.WaitGroup
				for i := range clients {
					all.Go(func() { ask(b, c, (b.N+i)/clients) })
				}
				all.Wait()
				c.Close()
				<-c.Closed()
				_ = theirs.Close()
			})
		}
	}
}

func ask(b *testing.B, c *Conn, n int) {
	x := newExchange("GET", "/path", "User-Agent", "bench", "Accept", "*/*", "X-Other", "1")
	var s Stream
	for range n {
		if f := c.RoundTrip(x, &s); f != nil {
			b.Errorf("a request failed: %v", f)
			return
		}
		for err := error(nil); err == nil; {
			_, err = s.Response.Body.Next(true)
		}
		s.Close(x)
	}
}

// BenchmarkEncoder_EncodesARequest is the head of what a browser's request becomes.
func BenchmarkEncoder_EncodesARequest(b *testing.B) {
	x := newExchange(
		"GET", "/path", "Host", "bench.example", "User-Agent", "bench/1", "Accept", "*/*", "Accept-Language", "en",
		"X-Forwarded-For", "127.0.0.1", "X-Forwarded-Proto", "http", "X-Forwarded-Host", "bench.example",
		"X-Request-Id", "0123456789abcdef",
	)
	var o Options
	o.setDefaults()
	var e encoder
	for b.Loop() {
		e.block = e.block[:0]
		e.request(&x.Request, &o, x.Request.Path, requestShape{})
	}
}
