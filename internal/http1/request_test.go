package http1

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
)

// TestParseRequest_Refuses has one rule a row; the failures' text says which.
func TestParseRequest_Refuses(t *testing.T) {
	const host = "Host: a\n"
	for _, test := range []struct {
		name string
		head string
		want fault
	}{
		// RFC 9112 §3: request-line = method SP request-target SP HTTP-version
		{"an empty request line", "\n" + host + "\n", faultRequestLine},
		{"a method that is not a token", "G(T / HTTP/1.1\n" + host + "\n", faultMethod},
		{"a method alone", "GET\n" + host + "\n", faultRequestLine},
		{"a space before the method", " GET / HTTP/1.1\n" + host + "\n", faultRequestLine},
		{"a tab after the method", "GET\t/ HTTP/1.1\n" + host + "\n", faultMethod},
		{"two spaces before the target", "GET  / HTTP/1.1\n" + host + "\n", faultRequestLine},
		{"two spaces after the target", "GET /  HTTP/1.1\n" + host + "\n", faultRequestLine},
		{"a tab after the target", "GET /\tHTTP/1.1\n" + host + "\n", faultTargetControl},
		{"a space after the version", "GET / HTTP/1.1 \n" + host + "\n", faultRequestLine},
		{"a head that is cut off in the method", "GE", faultRequestLine},
		{"a head that is cut off in the target", "GET /a", faultRequestLine},
		{"a head that is cut off in the version", "GET /a HTTP/1.1", faultRequestLine},
		{"a head that is cut off in a name", "GET / HTTP/1.1\nHo", faultIncomplete},
		{"a head that is cut off in a value", "GET / HTTP/1.1\nHost: a", faultIncomplete},
		{"a control character after the version", "GET / HTTP/1.1\x00\n" + host + "\n", faultRequestLine},
		{"no target", "GET \n" + host + "\n", faultRequestLine},
		{"a space in the target", "GET /a b HTTP/1.1\n" + host + "\n", faultRequestLine},
		{"HTTP/0.9", "GET /\n\n", faultNoVersion},
		{"HTTP/0.9 by name", "GET / HTTP/0.9\n" + host + "\n", faultVersion},
		{"HTTP/1.2", "GET / HTTP/1.2\n" + host + "\n", faultVersion},
		{"HTTP/1.10", "GET / HTTP/1.10\n" + host + "\n", faultVersion},
		{"HTTP/01.1", "GET / HTTP/01.1\n" + host + "\n", faultVersion},
		{"HTTP/2.0", "GET / HTTP/2.0\n" + host + "\n", faultHTTP2},
		{"an HTTP/2 preface", "PRI * HTTP/2.0\n\n", faultHTTP2},
		{"a version in lower case", "GET / http/1.1\n" + host + "\n", faultVersion},
		{"a TLS handshake", "\x16\x03\x01\n\n", faultTLS},
		// RFC 9112 §2.2: "a recipient of such a bare CR MUST consider that
		// element to be invalid or replace each bare CR with SP"
		{"a bare LF after the method", `GET\n / HTTP/1.1` + "\n" + host + "\n", faultBareLF},
		{"a bare LF after the target", `GET /\n HTTP/1.1` + "\n" + host + "\n", faultBareLF},
		{"a bare LF after the request line", `GET / HTTP/1.1\n` + host + "\n", faultBareLF},
		{"a bare CR after the request line", `GET / HTTP/1.1\r` + host + "\n", faultBareCR},
		{"a bare LF after a field", "GET / HTTP/1.1\n" + `Host: a\nB: c` + "\n\n", faultBareLF},
		{"a bare LF as last line", "GET / HTTP/1.1\n" + host + `\n`, faultBareLF},
		{"only bare LFs", `GET / HTTP/1.1\nHost: a\n\n`, faultBareLF},
		{"a bare CR in a value", "GET / HTTP/1.1\n" + host + `B: c\rd` + "\n\n", faultBareCR},
		{"a bare CR before CR LF", "GET / HTTP/1.1\n" + host + `B: c\r` + "\n\n", faultBareCR},
		{"a bare CR as last line", "GET / HTTP/1.1\n" + host + `\rB: c` + "\n\n", faultBareCR},
		// RFC 9112 §3.2: targets
		{"a relative path", "GET a HTTP/1.1\n" + host + "\n", faultTargetForm},
		{"an authority without CONNECT", "GET a:80 HTTP/1.1\n" + host + "\n", faultTargetForm},
		{"a scheme other than http", "GET ftp://a/ HTTP/1.1\n" + host + "\n", faultTargetForm},
		{"a scheme without a host", "GET http:///b HTTP/1.1\n" + host + "\n", faultHost},
		{"an asterisk with GET", "GET * HTTP/1.1\n" + host + "\n", faultAsterisk},
		{"an asterisk and more", "OPTIONS *a HTTP/1.1\n" + host + "\n", faultTargetForm},
		{"a fragment", "GET /a#b HTTP/1.1\n" + host + "\n", faultFragment},
		{"user information", "GET http://u:p@a/ HTTP/1.1\n" + host + "\n", faultUserinfo},
		{"an absolute target with a bad port", "GET http://a:99999/ HTTP/1.1\n" + host + "\n", faultHost},
		{"an absolute target without Host", "GET http://a/ HTTP/1.1\n\n", faultHostMissing},
		{"an absolute target with a bad Host", "GET http://a/ HTTP/1.1\nHost: b/c\n\n", faultHost},
		{"NUL in the target", "GET /\x00 HTTP/1.1\n" + host + "\n", faultTargetControl},
		{"DEL in the target", "GET /\x7f HTTP/1.1\n" + host + "\n", faultTargetControl},
		{"bytes that are not ASCII in the target", "GET /é HTTP/1.1\n" + host + "\n", faultTargetASCII},
		{"NBSP in the target", "GET /\xa0 HTTP/1.1\n" + host + "\n", faultTargetASCII},
		{"half a percent-encoding", "GET /a%2 HTTP/1.1\n" + host + "\n", faultPercent},
		{"no percent-encoding", "GET /%2f%u002e HTTP/1.1\n" + host + "\n", faultPercent},
		{"CONNECT", "CONNECT a:443 HTTP/1.1\n" + host + "\n", faultConnect},
		{"CONNECT with a path", "CONNECT / HTTP/1.1\n" + host + "\n", faultConnect},
		// RFC 9112 §5: field-line = field-name ":" OWS field-value OWS
		{"a space before a colon", "GET / HTTP/1.1\nHost : a\n\n", faultNameSpace},
		{"a tab before a colon", "GET / HTTP/1.1\n" + host + "B\t: c\n\n", faultNameSpace},
		{"a field without a name", "GET / HTTP/1.1\n" + host + ": c\n\n", faultNameEmpty},
		{"a field without a colon", "GET / HTTP/1.1\n" + host + "B\n\n", faultNoColon},
		{"a name that is not a token", "GET / HTTP/1.1\n" + host + "B(: c\n\n", faultName},
		{"a name that is not ASCII", "GET / HTTP/1.1\n" + host + "Bé: c\n\n", faultName},
		{"a folded line", "GET / HTTP/1.1\n" + host + "B: c\n d\n\n", faultFold},
		{"a line folded by a tab", "GET / HTTP/1.1\n" + host + "B: c\n\td\n\n", faultFold},
		{"white space before the first field", "GET / HTTP/1.1\n Host: a\n\n", faultFold},
		{"NUL in a value", "GET / HTTP/1.1\n" + host + "B: c\x00d\n\n", faultControl},
		{"DEL in a value", "GET / HTTP/1.1\n" + host + "B: 12345678\x7f\n\n", faultControl},
		{"ESC in a value", "GET / HTTP/1.1\n" + host + "B: \x1b\n\n", faultControl},
		{"bytes after the last line", "GET / HTTP/1.1\n" + host + "\nx", faultIncomplete},
		{"no last line", "GET / HTTP/1.1\n" + host, faultIncomplete},
		// RFC 9112 §3.2: Host
		{"no Host", "GET / HTTP/1.1\n\n", faultHostMissing},
		{"an empty Host", "GET / HTTP/1.1\nHost:\n\n", faultHost},
		{"two Hosts", "GET / HTTP/1.1\n" + host + host + "\n", faultHostRepeated},
		{"two Hosts in HTTP/1.0", "GET / HTTP/1.0\n" + host + host + "\n", faultHostRepeated},
		{"a bad Host in HTTP/1.0", "GET / HTTP/1.0\nHost: a/b\n\n", faultHost},
		{"Hosts in one line", "GET / HTTP/1.1\nHost: a, b\n\n", faultHost},
		// RFC 9112 §6.1 and §6.3: framing
		{"Content-Length and Transfer-Encoding", "POST / HTTP/1.1\n" + host + "Content-Length: 3\nTransfer-Encoding: chunked\n\n", faultLengthAndCoding},
		{"Transfer-Encoding and Content-Length", "POST / HTTP/1.1\n" + host + "Transfer-Encoding: chunked\nContent-Length: 3\n\n", faultLengthAndCoding},
		{"Content-Length: 0 and Transfer-Encoding", "POST / HTTP/1.1\n" + host + "Content-Length: 0\nTransfer-Encoding: identity\n\n", faultLengthAndCoding},
		{"lengths that differ", "POST / HTTP/1.1\n" + host + "Content-Length: 3\nContent-Length: 4\n\n", faultLengthRepeated},
		{"equal lengths", "POST / HTTP/1.1\n" + host + "Content-Length: 3\ncontent-length: 3\n\n", faultLengthRepeated},
		{"a list of lengths", "POST / HTTP/1.1\n" + host + "Content-Length: 3, 3\n\n", faultLength},
		{"a length with a plus", "POST / HTTP/1.1\n" + host + "Content-Length: +3\n\n", faultLength},
		{"a negative length", "POST / HTTP/1.1\n" + host + "Content-Length: -3\n\n", faultLength},
		{"a hexadecimal length", "POST / HTTP/1.1\n" + host + "Content-Length: 0x3\n\n", faultLength},
		{"a length with underscores", "POST / HTTP/1.1\n" + host + "Content-Length: 1_0\n\n", faultLength},
		{"an empty length", "POST / HTTP/1.1\n" + host + "Content-Length:\n\n", faultLength},
		{"a length past 2^63", "POST / HTTP/1.1\n" + host + "Content-Length: 9223372036854775808\n\n", faultLength},
		{"a length past 2^64", "POST / HTTP/1.1\n" + host + "Content-Length: 18446744073709551619\n\n", faultLength},
		{"a length of many zeros", "POST / HTTP/1.1\n" + host + "Content-Length: 00000000000000000003\n\n", faultLength},
		{"another coding", "POST / HTTP/1.1\n" + host + "Transfer-Encoding: gzip\n\n", faultCoding},
		{"two codings", "POST / HTTP/1.1\n" + host + "Transfer-Encoding: gzip, chunked\n\n", faultCoding},
		{"chunked not last", "POST / HTTP/1.1\n" + host + "Transfer-Encoding: chunked, identity\n\n", faultCoding},
		{"chunked with a parameter", "POST / HTTP/1.1\n" + host + "Transfer-Encoding: chunked;a=b\n\n", faultCoding},
		{"chunked with a comma", "POST / HTTP/1.1\n" + host + "Transfer-Encoding: ,chunked\n\n", faultCoding},
		{"chunked in quotes", "POST / HTTP/1.1\n" + host + "Transfer-Encoding: \"chunked\"\n\n", faultCoding},
		{"chunked after a vertical tab", "POST / HTTP/1.1\n" + host + "Transfer-Encoding: \x0bchunked\n\n", faultControl},
		{"chunked with a Kelvin sign", "POST / HTTP/1.1\n" + host + "Transfer-Encoding: chun\u212aed\n\n", faultCoding},
		{"an empty coding", "POST / HTTP/1.1\n" + host + "Transfer-Encoding:\n\n", faultCoding},
		{"chunked twice", "POST / HTTP/1.1\n" + host + "Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n\n", faultCodingRepeated},
		{"chunked in HTTP/1.0", "POST / HTTP/1.0\n" + host + "Transfer-Encoding: chunked\n\n", faultCodingMinor},
		// RFC 9110 §10.1.1
		{"another expectation", "POST / HTTP/1.1\n" + host + "Expect: 200-ok\nContent-Length: 3\n\n", faultExpect},
		{"another expectation without content", "GET / HTTP/1.1\n" + host + "Expect: 200-ok\n\n", faultExpect},
		{"a second, other expectation", "POST / HTTP/1.1\n" + host + "Expect: 100-continue\nExpect: x\nContent-Length: 3\n\n", faultExpect},
		{"Connection with many names", "GET / HTTP/1.1\n" + host + "Connection: " + strings.Repeat("x,", maxOptions+1) + "\n\n", faultTooManyOptions},
	} {
		t.Run(test.name, func(t *testing.T) {
			var req exchange.Request
			_, err := ParseRequest([]byte(wire(test.head)), &usualLimits, &req)
			wantFault(t, err, requestFailures, test.want)
		})
	}
}

func TestParseRequest_Accepts(t *testing.T) {
	for _, test := range []struct {
		name string
		head string
		want string // authority path framing, then fields
	}{
		{"origin form", "GET /a/b?c=d HTTP/1.1\nHost: a.example:8080\n\n", "a.example:8080 /a/b?c=d none"},
		{"an empty query", "GET /a? HTTP/1.1\nHost: a\n\n", "a /a? none"},
		{"more question marks", "GET /a?b?c HTTP/1.1\nHost: a\n\n", "a /a?b?c none"},
		{"two slashes", "GET //b/c HTTP/1.1\nHost: a\n\n", "a //b/c none"},
		{"percent signs in a query", "GET /%2F?100% HTTP/1.1\nHost: a\n\n", "a /%2F?100% none"},
		{"an unknown method", "brew /pot HTTP/1.1\nHost: a\n\n", "a /pot none"},
		{"an asterisk with OPTIONS", "OPTIONS * HTTP/1.1\nHost: a\n\n", "a * none"},
		{"no fields in HTTP/1.0", "GET / HTTP/1.0\n\n", " / none, close"},
		{"an empty Host in HTTP/1.0", "GET / HTTP/1.0\nHost:\n\n", " / none, close"},
		{"keep-alive in HTTP/1.0", "GET / HTTP/1.0\nConnection: Keep-Alive\n\n", " / none"},
		{"close and keep-alive in HTTP/1.0", "GET / HTTP/1.0\nConnection: keep-alive, close\n\n", " / none, close"},
		{"close", "GET / HTTP/1.1\nHost: a\nConnection: x, CLOSE\n\n", "a / none, close"},
		{"close in a second line", "GET / HTTP/1.1\nHost: a\nConnection: x\nconnection:,, close ,\n\n", "a / none, close"},
		{"closed is not close", "GET / HTTP/1.1\nHost: a\nConnection: closed\n\n", "a / none"},
		{"Proxy-Connection means nothing", "GET / HTTP/1.1\nHost: a\nProxy-Connection: close\n\n", "a / none"},
		// RFC 9112 §3.2.2: absolute-form, whose authority wins
		{"absolute form", "GET http://b:81/c?d HTTP/1.1\nHost: a\n\n", "b:81 /c?d none"},
		{"absolute form of https in capitals", "GET HTTPS://B/ HTTP/1.1\nHost: a\n\n", "B / none"},
		{"absolute form without a path", "GET http://b HTTP/1.1\nHost: a\n\n", "b / none"},
		{"absolute form with a query alone", "GET http://b?c HTTP/1.1\nHost: a\n\n", "b /?c none"},
		{"absolute form in HTTP/1.0", "GET http://b/ HTTP/1.0\n\n", "b / none, close"},
		{"OPTIONS of a server", "OPTIONS http://b HTTP/1.1\nHost: a\n\n", "b * none"},
		{"OPTIONS of a root", "OPTIONS http://b/ HTTP/1.1\nHost: a\n\n", "b / none"},
		{"an IPv6 address", "GET / HTTP/1.1\nHost: [::1]:80\n\n", "[::1]:80 / none"},
		// framing
		{"a length", "POST / HTTP/1.1\nHost: a\nContent-Length: 3\n\n", "a / 3 bytes"},
		{"a length with zeros", "POST / HTTP/1.1\nHost: a\nContent-Length: 003\n\n", "a / 3 bytes"},
		{"the greatest length", "POST / HTTP/1.1\nHost: a\nContent-Length: 9223372036854775807\n\n", "a / 9223372036854775807 bytes"},
		{"no content", "POST / HTTP/1.1\nHost: a\nContent-Length: 0\n\n", "a / none"},
		{"chunks", "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n", "a / chunked"},
		{"chunks in capitals", "POST / HTTP/1.1\nHost: a\nTRANSFER-ENCODING:\tCHUNKED \n\n", "a / chunked"},
		{"chunks with GET", "GET / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n", "a / chunked"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var req exchange.Request
			framing, err := ParseRequest([]byte(wire(test.head)), &usualLimits, &req)
			if err != nil {
				t.Fatal(err)
			}
			query := ""
			if req.HasQuery {
				query = "?" + string(req.Query)
			}
			got := fmt.Sprintf("%s %s%s %s", req.Authority, req.Path, query, framingText(framing))
			if got != test.want {
				t.Errorf("parsed as %q, want %q", got, test.want)
			}
			if req.Length != framing.contentLengthOf() || req.Body != nil {
				t.Errorf("length is %d and body %v", req.Length, req.Body)
			}
		})
	}
}

func TestParseRequest_KeepsFieldsAsTheyCame(t *testing.T) {
	head := "GET / HTTP/1.1\nhOST: a\nb:c\nB:\t d e \t\nEmpty:\nEmpty2:  \nLatin: \xe9\nc: \"x:y\"\n\n"
	var req exchange.Request
	if _, err := ParseRequest([]byte(wire(head)), &usualLimits, &req); err != nil {
		t.Fatal(err)
	}
	want := "hOST=a b=c B=d e Empty= Empty2= Latin=\xe9 c=\"x:y\""
	if got := headerText(req.Header); got != want {
		t.Errorf("fields are %q, want %q", got, want)
	}
}

func TestParseRequest_MarksHopByHopFields(t *testing.T) {
	for _, test := range []struct{ name, fields, want string }{
		{
			"the known ones, listed or not (RFC 9110 §7.6.1)",
			"Connection: x\nProxy-Connection: y\nKeep-Alive: z\nTE: trailers\nUpgrade: h2c\nTrailer: t\n",
			"Connection Proxy-Connection Keep-Alive TE Upgrade",
		},
		{"those that Connection names", "A: 1\nConnection: a, B\nb: 2\nC: 3\nA: 4\n", "A Connection b A"},
		{"not what frames or routes", "Connection: host, content-length, expect\nContent-Length: 3\nExpect: 100-continue\n", "Connection"},
		{"not by what is no token", "Connection: \"A\", A;b\nA: 1\n", "Connection"},
		{"forwarding fields too, for their sender asked for it", "X-Forwarded-For: 1\nConnection: x-forwarded-for\n", "X-Forwarded-For Connection"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var req exchange.Request
			_, err := ParseRequest([]byte(wire("POST / HTTP/1.1\nHost: a\n"+test.fields+"\n")), &usualLimits, &req)
			if err != nil {
				t.Fatal(err)
			}
			if got := skipped(req.Header); got != test.want {
				t.Errorf("not passed on are %q, want %q", got, test.want)
			}
		})
	}
}

func TestParseRequest_Upgrade(t *testing.T) {
	for _, test := range []struct{ name, line, fields, want string }{
		{"as Connection and Upgrade say", "GET / HTTP/1.1", "Connection: keep-alive, Upgrade\nUpgrade: websocket\n", "websocket"},
		{"with a version", "GET / HTTP/1.1", "Upgrade: a/1.0\nConnection: upgrade\n", "a/1.0"},
		{"with Content-Length: 0", "GET / HTTP/1.1", "Upgrade: a\nConnection: upgrade\nContent-Length: 0\n", "a"},
		{"not without Connection", "GET / HTTP/1.1", "Upgrade: a\n", ""},
		{"not without Upgrade", "GET / HTTP/1.1", "Connection: upgrade\n", ""},
		{"not of several products", "GET / HTTP/1.1", "Connection: upgrade\nUpgrade: a, b\n", ""},
		{"not of several lines", "GET / HTTP/1.1", "Connection: upgrade\nUpgrade: a\nUpgrade: a\n", ""},
		{"not of no product", "GET / HTTP/1.1", "Connection: upgrade\nUpgrade: /1\n", ""},
		{"not of no version", "GET / HTTP/1.1", "Connection: upgrade\nUpgrade: a/\n", ""},
		{"not with content (nghttpx's CVE-2026-58055)", "GET / HTTP/1.1", "Connection: upgrade\nUpgrade: a\nContent-Length: 3\n", ""},
		{"not with chunks", "GET / HTTP/1.1", "Connection: upgrade\nUpgrade: a\nTransfer-Encoding: chunked\n", ""},
		{"not in HTTP/1.0 (RFC 9110 §7.8)", "GET / HTTP/1.0", "Connection: upgrade\nUpgrade: a\n", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var req exchange.Request
			_, err := ParseRequest([]byte(wire(test.line+"\nHost: a\n"+test.fields+"\n")), &usualLimits, &req)
			if err != nil {
				t.Fatal(err)
			}
			if string(req.Upgrade) != test.want {
				t.Errorf("upgrades to %q, want %q", req.Upgrade, test.want)
			}
		})
	}
}

func TestParseRequest_Expect(t *testing.T) {
	for _, test := range []struct {
		name, line, fields string
		want               bool
		skipped            string
	}{
		{"with content", "POST / HTTP/1.1", "Expect: 100-Continue\nContent-Length: 3\n", true, ""},
		{"with chunks", "POST / HTTP/1.1", "Transfer-Encoding: chunked\nExpect: 100-continue\n", true, "Transfer-Encoding"},
		{"once, if repeated", "POST / HTTP/1.1", "Expect: 100-continue\nExpect: 100-continue\nContent-Length: 3\n", true, "Expect"},
		{"not without content", "POST / HTTP/1.1", "Expect: 100-continue\nContent-Length: 0\n", false, "Expect"},
		{"not in HTTP/1.0", "POST / HTTP/1.0", "Expect: 100-continue\nContent-Length: 3\n", false, "Expect"},
		{"nothing else in HTTP/1.0 either", "POST / HTTP/1.0", "Expect: x\nContent-Length: 3\n", false, "Expect"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var req exchange.Request
			_, err := ParseRequest([]byte(wire(test.line+"\nHost: a\n"+test.fields+"\n")), &usualLimits, &req)
			if err != nil {
				t.Fatal(err)
			}
			if req.ExpectContinue != test.want || skipped(req.Header) != test.skipped {
				t.Errorf("expects %t and does not pass on %q, want %t and %q",
					req.ExpectContinue, skipped(req.Header), test.want, test.skipped)
			}
		})
	}
}

func TestParseRequest_Limits(t *testing.T) {
	head := wire("GET /0123456789 HTTP/1.1\nHost: a\nB: c\n\n")
	for _, test := range []struct {
		name string
		lim  Limits
		want fault
	}{
		{"exactly as large as allowed", Limits{HeaderBytes: len(head), HeaderCount: 2}, faultNone},
		{"one byte too large", Limits{HeaderBytes: len(head) - 1, HeaderCount: 2}, faultTooLarge},
		{"one field too many", Limits{HeaderBytes: len(head), HeaderCount: 1}, faultTooManyFields},
		{"the request line alone too large", Limits{HeaderBytes: 25, HeaderCount: 2}, faultLineTooLong},
		{"the request line just fits", Limits{HeaderBytes: 26, HeaderCount: 2}, faultTooLarge},
		{"no limits", Limits{}, faultNone},
	} {
		t.Run(test.name, func(t *testing.T) {
			var req exchange.Request
			_, err := ParseRequest([]byte(head), &test.lim, &req)
			if test.want == faultNone {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantFault(t, err, requestFailures, test.want)
		})
	}
}

func TestParseRequest_ForgetsTheOneBefore(t *testing.T) {
	var req exchange.Request
	first := "POST http://b/x?y HTTP/1.1\nHost: a\nExpect: 100-continue\nContent-Length: 3\n\n"
	if _, err := ParseRequest([]byte(wire(first)), &usualLimits, &req); err != nil {
		t.Fatal(err)
	}
	if _, err := ParseRequest([]byte("GET / HTTP/1.0\r\n\r\n"), &usualLimits, &req); err != nil {
		t.Fatal(err)
	}
	if req.HasQuery || len(req.Query)+len(req.Authority)+len(req.Header) > 0 || req.ExpectContinue || req.Minor != 0 || req.Length != 0 {
		t.Errorf("the second request has something of the first: %+v", req)
	}
}
