package compress

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
	"github.com/weirproxy/weir/internal/server"
)

// serve serves responses with these bodies, one after the other, compressed, over
// TCP, and returns where.
func serve(t *testing.T, bodies ...exchange.Body) (url string) {
	t.Helper()
	p := policy(t, Options{})
	s := server.New(server.Options{
		Limits:        http1.Limits{HeaderBytes: 64 << 10, HeaderCount: 128},
		HeaderTimeout: time.Minute, BodyTimeout: time.Minute, IdleTimeout: time.Minute, WriteTimeout: time.Minute,
		Watchdog: new(conn.Watchdog),
		Handler: exchange.HandlerFunc(func(x *exchange.Exchange) {
			resp := &exchange.Response{Status: 200, Minor: 1, Reason: []byte("OK"), Header: fields("Content-Length: 99999", "Content-Type: text/plain"), Length: 99_999, Body: bodies[0]}
			bodies = bodies[1:]
			b := p.Encode(p.Negotiate(&x.Request), x, resp)
			defer b.Release()
			_ = x.Responder.Respond(resp)
		}),
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.Serve(l, server.Listener{Address: "test"}) })
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		_ = s.Shutdown(context.Background())
		serving.Wait()
	})
	return "http://" + l.Addr().String()
}

// A waiting body has its second part when it is let.
type waiting struct {
	script
	let chan struct{}
}

// Next implements exchange.Body.
func (w *waiting) Next(wait bool) ([]byte, error) {
	if wait && len(w.pieces) > 0 && w.pieces[0] == "" {
		<-w.let
	}
	return w.script.Next(wait)
}

func TestPolicy_StreamsToClients(t *testing.T) {
	let := make(chan struct{})
	resp, err := http.Get(serve(t, &waiting{script{pieces: []string{"tick\n", "", "tock\n"}}, let}))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	// The client of the standard library has asked for gzip, and undoes it.
	if !resp.Uncompressed || resp.ContentLength != -1 {
		t.Errorf("the response has length %d, and was compressed: %t", resp.ContentLength, resp.Uncompressed)
	}
	lines := bufio.NewReader(resp.Body)
	if line, err := lines.ReadString('\n'); line != "tick\n" || err != nil {
		t.Errorf("while the endpoint waits, the client reads %q, %v", line, err)
	}
	close(let)
	if rest, err := io.ReadAll(lines); string(rest) != "tock\n" || err != nil {
		t.Errorf("after that, the client reads %q, %v", rest, err)
	}
}

func TestPolicy_ShowsClientsThatContentIsCutShort(t *testing.T) {
	failure := exchange.Fail(exchange.CodeResponseIncomplete, "", nil)
	url := serve(t, &script{pieces: []string{strings.Repeat("a", 1000), "", "b"}, end: failure})
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip") // by hand: as it is on the wire
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	wire, err := io.ReadAll(resp.Body)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the chunks end with %v, want a client that sees that the last one is missing", err)
	}
	z, err := gzip.NewReader(strings.NewReader(string(wire)))
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(z)
	if len(content) != 1001 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d bytes are decoded, and then %v; want 1001, and no end", len(content), err)
	}
}
