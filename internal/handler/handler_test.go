package handler

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/content"
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/http1"
)

func TestMain(m *testing.M) {
	conn.Poison(true)
	goleak.VerifyTestMain(m)
}

func options(serve func(*exchange.Exchange)) Options {
	return Options{
		Handler:     exchange.HandlerFunc(serve),
		Limits:      http1.Limits{HeaderBytes: 8 << 10, HeaderCount: 32},
		BodyTimeout: time.Minute, WriteTimeout: time.Minute,
		Replay:   &content.Budget{Each: 1 << 10, Total: 1 << 20},
		Upgrades: []string{"websocket"},
		Watchdog: new(conn.Watchdog),
	}
}

func respond(x *exchange.Exchange) {
	_ = x.Responder.Respond(&exchange.Response{Status: 204, Minor: 1})
}

// ask has a request served that nobody has sent.
func ask(t *testing.T, o Options, r *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	h, w := New(o), httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if n := o.Replay.Used(); n != 0 {
		t.Errorf("when all is over %d bytes of content are still kept", n)
	}
	if err := h.Shutdown(context.Background()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	return w
}

// TestHandler_RefusesWhatIsNotARequest: over HTTP/1.1 none of this could be sent, but
// somebody in the program may have made it.
func TestHandler_RefusesWhatIsNotARequest(t *testing.T) {
	o := options(func(x *exchange.Exchange) {
		t.Errorf("it is served, as %s %s with %v", x.Request.MethodName, x.Request.Path, x.Request.Header)
		respond(x)
	})
	for name, spoil := range map[string]func(*http.Request){
		"a line end in a value":     func(r *http.Request) { r.Header.Set("X-A", "1\r\nX-Evil: 1") },
		"a bare LF in a value":      func(r *http.Request) { r.Header.Set("X-A", "1\nX-Evil: 1") },
		"a colon in a name":         func(r *http.Request) { r.Header["X-A: 1"] = []string{"b"} },
		"a line end in a name":      func(r *http.Request) { r.Header["X-A: 1\r\nX-Evil"] = []string{"b"} },
		"an empty name":             func(r *http.Request) { r.Header[""] = []string{"b"} },
		"a control character":       func(r *http.Request) { r.Header.Set("X-A", "\x01") },
		"a space in the method":     func(r *http.Request) { r.Method = "GET /evil HTTP/1.1\r\nX:" },
		"a space in the target":     func(r *http.Request) { r.RequestURI = "/ HTTP/1.1\r\nX-Evil: 1\r\n"; r.URL.Path = r.RequestURI },
		"a fragment":                func(r *http.Request) { r.RequestURI = "/#x"; r.URL.Path = "/#x" },
		"a target beyond ASCII":     func(r *http.Request) { r.RequestURI = "/ä"; r.URL.Path = "/ä" },
		"half an escape":            func(r *http.Request) { r.RequestURI = "/%4"; r.URL.Path = "/%4" },
		"a line end in the host":    func(r *http.Request) { r.Host = "a\r\nX-Evil: 1" },
		"two hosts":                 func(r *http.Request) { r.Host = "a,b" },
		"no host":                   func(r *http.Request) { r.Host = "" },
		"a line end in a trailer":   func(r *http.Request) { r.Trailer = http.Header{"X\r\nX-Evil: 1": nil} },
		"too many fields":           func(r *http.Request) { r.Header["X-A"] = make([]string, 33) },
		"a head that is too large":  func(r *http.Request) { r.Header.Set("X-A", strings.Repeat("a", 9<<10)) },
		"Connection with no option": func(r *http.Request) { r.Header["Connection"] = []string{strings.Repeat("a,", 40)} },
	} {
		r := httptest.NewRequest("GET", "/", nil)
		spoil(r)
		w := ask(t, o, r)
		if w.Code != 400 && w.Code != 431 || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s is answered with %d %s", name, w.Code, w.Body)
		}
	}
}

func TestHandler_MakesAnExchangeOfARequest(t *testing.T) {
	r := httptest.NewRequest("POST", "http://shop.example/a%2Fb?", strings.NewReader("hello"))
	r.Header.Set("Connection", "X-Hop, close")
	r.Header.Set("X-Hop", "1")
	r.Header.Set("Content-Type", "text/plain")
	r.RemoteAddr = "[::ffff:192.0.2.1]:99"
	served := false
	o := options(func(x *exchange.Exchange) {
		defer respond(x)
		served = true
		req := &x.Request
		got := strings.Join([]string{
			string(req.MethodName), string(req.Authority), string(req.Path), string(req.Query), string(x.Client.PeerText),
		}, " ")
		if got != "POST shop.example /a%2Fb  192.0.2.1" || !req.HasQuery || req.Length != 5 || req.Minor != 1 {
			t.Errorf("it is %q, of length %d", got, req.Length)
		}
		for i := range req.Header {
			f := &req.Header[i]
			if string(f.Name) == "X-Hop" != f.Skip && f.ID != exchange.FieldConnection {
				t.Errorf("it is %t that %s is not passed on", f.Skip, f.Name)
			}
		}
		if _, ok := req.Header.Get(exchange.FieldContentType); !ok {
			t.Error("Content-Type is not known as what it is")
		}
	})
	if ask(t, o, r); !served {
		t.Error("it is not served")
	}
}

// TestHandler_HoldsContentToItsLength: what is more would be the next request.
func TestHandler_HoldsContentToItsLength(t *testing.T) {
	for text, want := range map[string]string{
		"hello":                     "",
		"hello, GET /evil HTTP/1.1": "malformed_body",
		"hell":                      "malformed_body",
	} {
		r := httptest.NewRequest("POST", "/", io.NopCloser(strings.NewReader(text)))
		r.ContentLength = 5
		ask(t, options(func(x *exchange.Exchange) {
			defer respond(x)
			got, err := readAll(x.Request.Body)
			code := ""
			if err != nil {
				code = err.(*exchange.Failure).Code.Name
			}
			if len(got) > 5 || code != want {
				t.Errorf("of %q, said to be 5 bytes, %q is read, and it ends with %v", text, got, err)
			}
		}), r)
	}
}

func readAll(b exchange.Body) (text []byte, err error) {
	for {
		data, err := b.Next(true)
		if err == io.EOF {
			return text, nil
		}
		if err != nil {
			return text, err
		}
		text = append(text, data...)
	}
}

func TestHandler_BoundsContentOfUnknownLength(t *testing.T) {
	o := options(func(x *exchange.Exchange) {
		defer respond(x)
		if got, err := readAll(x.Request.Body); len(got) > 9 || err == nil || err.(*exchange.Failure).Code != exchange.CodeContentTooLarge {
			t.Errorf("%q is read, and it ends with %v", got, err)
		}
	})
	o.BodyBytes = 9
	ask(t, o, httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader("0123456789"))))
	o.Handler = nil
	if w := ask(t, o, httptest.NewRequest("POST", "/", strings.NewReader("0123456789"))); w.Code != 413 {
		t.Errorf("what is known to be too large is answered with %d", w.Code)
	}
}

// TestRequestBody_GoesOnAfterAnInterrupt: nothing of what is read meanwhile is lost.
func TestRequestBody_GoesOnAfterAnInterrupt(t *testing.T) {
	from, to := io.Pipe()
	ask(t, options(func(x *exchange.Exchange) {
		defer respond(x)
		b := x.Request.Body
		go func() { _, _ = io.WriteString(to, "one") }()
		if data, err := b.Next(true); string(data) != "one" || err != nil {
			t.Errorf("first comes %q, %v", data, err)
		}
		if data, err := b.Next(false); data != nil || err != nil {
			t.Errorf("without waiting comes %q, %v", data, err)
		}
		go b.Interrupt()
		if _, err := b.Next(true); err != http1.ErrInterrupted {
			t.Errorf("what is interrupted ends with %v", err)
		}
		if _, err := b.Next(true); err != http1.ErrInterrupted {
			t.Errorf("behind an interrupt comes %v", err)
		}
		if !b.Rewind() {
			t.Error("it cannot be rewound")
		}
		go func() {
			_, _ = io.WriteString(to, "two")
			_ = to.Close()
		}()
		if got, err := readAll(b); string(got) != "onetwo" || err != nil {
			t.Errorf("in the end comes %q, %v", got, err)
		}
	}), httptest.NewRequest("POST", "/", from))
}

// TestRequestBody_IsNotReadWhenTheRequestIsOver: goleak sees it if it is.
func TestRequestBody_IsNotReadWhenTheRequestIsOver(t *testing.T) {
	from, to := io.Pipe()
	defer to.Close()
	ask(t, options(func(x *exchange.Exchange) {
		defer respond(x)
		if data, err := x.Request.Body.Next(false); data != nil || err != nil {
			t.Errorf("without waiting comes %q, %v", data, err)
		}
	}), httptest.NewRequest("POST", "/", from))
	if _, err := io.WriteString(to, "x"); err != io.ErrClosedPipe {
		t.Errorf("writing to who reads no more ends with %v", err)
	}
}

func TestRequestBody_IsHandedOutSeveralTimes(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789"), 100)
	ask(t, options(func(x *exchange.Exchange) {
		defer respond(x)
		b := x.Request.Body
		if whole, err := b.Load(); !whole || err != nil {
			t.Fatalf("Load returns %t, %v", whole, err)
		}
		for _, b := range []exchange.Body{b, b.Fork(), b.Fork()} {
			if got, err := readAll(b); !bytes.Equal(got, text) || err != nil {
				t.Errorf("%d bytes come, %v", len(got), err)
			}
		}
	}), httptest.NewRequest("POST", "/", io.MultiReader(bytes.NewReader(text))))
}

func TestHandler_TellsWhenTheClientHasLeft(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	from, to := io.Pipe()
	defer to.Close()
	defer func() {
		if v := recover(); v != http.ErrAbortHandler {
			t.Errorf("what nobody waits for ends with %v", v)
		}
	}()
	ask(t, options(func(x *exchange.Exchange) {
		go cancel()
		_, err := x.Request.Body.Next(true)
		if f, ok := err.(*exchange.Failure); !ok || f.Code != exchange.CodeClientGone || !x.Gone.Load() {
			t.Errorf("waiting for a client that leaves ends with %v", err)
		}
		respond(x)
	}), httptest.NewRequestWithContext(ctx, "POST", "/", from))
}

func TestHandler_WaitsOnlySoLongForContent(t *testing.T) {
	from, to := io.Pipe()
	defer to.Close()
	o := options(func(x *exchange.Exchange) {
		defer respond(x)
		_, err := x.Request.Body.Next(true)
		if f, ok := err.(*exchange.Failure); !ok || f.Code != exchange.CodeBodyTimeout {
			t.Errorf("waiting for content that does not come ends with %v", err)
		}
	})
	o.BodyTimeout = time.Millisecond
	ask(t, o, httptest.NewRequest("POST", "/", from))
}

func TestHandler_RefusesWhatComesLate(t *testing.T) {
	h := New(options(respond))
	h.Close()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 503 || !strings.Contains(w.Body.String(), `"shutting_down"`) || w.Header().Get("Retry-After") == "" {
		t.Errorf("it is answered with %d %s", w.Code, w.Body)
	}
	if err := h.Shutdown(context.Background()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

func TestHandler_AddsNothingToAResponse(t *testing.T) {
	s := httptest.NewServer(New(options(func(x *exchange.Exchange) {
		_ = x.Responder.Respond(&exchange.Response{Status: 200, Minor: 1, Length: 5, Body: content.NewFork([]byte("<html"), nil), Header: exchange.Header{
			{Name: []byte("x-a"), Value: []byte("1")}, {Name: []byte("X-B"), Value: []byte("2")}, {Name: []byte("X-A"), Value: []byte("3")},
		}})
	})))
	defer s.Close()
	resp, err := s.Client().Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Client().CloseIdleConnections()
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	if a := resp.Header["X-A"]; len(resp.Header) != 3 || len(a) != 2 || a[0] != "1" || a[1] != "3" || resp.Header.Get("Content-Length") != "5" {
		t.Errorf("the fields are %v", resp.Header)
	}
}

func FuzzHead(f *testing.F) {
	f.Add("GET", "/a?b", "a", "X-A", "1")
	f.Add("GET", "/\r\n", "a:80", "X: A", "1\r\nX-B: 1\r\n\r\nGET / HTTP/1.1")
	f.Add("GET /", "http://a/", "a", "", "\x00")
	f.Fuzz(func(t *testing.T, method, target, host, name, value string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Method, r.RequestURI, r.Host, r.Header[name] = method, target, host, []string{value}
		path, query, _ := strings.Cut(target, "?")
		r.URL.Path, r.URL.RawQuery = path, query
		head := appendHead(nil, r)
		if end := http1.HeadEnd(head, 0); end != len(head) {
			t.Errorf("the head %q ends after %d bytes", head, end)
		}
		var req exchange.Request
		if _, err := http1.ParseRequest(head, &http1.Limits{}, &req); err == nil && len(req.Header) > 2 {
			t.Errorf("%q has %d fields", head, len(req.Header))
		}
	})
}
