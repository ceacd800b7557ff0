package http1

import (
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
)

func fieldsOf(pairs ...string) (list []exchange.Field) {
	for i := 0; i < len(pairs); i += 2 {
		name := []byte(pairs[i])
		list = append(list, exchange.Field{Name: name, Value: []byte(pairs[i+1]), ID: FieldIDOf(name)})
	}
	return list
}

func TestAppendRequestHead(t *testing.T) {
	for _, test := range []struct {
		name string
		in   string
		head RequestHead // Framing is that of the request unless it has one
		want string
	}{
		{
			name: "order, case and duplicates are kept",
			in:   "GET /a?b HTTP/1.1\nb: 1\nhost: A\nB: 2\nb: 1\n\n",
			want: "GET /a?b HTTP/1.1\nb: 1\nhost: A\nB: 2\nb: 1\n\n",
		},
		{
			name: "white space around values is not",
			in:   "GET / HTTP/1.1\nHost:a\nB: \t c d \n\n",
			want: "GET / HTTP/1.1\nHost: a\nB: c d\n\n",
		},
		{
			name: "hop-by-hop fields go, and what Connection names",
			in:   "GET / HTTP/1.1\nHost: a\nConnection: keep-alive, B\nB: 1\nKeep-Alive: x\nTE: trailers\nUpgrade: h2c\nProxy-Connection: x\nC: 1\n\n",
			want: "GET / HTTP/1.1\nHost: a\nC: 1\n\n",
		},
		{
			name: "absolute form becomes origin form, its authority the Host",
			in:   "GET http://b:81/c?d HTTP/1.1\nA: 1\nhost: a\n\n",
			want: "GET /c?d HTTP/1.1\nA: 1\nhost: b:81\n\n",
		},
		{name: "an asterisk stays", in: "OPTIONS * HTTP/1.1\nHost: a\n\n", head: RequestHead{BasePath: "/x"}, want: "OPTIONS * HTTP/1.1\nHost: a\n\n"},
		{name: "HTTP/1.0 becomes 1.1, with the endpoint's host", in: "GET / HTTP/1.0\nA: 1\n\n", head: RequestHead{FallbackHost: "e:9001"}, want: "GET / HTTP/1.1\nA: 1\nHost: e:9001\n\n"},
		{name: "so does an empty Host", in: "GET / HTTP/1.0\nHost:\nA: 1\n\n", head: RequestHead{FallbackHost: "e:9001"}, want: "GET / HTTP/1.1\nHost: e:9001\nA: 1\n\n"},
		{name: "a configured host wins", in: "GET / HTTP/1.1\nHost: a\nA: 1\n\n", head: RequestHead{Host: "c", FallbackHost: "e"}, want: "GET / HTTP/1.1\nHost: c\nA: 1\n\n"},
		{name: "an empty query stays", in: "GET /? HTTP/1.1\nHost: a\n\n", want: "GET /? HTTP/1.1\nHost: a\n\n"},
		{name: "paths join with one slash", in: "GET /p HTTP/1.1\nHost: a\n\n", head: RequestHead{BasePath: "/base"}, want: "GET /base/p HTTP/1.1\nHost: a\n\n"},
		{name: "also where both have one", in: "GET /p HTTP/1.1\nHost: a\n\n", head: RequestHead{BasePath: "/base/"}, want: "GET /base/p HTTP/1.1\nHost: a\n\n"},
		{name: "queries join, the base's first", in: "GET /p?q=1 HTTP/1.1\nHost: a\n\n", head: RequestHead{BaseQuery: "k=v"}, want: "GET /p?k=v&q=1 HTTP/1.1\nHost: a\n\n"},
		{name: "a base query alone", in: "GET /p HTTP/1.1\nHost: a\n\n", head: RequestHead{BaseQuery: "k=v"}, want: "GET /p?k=v HTTP/1.1\nHost: a\n\n"},
		{name: "a base query before an empty one", in: "GET /p? HTTP/1.1\nHost: a\n\n", head: RequestHead{BaseQuery: "k=v"}, want: "GET /p?k=v HTTP/1.1\nHost: a\n\n"},
		{
			name: "configured fields win, and cannot frame",
			in:   "GET / HTTP/1.1\nx-up: 1\nHost: a\nX-UP: 2\nB: 1\n\n",
			head: RequestHead{Headers: fieldsOf("X-Up", "3", "Content-Length", "5", "Host", "z", "Connection", "x", "Transfer-Encoding", "chunked")},
			want: "GET / HTTP/1.1\nHost: a\nB: 1\nX-Up: 3\n\n",
		},
		{name: "a length at its place, written anew", in: "POST / HTTP/1.1\ncontent-length: 007\nHost: a\n\n", want: "POST / HTTP/1.1\ncontent-length: 7\nHost: a\n\n"},
		{name: "a length of 0 stays", in: "POST / HTTP/1.1\nContent-Length: 0\nHost: a\n\n", want: "POST / HTTP/1.1\nContent-Length: 0\nHost: a\n\n"},
		{name: "a length that was changed", in: "POST / HTTP/1.1\nContent-Length: 7\nHost: a\n\n", head: RequestHead{Framing: Framing{Kind: BodyLength, Length: 9}}, want: "POST / HTTP/1.1\nContent-Length: 9\nHost: a\n\n"},
		{name: "chunks at their place", in: "POST / HTTP/1.1\ntransfer-encoding: CHUNKED\nHost: a\n\n", want: "POST / HTTP/1.1\ntransfer-encoding: chunked\nHost: a\n\n"},
		{name: "chunks instead of a length", in: "POST / HTTP/1.1\nContent-Length: 7\nHost: a\n\n", head: RequestHead{Framing: Framing{Kind: BodyChunked}}, want: "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n"},
		{name: "a length instead of chunks", in: "POST / HTTP/1.1\nTransfer-Encoding: chunked\nHost: a\n\n", head: RequestHead{Framing: Framing{Kind: BodyLength, Length: 9}}, want: "POST / HTTP/1.1\nHost: a\nContent-Length: 9\n\n"},
		{name: "Expect passes", in: "POST / HTTP/1.1\nExpect: 100-continue\nContent-Length: 7\nHost: a\n\n", want: "POST / HTTP/1.1\nExpect: 100-continue\nContent-Length: 7\nHost: a\n\n"},
		{name: "Expect is dropped", in: "POST / HTTP/1.1\nExpect: 100-continue\nContent-Length: 7\nHost: a\n\n", head: RequestHead{DropExpect: true}, want: "POST / HTTP/1.1\nContent-Length: 7\nHost: a\n\n"},
		{name: "Expect without content is not passed on", in: "GET / HTTP/1.1\nExpect: 100-continue\nHost: a\n\n", want: "GET / HTTP/1.1\nHost: a\n\n"},
		{
			name: "an upgrade, at its places",
			in:   "GET / HTTP/1.1\nconnection: keep-alive, Upgrade\nHost: a\nupgrade: websocket\nA: 1\n\n",
			head: RequestHead{Upgrade: true},
			want: "GET / HTTP/1.1\nconnection: Upgrade\nHost: a\nupgrade: websocket\nA: 1\n\n",
		},
		{name: "no upgrade that was not asked for", in: "GET / HTTP/1.1\nConnection: x\nHost: a\nUpgrade: b\n\n", head: RequestHead{Upgrade: true}, want: "GET / HTTP/1.1\nHost: a\n\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var req exchange.Request
			framing, err := ParseRequest([]byte(wire(test.in)), &usualLimits, &req)
			if err != nil {
				t.Fatal(err)
			}
			if test.head.Framing == (Framing{}) {
				test.head.Framing = framing
			}
			if got := string(AppendRequestHead(nil, &req, &test.head)); got != wire(test.want) {
				t.Errorf("sent\n%q, want\n%q", got, wire(test.want))
			}
		})
	}
}

// A rewrite may leave a path without its first slash.
func TestAppendRequestHead_TargetAlwaysHasAPath(t *testing.T) {
	for _, test := range []struct{ base, path, want string }{
		{"", "", "/"}, {"", "p", "/p"}, {"/", "", "/"}, {"/", "p", "/p"}, {"/b", "", "/b/"}, {"/b", "p", "/b/p"}, {"/b/", "p", "/b/p"},
	} {
		req := exchange.Request{MethodName: []byte("GET"), Path: []byte(test.path), Authority: []byte("a")}
		got := string(AppendRequestHead(nil, &req, &RequestHead{BasePath: test.base}))
		if want := "GET " + test.want + " HTTP/1.1\r\nHost: a\r\n\r\n"; got != want {
			t.Errorf("%q and %q join to %q, want %q", test.base, test.path, got, want)
		}
	}
}

// A request that came over HTTP/2, say, has no fields to say it.
func TestAppendRequestHead_UpgradeWithoutFields(t *testing.T) {
	req := exchange.Request{MethodName: []byte("GET"), Path: []byte("/"), Authority: []byte("a"), Upgrade: []byte("websocket")}
	got := string(AppendRequestHead(nil, &req, &RequestHead{Upgrade: true}))
	if want := wire("GET / HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: websocket\n\n"); got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
}

func TestAppendResponseHead(t *testing.T) {
	get := ResponseHead{Method: exchange.MethodGet, Minor: 1}
	old := ResponseHead{Method: exchange.MethodGet, Minor: 0}
	for _, test := range []struct {
		name string
		in   string
		head ResponseHead
		want string
	}{
		{
			"order, case and duplicates are kept",
			"HTTP/1.1 200 OK\nb: 1\ncontent-length: 3\nB: 2\nSet-Cookie: x\nSet-Cookie: x\n\n", get,
			"HTTP/1.1 200 OK\nb: 1\ncontent-length: 3\nB: 2\nSet-Cookie: x\nSet-Cookie: x\n\n",
		},
		{"a reason of any bytes", "HTTP/1.1 404  nicht d\xe4 \nContent-Length: 0\n\n", get, "HTTP/1.1 404  nicht d\xe4 \nContent-Length: 0\n\n"},
		{"no reason", "HTTP/1.1 200\nContent-Length: 0\n\n", get, "HTTP/1.1 200 \nContent-Length: 0\n\n"},
		{"HTTP/1.0 becomes 1.1", "HTTP/1.0 200 OK\nContent-Length: 3\n\n", get, "HTTP/1.1 200 OK\nContent-Length: 3\n\n"},
		{"hop-by-hop fields go", "HTTP/1.1 200 OK\nConnection: close, A\nA: 1\nKeep-Alive: x\nUpgrade: h2\nContent-Length: 3\nB: 1\n\n", get, "HTTP/1.1 200 OK\nContent-Length: 3\nB: 1\n\n"},
		{"equal lengths become one", "HTTP/1.1 200 OK\nContent-Length: 3\nA: 1\nContent-Length: 3\n\n", get, "HTTP/1.1 200 OK\nContent-Length: 3\nA: 1\n\n"},
		{"chunks at their place", "HTTP/1.1 200 OK\ntransfer-encoding: Chunked\nA: 1\n\n", get, "HTTP/1.1 200 OK\ntransfer-encoding: chunked\nA: 1\n\n"},
		{"until close becomes chunks", "HTTP/1.1 200 OK\nA: 1\n\n", get, "HTTP/1.1 200 OK\nA: 1\nTransfer-Encoding: chunked\n\n"},
		{"closing", "HTTP/1.1 200 OK\nContent-Length: 3\n\n", ResponseHead{Minor: 1, Close: true}, "HTTP/1.1 200 OK\nContent-Length: 3\nConnection: close\n\n"},
		{"a client of 1.0 that closes", "HTTP/1.1 200 OK\nContent-Length: 3\n\n", ResponseHead{Close: true}, "HTTP/1.1 200 OK\nContent-Length: 3\nConnection: close\n\n"},
		{"a client of 1.0 that stays", "HTTP/1.1 200 OK\nContent-Length: 3\n\n", old, "HTTP/1.1 200 OK\nContent-Length: 3\nConnection: keep-alive\n\n"},
		{"no chunks to 1.0", "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nA: 1\n\n", ResponseHead{Close: true}, "HTTP/1.1 200 OK\nA: 1\nConnection: close\n\n"},
		{"HEAD keeps its length", "HTTP/1.1 200 OK\nContent-Length: 3\nContent-Length: 3\nA: 1\n\n", ResponseHead{Method: exchange.MethodHead, Minor: 1}, "HTTP/1.1 200 OK\nContent-Length: 3\nA: 1\n\n"},
		{"HEAD without a length gets none", "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nA: 1\n\n", ResponseHead{Method: exchange.MethodHead, Minor: 1}, "HTTP/1.1 200 OK\nA: 1\n\n"},
		{"304 keeps its length", "HTTP/1.1 304 Not Modified\nContent-Length: 3\n\n", get, "HTTP/1.1 304 Not Modified\nContent-Length: 3\n\n"},
		{"304 without a length gets none", "HTTP/1.1 304 Not Modified\nA: 1\n\n", get, "HTTP/1.1 304 Not Modified\nA: 1\n\n"},
		{"204 has none (RFC 9110 §8.6)", "HTTP/1.1 204 No Content\nContent-Length: 0\nA: 1\n\n", get, "HTTP/1.1 204 No Content\nA: 1\n\n"},
		{
			"101, at its places", "HTTP/1.1 101 Switching Protocols\nupgrade: websocket\nA: 1\nconnection: Upgrade\n\n",
			ResponseHead{Minor: 1, Upgrade: true},
			"HTTP/1.1 101 Switching Protocols\nupgrade: websocket\nA: 1\nconnection: Upgrade\n\n",
		},
		{
			"101 without Connection", "HTTP/1.1 101 Switching Protocols\nUpgrade: a\n\n",
			ResponseHead{Minor: 1, Upgrade: true},
			"HTTP/1.1 101 Switching Protocols\nUpgrade: a\nConnection: Upgrade\n\n",
		},
		{"no upgrade but with 101", "HTTP/1.1 200 OK\nUpgrade: a\nContent-Length: 0\n\n", ResponseHead{Minor: 1, Upgrade: true}, "HTTP/1.1 200 OK\nContent-Length: 0\n\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var resp exchange.Response
			framing, err := ParseResponse([]byte(wire(test.in)), &usualLimits, test.head.Method, &resp)
			if err != nil {
				t.Fatal(err)
			}
			got := string(AppendResponseHead(nil, &resp, framing.ForClient(test.head.Minor), &test.head))
			if got != wire(test.want) {
				t.Errorf("sent\n%q, want\n%q", got, wire(test.want))
			}
		})
	}
}

// Without a word about it, the content of a response ends with the connection.
func TestAppendResponseHead_SaysThatThereIsNoContent(t *testing.T) {
	resp := exchange.Response{Status: 200, Reason: []byte("OK")}
	got := string(AppendResponseHead(nil, &resp, Framing{}, &ResponseHead{Method: exchange.MethodGet, Minor: 1}))
	if want := "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
}

func TestAppendInterim(t *testing.T) {
	head := "HTTP/1.1 103 Early Hints\nLink: </a>\nConnection: B\nB: 1\nContent-Length: 0\nlink: </b>\n\n"
	var resp exchange.Response
	if _, err := ParseResponse([]byte(wire(head)), &usualLimits, exchange.MethodGet, &resp); err != nil {
		t.Fatal(err)
	}
	want := wire("HTTP/1.1 103 Early Hints\nLink: </a>\nlink: </b>\n\n")
	if got := string(AppendInterim(nil, &resp)); got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
}

func TestAppendChunk(t *testing.T) {
	trailer := exchange.Header(fieldsOf("A", "b", "C", "d"))
	trailer[0].Skip = true
	dst := AppendChunk(nil, []byte("0123456789abcdef"))
	dst = AppendChunk(dst, nil)
	dst = AppendChunk(dst, []byte("x"))
	dst = AppendLastChunk(dst, trailer)
	if got, want := string(dst), wire("10\n0123456789abcdef\n1\nx\n0\nC: d\n\n"); got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
}
