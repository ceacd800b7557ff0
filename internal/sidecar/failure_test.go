package sidecar

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// journal is a log that tests read.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) count(text string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.text.String(), text)
}

func TestHandler_SaysThatTheLocalServerIsDown(t *testing.T) {
	local := listenRaw(t)
	address := local.Addr().String()
	_ = local.Close()
	log := new(journal)
	r := attach(t, "http://"+address, Options{Log: slog.New(slog.NewTextHandler(log, nil))})
	for range 3 {
		resp, err := r.client.RoundTrip(r.request(t, "POST", "/", nil, "X-Request-Id", "e1"))
		if err != nil {
			t.Fatal(err)
		}
		problem(t, resp, 502, "connect_failed")
		resp.Body.Close()
	}
	if n := log.count("cannot be reached"); n != 1 {
		t.Errorf("it is logged %d times, want once", n)
	}

	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("somebody else has taken %s: %v", address, err)
	}
	defer ln.Close()
	heads := (&rawServer{ln}).serveOne(t, ok)
	if _, text := r.get(t, "/"); text != "ok" {
		t.Errorf("when it is back, the answer is %q", text)
	}
	<-heads
	if n := log.count("reached again"); n != 1 {
		t.Errorf("that it is back is logged %d times, want once", n)
	}
}

func TestHandler_SaysWhatWasWrongWithTheAnswer(t *testing.T) {
	local := listenRaw(t)
	r := attach(t, local.url(), Options{})
	for _, c := range []struct{ answer, code string }{
		{"", "endpoint_closed"},
		{"HTTP/1.1 200 OK\r\nContent-", "endpoint_closed"},
		{"SSH-2.0-OpenSSH_9.9\r\n" + strings.Repeat("x", 64) + "\r\n", "malformed_response"},
		{"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n", "malformed_response"},
	} {
		heads := local.serveOne(t, c.answer)
		resp := r.send(t, r.request(t, "POST", "/", nil))
		<-heads
		problem(t, resp, 502, c.code)
	}
}

func TestHandler_VerifiesTLS(t *testing.T) {
	address := strings.TrimPrefix(serveTLS(t, func(http.ResponseWriter, *http.Request) {}), "https://localhost")
	r := attach(t, "https://127.0.0.1"+address, Options{}) // which is not in the certificate
	problem(t, r.send(t, r.request(t, "GET", "/", nil)), 502, "tls_failed")
}

func TestHandler_GivesUpAConnectionThatIsNotAccepted(t *testing.T) {
	local := listenRaw(t) // it never says anything of TLS
	r := attach(t, "https://"+local.Addr().String(), Options{Connect: 10 * time.Millisecond})
	resp := r.send(t, r.request(t, "GET", "/", nil))
	problem(t, resp, 504, "connect_timeout")
}

func TestHandler_ResetsAnAnswerThatBreaksOff(t *testing.T) {
	for name, answer := range map[string]string{
		"with a length": lines("HTTP/1.1 200 OK", "Content-Length: 10") + "half",
		"in a chunk":    lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "a\r\nhalf",
		"behind one":    lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "4\r\nhalf\r\n",
		"in trailers":   lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "4\r\nhalf\r\n0\r\nX-A: 1\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			local := listenRaw(t)
			r := attach(t, local.url(), Options{})
			heads := local.serveOne(t, answer)
			resp := r.send(t, r.request(t, "GET", "/", nil))
			<-heads
			if text, err := io.ReadAll(resp.Body); err == nil {
				t.Errorf("%q is taken for the whole answer", text)
			}
		})
	}
}

func TestHandler_ClosesTheConnectionWhenTheClientLeaves(t *testing.T) {
	local := listenRaw(t)
	r := attach(t, local.url(), Options{})
	for _, c := range []struct {
		name   string
		answer string
	}{
		{"before the head", ""},
		{"within the content", lines("HTTP/1.1 200 OK", "Content-Length: 10") + "half"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			left := make(chan struct{})
			go func() {
				defer close(left)
				resp, err := r.client.RoundTrip(r.request(t, "GET", "/", nil).WithContext(ctx))
				if err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			}()
			raw := local.accept(t)
			raw.head(t)
			raw.write(t, c.answer)
			leave()
			raw.ends(t)
			<-left
		})
	}
}

func TestHandler_BreaksOffAnUploadThatTheClientBreaksOff(t *testing.T) {
	local := listenRaw(t)
	r := attach(t, local.url(), Options{})
	from, to := io.Pipe()
	left := make(chan error, 1)
	go func() {
		resp, err := r.client.RoundTrip(r.request(t, "POST", "/", from))
		if err == nil {
			resp.Body.Close()
		}
		left <- err
	}()
	c := local.accept(t)
	c.head(t)
	if _, err := io.WriteString(to, "abc"); err != nil {
		t.Fatal(err)
	}
	c.reads(t, "3\r\nabc\r\n")
	_ = to.CloseWithError(errors.New("the client has enough"))
	c.ends(t) // without the last chunk
	if err := <-left; err == nil {
		t.Error("the upload that was broken off got an answer")
	}
}

// A server that answers early and closes, without reading the rest, must not cost
// the client its answer.
func TestHandler_PassesAnEarlyAnswerToAnUpload(t *testing.T) {
	const reason = "it is too large"
	for range 20 {
		local := listenRaw(t)
		r := attach(t, local.url(), Options{})
		heads := local.serveOne(t, lines("HTTP/1.1 413 Content Too Large", "Connection: close", "Content-Length: 15")+reason)
		resp := r.send(t, r.request(t, "POST", "/", endless{}))
		<-heads
		if text := content(t, resp); resp.StatusCode != 413 || text != reason {
			t.Fatalf("the answer is %d %q", resp.StatusCode, text)
		}
		resp.Body.Close()
	}
}

// endless is content that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestHandler_OpensNoOtherTunnels(t *testing.T) {
	h := New(Target{scheme: "http"}, Options{})
	for _, protocols := range [][]string{nil, {"connect-udp"}, {"websocket", "websocket"}} {
		r := httptest.NewRequest("CONNECT", "http://shop.example/", nil)
		r.Header[":protocol"] = protocols
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		problem(t, w.Result(), 501, "connect_refused")
	}
}

func TestHandler_ChecksWhetherTheLocalServerIsThere(t *testing.T) {
	local := listenRaw(t)
	parsed, err := ParseTarget(local.url())
	if err != nil {
		t.Fatal(err)
	}
	h := New(parsed, Options{})
	if err := h.Check(t.Context()); err != nil {
		t.Errorf("a server that is there: %v", err)
	}
	_ = local.Close()
	if err := h.Check(t.Context()); err == nil {
		t.Error("a server that is not there is found")
	}
}
