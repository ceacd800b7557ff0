package http1

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
)

func TestParseResponse_Refuses(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\n"
	for _, test := range []struct {
		name string
		head string
		want fault
	}{
		// RFC 9112 §4: status-line = HTTP-version SP status-code SP [ reason-phrase ]
		{"nothing", "\n", faultStatusLine},
		{"another protocol", "SSH-2.0-OpenSSH_9.2p1\n\n", faultStatusLine},
		{"HTTP/2.0", "HTTP/2.0 200 OK\n\n", faultStatusLine},
		{"HTTP/1.2", "HTTP/1.2 200 OK\n\n", faultStatusLine},
		{"a version in lower case", "http/1.1 200 OK\n\n", faultStatusLine},
		{"ICY", "ICY 200 OK\n\n", faultStatusLine},
		{"two spaces before the status", "HTTP/1.1  200 OK\n\n", faultStatus},
		{"a status of two digits", "HTTP/1.1 20 OK\n\n", faultStatus},
		{"a status of four digits", "HTTP/1.1 2000 OK\n\n", faultStatus},
		{"a status below 100", "HTTP/1.1 099 OK\n\n", faultStatus},
		{"a status above 599", "HTTP/1.1 600 OK\n\n", faultStatus},
		{"a signed status", "HTTP/1.1 +20 OK\n\n", faultStatus},
		{"no space after the status", "HTTP/1.1 200OK\n\n", faultStatusLine},
		{"a control character in the reason", "HTTP/1.1 200 O\x00K\n\n", faultStatusLine},
		{"a bare CR in the reason", `HTTP/1.1 200 O\rK` + "\n\n", faultBareCR},
		{"a bare LF after the reason", `HTTP/1.1 200 OK\n` + "\n", faultBareLF},
		{"a bare LF after the status", `HTTP/1.1 200\n` + "\n\n", faultBareLF},
		// RFC 9112 §5.2: "A proxy or gateway that receives an obs-fold in a
		// response message […] MUST either discard the message and replace it
		// with a 502 (Bad Gateway) response […] or replace each received
		// obs-fold with one or more SP octets"
		{"a folded line", ok + "A: b\n c\n\n", faultFold},
		// §5.1: "A proxy MUST remove any such whitespace from a response message
		// before forwarding", or refuse it, as here.
		{"a space before a colon", ok + "A : b\n\n", faultNameSpace},
		{"a control character in a value", ok + "A: b\x01\n\n", faultControl},
		{"a bare CR in a value", ok + `A: b\rC: d` + "\n\n", faultBareCR},
		{"no colon", ok + "A\n\n", faultNoColon},
		// §6.1, §6.3
		{"Content-Length and Transfer-Encoding", ok + "Content-Length: 3\nTransfer-Encoding: chunked\n\n", faultLengthAndCoding},
		{"lengths that differ", ok + "Content-Length: 3\nContent-Length: 4\n\n", faultLengthRepeated},
		{"lengths that differ in zeros", ok + "Content-Length: 3\nContent-Length: 03\n\n", faultLengthRepeated},
		{"a list of lengths", ok + "Content-Length: 3, 3\n\n", faultLength},
		{"a bad length in a 304", "HTTP/1.1 304 Not Modified\nContent-Length: x\n\n", faultLength},
		{"a second, bad length", ok + "Content-Length: 3\nContent-Length: x\n\n", faultLengthRepeated},
		{"another coding", ok + "Transfer-Encoding: gzip\n\n", faultCoding},
		{"two codings", ok + "Transfer-Encoding: gzip, chunked\n\n", faultCoding},
		{"chunked twice", ok + "Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n\n", faultCodingRepeated},
		{"chunked in HTTP/1.0", "HTTP/1.0 200 OK\nTransfer-Encoding: chunked\n\n", faultCodingMinor},
		{"Connection with many names", ok + "Connection: " + strings.Repeat("x,", maxOptions+1) + "\n\n", faultTooManyOptions},
	} {
		t.Run(test.name, func(t *testing.T) {
			var resp exchange.Response
			_, err := ParseResponse([]byte(wire(test.head)), &usualLimits, exchange.MethodGet, &resp)
			wantFault(t, err, responseFailures, test.want)
			if failure, _ := errors.AsType[*exchange.Failure](err); !failure.Sent {
				t.Error("the failure says that no request was sent")
			}
		})
	}
}

func TestParseResponse_Accepts(t *testing.T) {
	for _, test := range []struct {
		name   string
		method exchange.Method
		head   string
		want   string
	}{
		{"a length", exchange.MethodGet, "HTTP/1.1 200 OK\nContent-Length: 3\n\n", `200 "OK" 3 bytes`},
		{"no reason", exchange.MethodGet, "HTTP/1.1 200 \nContent-Length: 3\n\n", `200 "" 3 bytes`},
		{"no reason and no space", exchange.MethodGet, "HTTP/1.1 200\nContent-Length: 3\n\n", `200 "" 3 bytes`},
		{"a reason of any bytes", exchange.MethodGet, "HTTP/1.1 599  not\tgut \xfc \nContent-Length: 3\n\n", `599 " not\tgut \xfc " 3 bytes`},
		{"equal lengths", exchange.MethodGet, "HTTP/1.1 200 OK\nContent-Length: 3\nContent-Length: 3\n\n", `200 "OK" 3 bytes`},
		{"no content", exchange.MethodGet, "HTTP/1.1 200 OK\nContent-Length: 0\n\n", `200 "OK" none`},
		{"chunks", exchange.MethodGet, "HTTP/1.1 200 OK\nTransfer-Encoding: Chunked\n\n", `200 "OK" chunked`},
		{"neither", exchange.MethodGet, "HTTP/1.1 200 OK\n\n", `200 "OK" until close, close`},
		{"close", exchange.MethodGet, "HTTP/1.1 200 OK\nConnection: close\nContent-Length: 3\n\n", `200 "OK" 3 bytes, close`},
		{"HTTP/1.0", exchange.MethodGet, "HTTP/1.0 200 OK\nConnection: keep-alive\nContent-Length: 3\n\n", `200 "OK" 3 bytes, close`},
		// RFC 9112 §6.3: "Any response to a HEAD request and any response with a
		// 1xx (Informational), 204 (No Content), or 304 (Not Modified) status
		// code is always terminated by the first empty line"
		{"HEAD with a length", exchange.MethodHead, "HTTP/1.1 200 OK\nContent-Length: 3\n\n", `200 "OK" none`},
		{"HEAD with chunks", exchange.MethodHead, "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", `200 "OK" none`},
		{"HEAD with neither", exchange.MethodHead, "HTTP/1.1 200 OK\n\n", `200 "OK" none`},
		{"HEAD in HTTP/1.0", exchange.MethodHead, "HTTP/1.0 200 OK\n\n", `200 "OK" none, close`},
		{"304 with a length", exchange.MethodGet, "HTTP/1.1 304 Not Modified\nContent-Length: 3\n\n", `304 "Not Modified" none`},
		{"204", exchange.MethodGet, "HTTP/1.1 204 No Content\n\n", `204 "No Content" none`},
		{"204 with Content-Length: 0", exchange.MethodGet, "HTTP/1.1 204 No Content\nContent-Length: 0\n\n", `204 "No Content" none`},
		{"103", exchange.MethodGet, "HTTP/1.1 103 Early Hints\nLink: </a>\n\n", `103 "Early Hints" none`},
		{"101", exchange.MethodGet, "HTTP/1.1 101 Switching Protocols\nConnection: upgrade\nUpgrade: a\n\n", `101 "Switching Protocols" none`},
		// Content may follow these against the rules: no other request goes out.
		{"204 with a length", exchange.MethodGet, "HTTP/1.1 204 No Content\nContent-Length: 3\n\n", `204 "No Content" none, close`},
		{"204 with chunks", exchange.MethodGet, "HTTP/1.1 204 No Content\nTransfer-Encoding: chunked\n\n", `204 "No Content" none, close`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var resp exchange.Response
			framing, err := ParseResponse([]byte(wire(test.head)), &usualLimits, test.method, &resp)
			if err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprintf("%d %q %s", resp.Status, resp.Reason, framingText(framing))
			if got != test.want {
				t.Errorf("parsed as %s, want %s", got, test.want)
			}
			if resp.Length != framing.contentLengthOf() {
				t.Errorf("length is %d", resp.Length)
			}
		})
	}
}

func TestParseResponse_MarksHopByHopFields(t *testing.T) {
	head := "HTTP/1.1 200 OK\nA: 1\nConnection: a, close\nKeep-Alive: timeout=5\nUpgrade: h2\nTransfer-Encoding: chunked\nB: 2\n\n"
	var resp exchange.Response
	if _, err := ParseResponse([]byte(wire(head)), &usualLimits, exchange.MethodGet, &resp); err != nil {
		t.Fatal(err)
	}
	if got, want := skipped(resp.Header), "A Connection Keep-Alive Upgrade Transfer-Encoding"; got != want {
		t.Errorf("not passed on are %q, want %q", got, want)
	}
}

func TestParseResponse_Limits(t *testing.T) {
	head := []byte(wire("HTTP/1.1 200 OK\nA: b\nC: d\n\n"))
	for _, test := range []struct {
		name string
		lim  Limits
	}{
		{"one byte too large", Limits{HeaderBytes: len(head) - 1, HeaderCount: 2}},
		{"one field too many", Limits{HeaderBytes: len(head), HeaderCount: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var resp exchange.Response
			_, err := ParseResponse(head, &test.lim, exchange.MethodGet, &resp)
			failure, ok := errors.AsType[*exchange.Failure](err)
			if !ok || failure.Code != exchange.CodeResponseTooLarge {
				t.Errorf("error is %v, want %s", err, exchange.CodeResponseTooLarge.Name)
			}
		})
	}
}
