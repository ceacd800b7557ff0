package weir_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
)

// patience is how long something may take that has to happen.
const patience = 15 * time.Second

// mount returns a server whose handler is a proxy for endpoints, over HTTP/2 with TLS
// or over HTTP/1.1 without.
func mount(t testing.TB, http2 bool, service config.Service, urls ...string) (*httptest.Server, *weir.Proxy) {
	t.Helper()
	for _, u := range urls {
		service.Endpoints = append(service.Endpoints, config.Endpoint{URL: u})
	}
	service.Timeouts.Connect = config.Duration(patience) // machines may be busy
	p, err := weir.New(weir.Config{
		Services: map[string]config.Service{"web": service},
		Limits:   config.Limits{BodyBytes: config.Off},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(p)
	s.Config.ErrorLog = nil
	if s.EnableHTTP2 = http2; http2 {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
		if err := p.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	})
	return s, p
}

// serveEndpoint starts an endpoint.
func serveEndpoint(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s.URL
}

// overBoth runs test with a client of either version.
func overBoth(t *testing.T, test func(t *testing.T, http2 bool)) {
	t.Run("HTTP/1.1", func(t *testing.T) { test(t, false) })
	t.Run("HTTP/2", func(t *testing.T) { test(t, true) })
}

func request(t testing.TB, method, url string, body io.Reader) *http.Request {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 4*patience)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func do(t testing.TB, s *httptest.Server, r *http.Request) *http.Response {
	t.Helper()
	resp, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func TestServeHTTP_PassesWebSocketsOn(t *testing.T) {
	endpoint := serveEndpoint(t, func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			kind, data, err := c.Read(r.Context())
			if err != nil || c.Write(r.Context(), kind, data) != nil {
				return
			}
		}
	})
	s, _ := mount(t, false, config.Service{}, endpoint)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	for _, text := range []string{"hello", strings.Repeat("a", 20<<10)} {
		if err := c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := c.Read(ctx); string(got) != text || err != nil {
			t.Errorf("%d bytes come back as %d, %v", len(text), len(got), err)
		}
	}
	if err := c.Close(websocket.StatusNormalClosure, "done"); err != nil {
		t.Errorf("closing: %v", err)
	}
}

func TestServeHTTP_PassesEventsOnAsTheyCome(t *testing.T) {
	overBoth(t, func(t *testing.T, http2 bool) {
		next := make(chan struct{})
		endpoint := serveEndpoint(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			for i := range 3 {
				fmt.Fprintf(w, "data: %d\n\n", i)
				w.(http.Flusher).Flush()
				select {
				case <-next:
				case <-r.Context().Done():
					return
				}
			}
		})
		s, _ := mount(t, http2, config.Service{}, endpoint)
		resp := do(t, s, request(t, "GET", s.URL, nil))
		for i := range 3 {
			want := fmt.Sprintf("data: %d\n\n", i)
			got := make([]byte, len(want))
			if _, err := io.ReadFull(resp.Body, got); string(got) != want || err != nil {
				t.Fatalf("event %d comes as %q, %v", i, got, err)
			}
			next <- struct{}{} // only now the endpoint writes on
		}
	})
}

// TestServeHTTP_KeepsMemoryFlat: 100 MiB either way go through with little memory.
func TestServeHTTP_KeepsMemoryFlat(t *testing.T) {
	const size = 100 << 20
	overBoth(t, func(t *testing.T, http2 bool) {
		endpoint := serveEndpoint(t, func(w http.ResponseWriter, r *http.Request) {
			sum := sha256.New()
			_, _ = io.Copy(sum, r.Body)
			w.Header().Set("X-Sum", fmt.Sprintf("%x", sum.Sum(nil)))
			_, _ = io.Copy(w, io.LimitReader(&letters{}, size))
		})
		s, _ := mount(t, http2, config.Service{}, endpoint)
		sent, got := sha256.New(), sha256.New()
		r := request(t, "POST", s.URL, io.TeeReader(io.LimitReader(&letters{}, size), sent))
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		resp := do(t, s, r)
		n, err := io.Copy(got, resp.Body)
		runtime.ReadMemStats(&after)
		if n != size || err != nil {
			t.Errorf("%d bytes come back, %v", n, err)
		}
		sum := fmt.Sprintf("%x", sent.Sum(nil))
		if resp.Header.Get("X-Sum") != sum || fmt.Sprintf("%x", got.Sum(nil)) != sum {
			t.Error("what arrives is not what was sent")
		}
		if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 64<<20 {
			t.Errorf("the heap has grown by %d MiB", grown>>20)
		}
	})
}

// letters is content without end.
type letters struct{ at int }

func (l *letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte('a' + (l.at+i)%26 ^ (l.at+i)>>13&1)
	}
	l.at += len(p)
	return len(p), nil
}

func TestServeHTTP_SendsContentAgainByteByByte(t *testing.T) {
	overBoth(t, func(t *testing.T, http2 bool) {
		content := bytes.Repeat([]byte("0123456789"), 6000)
		bad := serveEndpoint(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(500)
		})
		good := serveEndpoint(t, func(w http.ResponseWriter, r *http.Request) {
			got, _ := io.ReadAll(r.Body)
			if !bytes.Equal(got, content) {
				t.Errorf("the second endpoint gets %d bytes, and not those that were sent", len(got))
			}
		})
		s, _ := mount(t, http2, config.Service{Strategy: "failover", NonIdempotent: true}, bad, good)
		for _, unknown := range []bool{false, true} {
			var body io.Reader = bytes.NewReader(content)
			if unknown {
				body = io.MultiReader(body)
			}
			if resp := do(t, s, request(t, "POST", s.URL, body)); resp.StatusCode != 200 {
				t.Errorf("the answer is %s", resp.Status)
			}
		}
	})
}

func TestServeHTTP_PassesTrailersBothWays(t *testing.T) {
	overBoth(t, func(t *testing.T, http2 bool) {
		endpoint := serveEndpoint(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "X-Announced")
			_, _ = io.Copy(w, r.Body)
			w.Header().Set("X-Announced", r.Trailer.Get("X-Sum"))
			w.Header().Set(http.TrailerPrefix+"X-Late", "2")
		})
		s, _ := mount(t, http2, config.Service{}, endpoint)
		r := request(t, "POST", s.URL, io.MultiReader(strings.NewReader("hello")))
		r.Trailer = http.Header{"X-Sum": {"1"}}
		resp := do(t, s, r)
		if text, err := io.ReadAll(resp.Body); string(text) != "hello" || err != nil {
			t.Fatalf("the content is %q, %v", text, err)
		}
		if a, b := resp.Trailer["X-Announced"], resp.Trailer["X-Late"]; len(a) != 1 || a[0] != "1" || len(b) != 1 || b[0] != "2" {
			t.Errorf("the trailer is %v", resp.Trailer)
		}
	})
}

func TestServeHTTP_LetsTheEndpointAskForContent(t *testing.T) {
	overBoth(t, func(t *testing.T, http2 bool) {
		endpoint := serveEndpoint(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/no" {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			_, _ = io.Copy(w, r.Body)
		})
		s, _ := mount(t, http2, config.Service{}, endpoint)
		s.Client().Transport.(*http.Transport).ExpectContinueTimeout = patience
		for path, want := range map[string]int{"/yes": 200, "/no": 403} {
			asked := false
			r := request(t, "POST", s.URL+path, strings.NewReader("hello"))
			r.Header.Set("Expect", "100-continue")
			r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{Got100Continue: func() { asked = true }}))
			if resp := do(t, s, r); resp.StatusCode != want {
				t.Errorf("the answer to %s is %s", path, resp.Status)
			}
			// Over HTTP/2, net/http does not tell that the client waits.
			if asked != (want == 200) && !http2 {
				t.Errorf("on %s it is %t that the client was asked for its content", path, asked)
			}
		}
	})
}

func TestServeHTTP_PassesHintsOn(t *testing.T) {
	overBoth(t, func(t *testing.T, http2 bool) {
		endpoint := serveEndpoint(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "</a.css>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			w.Header().Del("Link")
			w.WriteHeader(http.StatusNoContent)
		})
		s, _ := mount(t, http2, config.Service{}, endpoint)
		var hints []string
		r := request(t, "GET", s.URL, nil)
		r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
			Got1xxResponse: func(status int, h textproto.MIMEHeader) error {
				hints = append(hints, fmt.Sprint(status, " ", h.Get("Link")))
				return nil
			},
		}))
		resp := do(t, s, r)
		if len(hints) != 1 || hints[0] != "103 </a.css>; rel=preload" || resp.Header.Get("Link") != "" {
			t.Errorf("the hints are %q, and then %v", hints, resp.Header)
		}
	})
}

func TestServeHTTP_ServesManyStreamsAtOnce(t *testing.T) {
	endpoint := serveEndpoint(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		_, _ = io.Copy(w, r.Body)
	})
	s, _ := mount(t, true, config.Service{}, endpoint)
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			text := strings.Repeat(fmt.Sprint(i, " "), 1+i*100)
			resp, err := s.Client().Post(s.URL, "text/plain", strings.NewReader(text))
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if got, err := io.ReadAll(resp.Body); string(got) != text || err != nil || resp.ProtoMajor != 2 {
				t.Errorf("over %s %d bytes come back of %d, %v, beginning with %.300s", resp.Proto, len(got), len(text), err, got)
			}
		})
	}
	all.Wait()
}

func TestServeHTTP_CancelsForClientsThatLeave(t *testing.T) {
	overBoth(t, func(t *testing.T, http2 bool) {
		came, left := make(chan struct{}, 1), make(chan struct{}, 1)
		endpoint := serveEndpoint(t, func(w http.ResponseWriter, r *http.Request) {
			came <- struct{}{}
			<-r.Context().Done()
			left <- struct{}{}
		})
		s, _ := mount(t, http2, config.Service{}, endpoint)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-came
			cancel()
		}()
		if _, err := s.Client().Do(request(t, "GET", s.URL, nil).WithContext(ctx)); !errors.Is(err, context.Canceled) {
			t.Errorf("the client ends with %v", err)
		}
		select {
		case <-left:
		case <-time.After(patience):
			t.Error("the endpoint's request goes on")
		}
	})
}

func TestServeHTTP_CutsShortWhatTheEndpointDoes(t *testing.T) {
	overBoth(t, func(t *testing.T, http2 bool) {
		endpoint := serveEndpoint(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/length" {
				w.Header().Set("Content-Length", "10")
			}
			_, _ = io.WriteString(w, "half")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		})
		for _, path := range []string{"/length", "/chunks"} {
			s, _ := mount(t, http2, config.Service{}, endpoint)
			resp, err := s.Client().Do(request(t, "GET", s.URL+path, nil))
			if err != nil {
				continue // the stream was reset before its head was looked at
			}
			text, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err == nil || !strings.HasPrefix("half", string(text)) {
				t.Errorf("the content of %s is %q, and it ends with %v", path, text, err)
			}
			if !http2 && (!errors.Is(err, io.ErrUnexpectedEOF) || string(text) != "half") {
				t.Errorf("%s ends with %v behind %q", path, err, text)
			}
		}
	})
}

// TestServeHTTP_FollowsHandlersBefore: a mux may have changed what is asked for.
func TestServeHTTP_FollowsHandlersBefore(t *testing.T) {
	endpoint := serveEndpoint(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.RequestURI) })
	_, p := mount(t, false, config.Service{}, endpoint)
	mux := http.NewServeMux()
	mux.Handle("/api/", http.StripPrefix("/api", p))
	mux.Handle("/", p)
	s := httptest.NewServer(mux)
	defer s.Close()
	for target, want := range map[string]string{
		"/a%2Fb?q=%2f&x":     "/a%2Fb?q=%2f&x",
		"/a{b}|":             "/a{b}|",
		"/x?":                "/x?",
		"/api/a%2Fb%7e?x=/?": "/a%2Fb%7e?x=/?",
	} {
		if got := rawGet(t, s.Listener.Addr().String(), target); !strings.HasSuffix(got, "\r\n\r\n"+want) {
			t.Errorf("%s reaches the endpoint as %q, want %q", target, got, want)
		}
	}
}

func rawGet(t *testing.T, address, target string) string {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "GET "+target+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	text, _ := io.ReadAll(c)
	return string(text)
}

func TestServeHTTP_IsWaitedForByShutdown(t *testing.T) {
	came, goOn := make(chan struct{}), make(chan struct{})
	endpoint := serveEndpoint(t, func(w http.ResponseWriter, r *http.Request) {
		close(came)
		<-goOn
		_, _ = io.WriteString(w, "late")
	})
	s, p := mount(t, false, config.Service{}, endpoint)
	answered := make(chan string, 1)
	go func() {
		resp, err := s.Client().Get(s.URL)
		if err != nil {
			answered <- err.Error()
			return
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		answered <- string(text)
	}()
	<-came
	ended := make(chan error, 1)
	go func() { ended <- p.Shutdown(context.Background()) }()
	for { // until it takes no more
		resp := do(t, s, request(t, "GET", s.URL+"/other", nil))
		if resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") != "" {
			break
		}
		t.Fatalf("a request that comes during Shutdown is answered with %s", resp.Status)
	}
	select {
	case err := <-ended:
		t.Errorf("Shutdown returns %v while a request is under way", err)
	default:
	}
	close(goOn)
	if text := <-answered; text != "late" {
		t.Errorf("the request under way ends with %q", text)
	}
	if err := <-ended; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

func TestServeHTTP_IsCutOffByShutdown(t *testing.T) {
	overBoth(t, func(t *testing.T, http2 bool) {
		came := make(chan struct{})
		endpoint := serveEndpoint(t, func(w http.ResponseWriter, r *http.Request) {
			close(came)
			<-r.Context().Done()
		})
		s, p := mount(t, http2, config.Service{}, endpoint)
		failed := make(chan error, 1)
		go func() {
			resp, err := s.Client().Get(s.URL)
			if err == nil {
				_ = resp.Body.Close()
			}
			failed <- err
		}()
		<-came
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := p.Shutdown(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Shutdown returns %v", err)
		}
		if err := <-failed; err == nil {
			t.Error("the client sees a whole answer")
		}
	})
}

// TestServeHTTP_CostsFewAllocations counts those of the proxy, with neither client
// nor server of package net/http.
func TestServeHTTP_CostsFewAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes pools forget")
	}
	ex := allocExchanges[0]
	_, p := mount(t, false, config.Service{}, "http://"+newRawEndpoint(t, ex))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, "GET", "/shop/cart?id=1", nil)
	r.TLS = &tls.ConnectionState{}
	for i := range 10 {
		r.Header.Set(fmt.Sprint("X-Field-", i), "value")
	}
	w := &nobody{header: http.Header{}}
	serve := func() {
		clear(w.header)
		p.ServeHTTP(w, r)
	}
	for range 200 {
		serve()
	}
	if w.bytes == 0 || w.status != 200 {
		t.Fatalf("the answer has %d bytes and status %d", w.bytes, w.status)
	}
	const most = 8 // 7, and one for whatever Go changes
	if n := testing.AllocsPerRun(1000, serve); n > most {
		t.Errorf("a request costs %v allocations, want no more than %d", n, most)
	}
}

// nobody is a client that takes every answer.
type nobody struct {
	header http.Header
	status int
	bytes  int
}

func (n *nobody) Header() http.Header              { return n.header }
func (n *nobody) WriteHeader(status int)           { n.status = status }
func (n *nobody) Flush()                           {}
func (n *nobody) SetWriteDeadline(time.Time) error { return nil }

func (n *nobody) Write(p []byte) (int, error) {
	n.bytes += len(p)
	return len(p), nil
}
