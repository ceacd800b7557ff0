package sidecar

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"reflect"
	"strings"
	"testing"
)

func TestHandler_PassesTheAnswerOnAsItCame(t *testing.T) {
	local := listenRaw(t)
	r := attach(t, local.url(), Options{})
	for _, c := range []struct {
		name, method, answer string
		status               int
		header               http.Header
		content              string
	}{
		{
			"no field is invented", "GET",
			lines("HTTP/1.1 200 OK", "Content-Length: 6") + "<html>",
			200,
			http.Header{"Content-Length": {"6"}},
			"<html>",
		},
		{
			"repetitions and their order stay", "GET",
			lines("HTTP/1.1 299 Odd", "Set-Cookie: b=1", "Set-Cookie: a=2", "Set-Cookie: b=1", "Date: whenever", "X-Empty:", "Content-Length: 0"),
			299,
			http.Header{"Set-Cookie": {"b=1", "a=2", "b=1"}, "Date": {"whenever"}, "X-Empty": {""}, "Content-Length": {"0"}},
			"",
		},
		{
			"what concerns one connection goes", "GET",
			lines("HTTP/1.1 426 No", "Connection: close, X-Hop", "Keep-Alive: timeout=5", "X-Hop: 1", "Upgrade: h2c", "Proxy-Connection: close", "X-End: 1", "Content-Length: 1") + "x",
			426,
			http.Header{"X-End": {"1"}, "Content-Length": {"1"}},
			"x",
		},
		{
			"chunks without content get no length", "GET",
			lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "0\r\n\r\n",
			200,
			http.Header{},
			"",
		},
		{
			"content up to the end of the connection", "GET",
			lines("HTTP/1.0 200 OK") + "all of it",
			200,
			http.Header{},
			"all of it",
		},
		{
			"what is compressed stays so", "GET",
			lines("HTTP/1.1 200 OK", "Content-Encoding: gzip", "Content-Length: 3") + "zip",
			200,
			http.Header{"Content-Encoding": {"gzip"}, "Content-Length": {"3"}},
			"zip",
		},
		{
			"a redirect is not followed", "GET",
			lines("HTTP/1.1 302 Found", "Location: /elsewhere", "Content-Length: 0"),
			302,
			http.Header{"Location": {"/elsewhere"}, "Content-Length": {"0"}},
			"",
		},
		{
			"HEAD keeps the length of what it has not", "HEAD",
			lines("HTTP/1.1 200 OK", "Content-Length: 5"),
			200,
			http.Header{"Content-Length": {"5"}},
			"",
		},
		{
			"HEAD without a length gets none", "HEAD",
			lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"),
			200,
			http.Header{},
			"",
		},
		{
			"204 has nothing", "GET",
			lines("HTTP/1.1 204 No Content", "X-A: 1"),
			204,
			http.Header{"X-A": {"1"}},
			"",
		},
		{
			"304 keeps the length of what it has not", "GET",
			lines("HTTP/1.1 304 Not Modified", "Content-Length: 5", "Etag: \"a\""),
			304,
			http.Header{"Content-Length": {"5"}, "Etag": {`"a"`}},
			"",
		},
		{
			"Pragma makes no Cache-Control", "GET",
			lines("HTTP/1.1 103 Early Hints", "Cache-Control: x") + lines("HTTP/1.1 200 OK", "Pragma: no-cache", "Content-Length: 15") + "\ncache-control:",
			200,
			http.Header{"Pragma": {"no-cache"}, "Content-Length": {"15"}},
			"\ncache-control:",
		},
		{
			"Cache-Control beside Pragma stays", "GET",
			lines("HTTP/1.1 200 OK", "Pragma: no-cache", "cache-control: no-cache", "Content-Length: 0"),
			200,
			http.Header{"Pragma": {"no-cache"}, "Cache-Control": {"no-cache"}, "Content-Length": {"0"}},
			"",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			heads := local.serveOne(t, c.answer)
			resp := r.send(t, r.request(t, c.method, "/", nil))
			<-heads
			text := ""
			if c.status != http.StatusNotModified { // the client misses content that it must not have
				text = content(t, resp)
			}
			if resp.StatusCode != c.status || text != c.content {
				t.Errorf("the answer is %d %q, want %d %q", resp.StatusCode, text, c.status, c.content)
			}
			if !reflect.DeepEqual(resp.Header, c.header) {
				t.Errorf("the answer has the fields\n%q, want\n%q", resp.Header, c.header)
			}
		})
	}
}

func TestHandler_PassesInterimResponses(t *testing.T) {
	local := listenRaw(t)
	r := attach(t, local.url(), Options{})
	heads := local.serveOne(t, lines("HTTP/1.1 100 Continue")+
		lines("HTTP/1.1 103 Early Hints", "Link: </a>", "Link: </b>", "Connection: close")+
		lines("HTTP/1.1 104 Upload Resumption Supported")+ok)
	var seen []string
	req := r.request(t, "GET", "/", nil)
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			seen = append(seen, fmt.Sprint(code, map[string][]string(h)))
			return nil
		},
	}))
	resp := r.send(t, req)
	<-heads
	if text := content(t, resp); text != "ok" || resp.Header.Get("Link") != "" {
		t.Errorf("the answer is %q with %v", text, resp.Header)
	}
	if want := []string{"103 map[Link:[</a> </b>]]", "104 map[]"}; !reflect.DeepEqual(seen, want) {
		t.Errorf("before the answer come %q, want %q", seen, want)
	}
}

func TestHandler_PassesTrailersOfAnAnswer(t *testing.T) {
	local := listenRaw(t)
	r := attach(t, local.url(), Options{})
	heads := local.serveOne(t, lines("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Trailer: X-Sum, X-Absent")+
		"3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-Sum: 2\r\nX-Unannounced: 3\r\n\r\n")
	resp := r.send(t, r.request(t, "GET", "/", nil))
	<-heads
	if _, announced := resp.Trailer["X-Absent"]; !announced || len(resp.Trailer) != 2 {
		t.Errorf("the head announces %v", resp.Trailer)
	}
	content(t, resp)
	for name, want := range map[string][]string{"X-Sum": {"1", "2"}, "X-Unannounced": {"3"}} {
		if got := resp.Trailer[name]; !reflect.DeepEqual(got, want) {
			t.Errorf("the trailer %s is %q, want %q", name, got, want)
		}
	}
}

func TestHandler_StreamsAnswersWithoutWaiting(t *testing.T) {
	local := listenRaw(t)
	r := attach(t, local.url(), Options{})
	answered := make(chan *http.Response, 1)
	go func() {
		defer close(answered)
		if resp, err := r.client.RoundTrip(r.request(t, "GET", "/events", nil)); err == nil {
			answered <- resp
		}
	}()
	c := local.accept(t)
	c.head(t)
	c.write(t, lines("HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked"))
	resp := <-answered // the head comes before any content
	if resp == nil {
		t.Fatal("there is no answer")
	}
	defer resp.Body.Close()
	in := bufio.NewReader(resp.Body)
	for i := range 3 {
		event := fmt.Sprintf("data: %d\n", i)
		c.write(t, fmt.Sprintf("%x\r\n%s\r\n", len(event), event))
		if got, err := in.ReadString('\n'); got != event {
			t.Fatalf("event %d is %q (%v)", i, got, err)
		}
	}
}

func TestHandler_CarriesBothWaysAtOnce(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		_ = control.EnableFullDuplex()
		_ = control.Flush()
		_ = stream(w, control.Flush, r.Body)
	}
	for name, target := range map[string]string{
		"http":  "http://" + serveHTTP1(t, echo),
		"h2c":   strings.Replace(serveHTTP2(t, http.HandlerFunc(echo)), "http", "h2c", 1),
		"https": serveTLS(t, echo),
		"unix":  serveUnix(t, echo),
	} {
		t.Run(name, func(t *testing.T) {
			r := attach(t, target, Options{})
			from, to := io.Pipe()
			defer to.Close()
			resp := r.send(t, r.request(t, "POST", "/", from))
			for i := range 3 {
				text := strings.Repeat(fmt.Sprint(i), 40_000)
				go func() { _, _ = io.WriteString(to, text) }()
				got := make([]byte, len(text))
				if n, err := io.ReadFull(resp.Body, got); err != nil || string(got) != text {
					t.Fatalf("of piece %d come %d bytes back: %v", i, n, err)
				}
			}
			_ = to.Close()
			if rest := content(t, resp); rest != "" {
				t.Errorf("behind the end comes %q", rest)
			}
		})
	}
}

func TestHandler_SpeaksHTTP2ToAServerThatWantsIt(t *testing.T) {
	local := serveHTTP2(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header()["Date"], w.Header()["Content-Type"] = nil, nil
		w.Header().Set("X-Seen", fmt.Sprintf("%s %s %s %s %s %v", r.Proto, r.Method, r.Host, r.RequestURI, body, r.Trailer))
		w.WriteHeader(http.StatusEarlyHints)
		_ = http.NewResponseController(w).Flush()
		w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
	}))
	r := attach(t, strings.Replace(local, "http", "h2c", 1)+"/base", Options{})
	req := r.request(t, "POST", "/a%2Fb?c", strings.NewReader("abc"), "Te", "trailers")
	req.Trailer = http.Header{"X-Sum": {"6"}}
	resp := r.send(t, req)
	content(t, resp)
	if got, want := resp.Header.Get("X-Seen"), "HTTP/2.0 POST shop.example /base/a%2Fb?c abc map[X-Sum:[6]]"; got != want {
		t.Errorf("the local server sees %q, want %q", got, want)
	}
	if len(resp.Header) != 1 || resp.Trailer.Get("Grpc-Status") != "0" {
		t.Errorf("the answer has the fields %v and the trailers %v", resp.Header, resp.Trailer)
	}
}

// gRPC tells failures by an answer that is a head and nothing else.
func TestHandler_KeepsAnAnswerThatIsAHeadAlone(t *testing.T) {
	local := serveHTTP2(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Date"], w.Header()["Content-Length"] = nil, nil
		w.Header().Set("Grpc-Status", "5")
	}))
	r := attach(t, strings.Replace(local, "http", "h2c", 1), Options{})
	resp, text := r.get(t, "/")
	// Without its end, the head would not say that no content follows.
	if resp.ContentLength != 0 || text != "" || !reflect.DeepEqual(resp.Header, http.Header{"Grpc-Status": {"5"}}) {
		t.Errorf("the answer has length %d, %q and %v", resp.ContentLength, text, resp.Header)
	}
}
