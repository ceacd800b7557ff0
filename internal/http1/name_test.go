package http1

import (
	"strings"
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
)

func TestFieldIDOf(t *testing.T) {
	for names, want := range map[string]exchange.FieldID{
		"Host HOST host":                      exchange.FieldHost,
		"Content-Length content-LENGTH":       exchange.FieldContentLength,
		"Transfer-Encoding TRANSFER-ENCODING": exchange.FieldTransferEncoding,
		"Connection":                          exchange.FieldConnection,
		"Keep-Alive":                          exchange.FieldKeepAlive,
		"Proxy-Connection":                    exchange.FieldProxyConnection,
		"TE te":                               exchange.FieldTE,
		"Trailer":                             exchange.FieldTrailer,
		"Upgrade":                             exchange.FieldUpgrade,
		"Expect":                              exchange.FieldExpect,
		"Date":                                exchange.FieldDate,
		"X-Forwarded-For x-forwarded-FOR":     exchange.FieldXForwardedFor,
		"X-Forwarded-Proto":                   exchange.FieldXForwardedProto,
		"X-Forwarded-Host":                    exchange.FieldXForwardedHost,
		"Forwarded":                           exchange.FieldForwarded,
		"X-Request-Id X-REQUEST-ID":           exchange.FieldXRequestID,
		"traceparent Traceparent":             exchange.FieldTraceparent,
		"User-Agent":                          exchange.FieldUserAgent,
		"Referer":                             exchange.FieldReferer,
		"Content-Type":                        exchange.FieldContentType,
		"Content-Encoding":                    exchange.FieldContentEncoding,
		"X-Forwarded-Port X-Forwarded-Prefix": exchange.FieldForwardedAlias,
		"X-Forwarded-Server X-Forwarded":      exchange.FieldForwardedAlias,
		"X_Forwarded_For X_Forwarded-For":     exchange.FieldForwardedAlias,
		"X-Forwarded_Proto x_FORWARDED_host":  exchange.FieldForwardedAlias,
		"X-Real-IP x-real-ip X_Real_IP X-Real_Ip":                                                   exchange.FieldForwardedAlias,
		"x_request_id X-Request_Id X_Request-ID":                                                    exchange.FieldForwardedAlias,
		"X.Forwarded.For X-Forwarded.Proto":                                                         exchange.FieldForwardedAlias,
		"Hos Hostt Cookie X X- XForwarded-For X1Forwarded-For X-Forwarde X-Real-IPs Content_Length": exchange.FieldOther,
		"Accept T0 H0st Dat\x00 Content\rLength Content-Lengt\u212a":                                exchange.FieldOther,
	} {
		for _, name := range strings.Split(names, " ") {
			if got := FieldIDOf([]byte(name)); got != want {
				t.Errorf("the ID of %q is %d, want %d", name, got, want)
			}
		}
	}
	if FieldIDOf(nil) != exchange.FieldOther {
		t.Error("no name has an ID")
	}
}

// Folding by one bit is exact among token characters.
func TestFoldToken_IsExact(t *testing.T) {
	for c := range 256 {
		if !charToken.has(byte(c)) {
			continue
		}
		for _, lower := range "-abcdefghijklmnopqrstuvwxyz" {
			got := foldToken([]byte{byte(c)}, string(lower))
			if want := exchange.EqualFold([]byte{byte(c)}, string(lower)); got != want {
				t.Errorf("%q folds to %q: %t", rune(c), lower, got)
			}
		}
	}
}

func TestValueEnd_FindsTheFirstControlCharacter(t *testing.T) {
	for c := range 256 {
		bad := c < 0x20 && c != '\t' || c == 0x7f
		for length := range 20 {
			for at := range length {
				text := []byte(strings.Repeat("\xff", length))
				text[at] = byte(c)
				want := length
				if bad {
					want = at
				}
				if got := valueEnd(text, 0); got != want {
					t.Fatalf("of %q the value ends at %d, want %d", text, got, want)
				}
			}
		}
	}
}

func TestValid(t *testing.T) {
	for value, want := range map[string]bool{
		"": true, "a": true, "a b": true, "a\tb": true, "\xff": true,
		" a": false, "a ": false, "a\r\nb": false, "a\x00": false,
	} {
		if ValidValue([]byte(value)) != want {
			t.Errorf("ValidValue(%q) is %t", value, !want)
		}
	}
	for name, want := range map[string]bool{"": false, "a-b": true, "a b": false, "a:": false, "é": false} {
		if ValidName([]byte(name)) != want {
			t.Errorf("ValidName(%q) is %t", name, !want)
		}
	}
}

func TestValidHost(t *testing.T) {
	for _, host := range strings.Fields("a a.example A.EXAMPLE a:80 a:0 a:65535 a_b a-b.c. ~a 127.0.0.1:80 [::1] [::1]:80 [2001:db8::1.2.3.4]") {
		if !ValidHost([]byte(host)) {
			t.Errorf("%q is not valid", host)
		}
	}
	for _, host := range append(strings.Fields("a: a:x a:-1 a:+1 a:65536 a:000080 a:80:80 :80 a/b a@b a?b a#b a\\b a,b a%20b a%62 é "+
		"[] [::1 ::1 [::1]x [::1]: [1.2.3.4] [a] [::1%25eth0] [::1%eth0] [::g] a[ [a]:80 a;b a\"b a'b (a) {a} a\x7f"), "", " a", "a b", "a\x00", "a\tb") {
		if ValidHost([]byte(host)) {
			t.Errorf("%q is valid", host)
		}
	}
}
