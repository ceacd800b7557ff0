package transport

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// saying is an endpoint that reads a request, notes it, and answers so.
func saying(answer string, seen *string) func(*fakeConn) {
	return func(c *fakeConn) {
		var request strings.Builder
		for {
			line, err := c.ReadString('\n')
			if request.WriteString(line); err != nil || line == "\r\n" {
				break
			}
		}
		*seen = request.String()
		_ = c.say(answer)
		c.gone()
		c.fake.closed <- struct{}{}
	}
}

func TestHTTP1_ChecksAnEndpointByItsStatus(t *testing.T) {
	teapot := func(status int) bool { return status == 418 }
	for _, tc := range []struct {
		answer string
		expect func(int) bool
		want   string
	}{
		{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", nil, ""},
		{"HTTP/1.1 204 No Content\r\n\r\n", nil, ""},
		{"HTTP/1.0 200 OK\r\n\r\nwell", nil, ""},
		{"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nunread", nil, ""},
		{"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", nil, ""},
		{"HTTP/1.1 418 I'm a teapot\r\nContent-Length: 0\r\n\r\n", teapot, ""},
		{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", teapot, "status 200"},
		{"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", nil, "status 302"},
		{"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", nil, "status 500"},
	} {
		var seen string
		overEveryWiring(t, options(), saying(tc.answer, &seen), func(t *testing.T, f *fake, tr *HTTP1) {
			err := tr.Check(t.Context(), Check{Path: "/healthz", Expect: tc.expect})
			switch {
			case err == nil && tc.want != "":
				t.Errorf("an endpoint that answers %q is taken for well", tc.answer)
			case err != nil && err.Error() != tc.want:
				t.Errorf("an endpoint that answers %q fails with %q, want %q", tc.answer, err, tc.want)
			}
			soon(t, "the endpoint sees its connection close", f.closed)
			wantConnections(t, tr, 0, 0)
		})
	}
}

func TestHTTP1_ChecksAtThePathWithTheEndpointsOwnFields(t *testing.T) {
	var seen string
	o := options()
	o.Head.BasePath, o.Head.BaseQuery, o.Head.FallbackHost = "/base", "key=v", "app:8080"
	o.Head.Headers = []exchange.Field{{Name: []byte("X-Upstream"), Value: []byte("three")}}
	inBubble(t, o, saying("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", &seen), func(t *testing.T, f *fake, tr *HTTP1) {
		if err := tr.Check(t.Context(), Check{Path: "/healthz?deep=1"}); err != nil {
			t.Errorf("Check: %v", err)
		}
		soon(t, "the endpoint sees its connection close", f.closed)
		const want = "GET /healthz?deep=1 HTTP/1.1\r\nUser-Agent: weir-health\r\nConnection: close\r\n" +
			"Host: app:8080\r\nX-Upstream: three\r\n\r\n"
		if seen != want {
			t.Errorf("the endpoint was asked %q, want %q", seen, want)
		}
	})
}

func TestHTTP1_ChecksByConnectingAloneWithoutAPath(t *testing.T) {
	serve := func(c *fakeConn) {
		c.gone()
		c.fake.closed <- struct{}{}
	}
	overEveryWiring(t, options(), serve, func(t *testing.T, f *fake, tr *HTTP1) {
		if err := tr.Check(t.Context(), Check{}); err != nil {
			t.Errorf("an endpoint that takes connections fails with %v", err)
		}
		soon(t, "the endpoint sees its connection close", f.closed)
		wantConnections(t, tr, 0, 0)
	})
}

func TestHTTP1_SaysHowACheckFailed(t *testing.T) {
	refused := options()
	refused.Dialer.Connect = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("refused") }
	for _, path := range []string{"", "/healthz"} {
		err := NewHTTP1(refused).Check(t.Context(), Check{Path: path})
		wantFailure(t, asFailure(err, nil), exchange.CodeConnectFailed)
	}
	for answer, code := range map[string]*exchange.Code{
		"SSH-2.0-OpenSSH_9.6\r\n\r\n": exchange.CodeMalformedResponse,
		"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n": exchange.CodeMalformedResponse,
		"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<17):                             exchange.CodeResponseTooLarge,
	} {
		serve := func(c *fakeConn) {
			readHead(c)
			_ = c.say(answer)
		}
		inBubble(t, options(), serve, func(t *testing.T, _ *fake, tr *HTTP1) {
			err := tr.Check(t.Context(), Check{Path: "/"})
			wantFailure(t, asFailure(err, nil), code)
		})
	}
}

// checkFor checks for at most a second, and returns what came of it and when.
func checkFor(t *testing.T, tr *HTTP1, c Check) (took time.Duration, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	began := time.Now()
	ended := make(chan error, 1)
	go func() { ended <- tr.Check(ctx, c) }()
	err = soon(t, "the check has ended", ended)
	return time.Since(began), err
}

// TestHTTP1_EndsACheckInTime: whatever the endpoint does.
func TestHTTP1_EndsACheckInTime(t *testing.T) {
	for what, serve := range map[string]func(*fakeConn){
		"it reads nothing":   func(c *fakeConn) { <-c.fake.goOn },
		"it answers nothing": func(c *fakeConn) { c.gone() },
		"its answer dribbles in": func(c *fakeConn) {
			readHead(c)
			for more := c.say("HTTP/1.1 200 OK\r\nX: "); more; more = c.say("x") {
				time.Sleep(100 * time.Millisecond)
			}
		},
	} {
		for _, w := range wirings[1:] {
			t.Run(what+", "+w.name, func(t *testing.T) {
				w.over(t, options(), serve, func(t *testing.T, f *fake, tr *HTTP1) {
					took, err := checkFor(t, tr, Check{Path: "/healthz"})
					wantFailure(t, asFailure(err, nil), exchange.CodeResponseTimeout)
					if took != time.Second {
						t.Errorf("it took %v, want a second", took)
					}
					close(f.goOn)
				})
			})
		}
	}
}

// TestHTTP1_TakesLeaveOfACheckedEndpointInTime: the endpoint does not read that its
// connection is about to close.
func TestHTTP1_TakesLeaveOfACheckedEndpointInTime(t *testing.T) {
	serve := func(c *fakeConn) { <-c.fake.goOn }
	wirings[2].over(t, options(), serve, func(t *testing.T, f *fake, tr *HTTP1) {
		if took, err := checkFor(t, tr, Check{}); took > time.Second || err != nil {
			t.Errorf("it took %v and returns %v, want nil within a second", took, err)
		}
		close(f.goOn)
	})
}

func TestHTTP1_EndsACheckThatCannotConnectInTime(t *testing.T) {
	inBubble(t, options(), answerAll, func(t *testing.T, _ *fake, tr *HTTP1) {
		tr.options().Dialer.Connect = func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		took, err := checkFor(t, tr, Check{Path: "/"})
		wantFailure(t, asFailure(err, nil), exchange.CodeConnectTimeout)
		if took != time.Second {
			t.Errorf("it took %v, want a second", took)
		}
	})
}
