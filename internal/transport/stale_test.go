package transport

import (
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
)

// closingAfterOne answers one request on its first connection and closes it when
// the next one has come; later connections answer all.
func closingAfterOne(c *fakeConn) {
	if c.number > 1 {
		answerAll(c)
		return
	}
	if c.request() {
		c.answer()
	}
	c.request()
}

func TestHTTP1_RepeatsWhatFellIntoAStaleConnection(t *testing.T) {
	f := &fake{serve: closingAfterOne}
	tr := f.overTCP(t, options())
	get(t, tr, "GET")
	if got := get(t, tr, "GET"); got != "2" {
		t.Errorf("the request was answered over connection %s, want a new one", got)
	}
}

// TestHTTP1_RepeatsOnlyWhatMayBeRepeated: that is not for the method to say.
func TestHTTP1_RepeatsOnlyWhatMayBeRepeated(t *testing.T) {
	for _, method := range []string{"POST", "GET"} {
		f := newFake(closingAfterOne)
		tr := f.overTCP(t, options())
		get(t, tr, "GET")
		x := newExchange(method)
		x.Repeatable = false
		failure := tr.RoundTrip(x, new(Call))
		wantFailure(t, failure, exchange.CodeEndpointClosed)
		if !failure.Sent || !failure.Stale {
			t.Error("the failure does not say that something was sent, over a connection that may have been closed before")
		}
		if n := f.dials.Load(); n != 1 {
			t.Errorf("%s, which may not be repeated, led to %d connections", method, n)
		}

		f = newFake(closingAfterOne)
		tr = f.overTCP(t, options())
		get(t, tr, "GET")
		x, c := newExchange(method), new(Call)
		x.Repeatable = true
		if failure := tr.RoundTrip(x, c); failure != nil {
			t.Fatalf("%s, which may be repeated, failed: %v", method, failure)
		}
		if got := readAll(t, c); got != "2" {
			t.Errorf("%s was answered over connection %s, want a new one", method, got)
		}
		c.Close(x)
	}
}

func TestHTTP1_RepeatsNothingOnANewConnection(t *testing.T) {
	f := &fake{serve: func(c *fakeConn) { c.request() }}
	tr := f.overTCP(t, options())
	wantFailure(t, tr.RoundTrip(newExchange("GET"), new(Call)), exchange.CodeEndpointClosed)
	if n := f.dials.Load(); n != 1 {
		t.Errorf("an endpoint that closes without an answer was connected to %d times", n)
	}
}

// TestHTTP1_LooksBeforeItSendsWhatCannotBeRepeated: the endpoint has closed the
// connection, or sent something, while it was idle.
func TestHTTP1_LooksBeforeItSendsWhatCannotBeRepeated(t *testing.T) {
	for why, idle := range map[string]func(c *fakeConn, release chan struct{}){
		"closed": func(*fakeConn, chan struct{}) {},
		"sent something": func(c *fakeConn, release chan struct{}) {
			_, _ = c.Write([]byte("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"))
			<-release
		},
	} {
		release := make(chan struct{})
		f := &fake{serve: func(c *fakeConn) {
			if c.number > 1 {
				answerAll(c)
				return
			}
			c.request()
			c.answer()
			idle(c, release)
		}}
		tr := f.overTCP(t, options())
		get(t, tr, "GET")
		eventually(t, "what the endpoint did has arrived", func() bool {
			tr.mu.Lock()
			defer tr.mu.Unlock()
			return len(tr.idle) == 0 || !tr.idle[0].conn().Alive()
		})
		if got := get(t, tr, "POST"); got != "2" {
			t.Errorf("after the endpoint has %s on an idle connection, POST was answered over connection %s, want a new one", why, got)
		}
		if n := f.posts.Load(); n != 1 {
			t.Errorf("after the endpoint has %s, it has seen POST %d times", why, n)
		}
		close(release)
	}
}

// TestHTTP1_TakesNoAnswerThatBelongsToAnotherRequest: the endpoint answers the
// first request twice; the second answer lies on the connection when the next
// request is sent.
func TestHTTP1_TakesNoAnswerThatBelongsToAnotherRequest(t *testing.T) {
	const own = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"
	for framing, stray := range map[string]string{
		"a length":            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nX",
		"no content":          "HTTP/1.1 204 No Content\r\n\r\n",
		"chunks":              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nX\r\n0\r\n\r\n",
		"chunks and trailers": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nX\r\n1\r\nY\r\n0\r\nX-Sum: 2\r\n\r\n",
	} {
		f := &fake{serve: func(c *fakeConn) {
			if c.number > 1 {
				answerAll(c)
				return
			}
			c.request()
			c.answer()
			if c.request() {
				_, _ = c.Write([]byte(stray + own))
			}
		}}
		tr := f.overTCP(t, options())
		get(t, tr, "GET")
		if got := get(t, tr, "GET"); got != "2" {
			t.Errorf("with a stray answer of %s the client got %q, want the answer to a request that was sent again", framing, got)
		}
	}
}
