package http1

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
)

// decodeChunks decodes a chunked message that arrives step bytes at a time, and
// returns content, trailer and what is left for the next message.
func decodeChunks(text string, step int, lim *Limits) (content, trailer, rest string, err error) {
	src := &dripSource{rest: []byte(text), step: step}
	var body BodyReader
	body.Reset(src, Framing{Kind: BodyChunked}, BodyOptions{Limits: lim})
	data, err := readAll(&body)
	return string(data), headerText(body.Trailer()), string(src.buf) + string(src.rest), err
}

func TestChunked_Accepts(t *testing.T) {
	for _, test := range []struct{ name, wire, content, trailer string }{
		{"no content", "0\n\n", "", ""},
		{"one chunk", "5\nhello\n0\n\n", "hello", ""},
		{"two chunks", "5\nhello\n1\n!\n0\n\n", "hello!", ""},
		{"digits in both cases", "A\n0123456789\na\n0123456789\n0\n\n", "01234567890123456789", ""},
		{"leading zeros", "0005\nhello\n000\n\n", "hello", ""},
		{"line ends as content", "4\n\n\n\n0\n\n", "\r\n\r\n", ""},
		// RFC 9112 §7.1.1: "A recipient MUST ignore unrecognized chunk extensions."
		{"extensions", "5;a;b=c;d=\"e;f\"\nhello\n0;g\n\n", "hello", ""},
		{"white space in extensions", "5; a = b\t\nhello\n0;\n\n", "hello", ""},
		{"trailer fields", "1\na\n0\nA: b\nc:  d \n\n", "a", "A=b c=d"},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := wire(test.wire)
			for step := 1; step <= len(text)+4; step++ {
				content, trailer, rest, err := decodeChunks(text+"next", step, &usualLimits)
				if err != nil || content != test.content || trailer != test.trailer || rest != "next" {
					t.Fatalf("%d bytes at a time: content %q, trailer %q, rest %q, %v", step, content, trailer, rest, err)
				}
			}
		})
	}
}

func TestChunked_Refuses(t *testing.T) {
	for _, test := range []struct {
		name, wire string
		want       fault
	}{
		{"no size", "\nhello", faultChunkSize},
		{"an extension without a size", ";a\n", faultChunkSize},
		{"a space before the size", " 5\nhello", faultChunkSize},
		{"a sign", "-5\nhello", faultChunkSize},
		{"0x", "0x5\nhello", faultChunkHead},
		{"a digit that is none", "5g\nhello", faultChunkHead},
		{"a comma", "5,5\nhello", faultChunkHead},
		{"NUL after the size", "5\x00\nhello", faultChunkHead},
		{"a space after the size", "5 \nhello", faultChunkHead},
		{"a space before an extension", "5 ;a\nhello", faultChunkHead},
		{"two sizes", "5 5\nhello", faultChunkHead},
		{"a control character in an extension", "5;a\x01\nhello", faultChunkHead},
		{"a size of 16 digits", "0000000000000005\nhello", faultChunkSizeLarge},
		{"an endless size", strings.Repeat("0", 5000), faultChunkSizeLarge},
		// Go's CVE-2025-22871, and its kin
		{"a bare LF after the size", `5\n` + "hello", faultBareLF},
		{"a bare LF in an extension", `5;a\n` + "hello", faultBareLF},
		{"a bare LF in a quoted extension", `5;a="\n"` + "\nhello", faultBareLF},
		{"a bare CR after the size", `5\r` + "hello", faultBareCR},
		{"a bare CR in an extension", `5;a\rb` + "\nhello", faultBareCR},
		{"CR CR LF", `5\r` + "\nhello", faultBareCR},
		{"a bare LF after the data", "5\nhello" + `\n0` + "\n\n", faultChunkEnd},
		{"a bare CR after the data", "5\nhello" + `\r0` + "\n\n", faultChunkEnd},
		{"more data than the size", "5\nhello!\n0\n\n", faultChunkEnd},
		{"less data than the size", "5\nhell\n0\n\n", faultChunkEnd},
		{"a bare LF as end", "0\n" + `\n`, faultBareLF},
		{"a bare LF after a trailer field", "0\n" + `A: b\n` + "\n", faultBareLF},
		{"a bare LF at the end of the trailer", "0\nA: b\n" + `\n`, faultBareLF},
		{"a bare CR in a trailer field", "0\n" + `A: b\rc` + "\n\n", faultBareCR},
		{"a folded trailer field", "0\nA: b\n c\n\n", faultFold},
		{"a space before a colon in a trailer", "0\nA : b\n\n", faultNameSpace},
		{"a trailer line without a colon", "0\nGET / HTTP/1.1\n\n", faultNameSpace},
		{"a long extension", "5;" + strings.Repeat("a", maxChunkHead) + "\nhello", faultChunkHeadLong},
		{"an endless extension", "5;" + strings.Repeat("a", 1<<20), faultChunkHeadLong},
		{"small chunks with large extensions", strings.Repeat("1;"+strings.Repeat("a", 1000)+"\na\n", 20), faultChunkOverhead},
		{"many small chunks with extensions", strings.Repeat("1;"+strings.Repeat("a", 100)+"\na\n", 500), faultChunkOverhead},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := wire(test.wire)
			for _, step := range []int{1, 2, 3, 7, 64, len(text)} {
				_, _, _, err := decodeChunks(text, step, &usualLimits)
				wantFault(t, err, requestBodyFailures, test.want)
			}
		})
	}
}

// Servers that reserve a fixed width for the size pad it with spaces.
func TestChunked_AcceptsPaddedSizesInResponses(t *testing.T) {
	for text, want := range map[string]fault{
		"5   \nhello\n0 \t\n\n": faultNone,
		"5 ;a\nhello\n0\n\n":    faultNone,
		"5 5\nhello\n0\n\n":     faultChunkHead,
		`5 \n` + "hello\n0\n\n": faultBareLF,
	} {
		var body BodyReader
		body.Reset(&wholeSource{buf: []byte(wire(text))}, Framing{Kind: BodyChunked}, BodyOptions{Response: true})
		content, err := readAll(&body)
		if want != faultNone {
			wantFault(t, err, responseBodyFailures, want)
		} else if err != nil || string(content) != "hello" {
			t.Errorf("%q is read as %q, %v", text, content, err)
		}
	}
}

// One size cannot overflow, and nobody lives to send a sum that does.
func TestChunked_CountsTheSumOfSizes(t *testing.T) {
	body := BodyReader{kind: BodyChunked, remaining: 1 << 59}
	for range 15 {
		if f := body.startChunk(); f != faultNone {
			t.Fatal(faultDetails[f])
		}
	}
	if f := body.startChunk(); f != faultContentTooLarge {
		t.Error("a sum past 2^63 is accepted")
	}
}

// Framing that honest senders use is never too much: a byte a chunk, a signature
// of a hundred bytes for each 64 KiB (AWS's aws-chunked).
func TestChunked_AllowsFairOverhead(t *testing.T) {
	for name, text := range map[string]string{
		"a byte a chunk":           strings.Repeat("1\r\na\r\n", 100_000),
		"four zeros a byte":        strings.Repeat("00001\r\na\r\n", 50_000),
		"a signature for each KiB": strings.Repeat("400;chunk-signature="+strings.Repeat("f", 64)+"\r\n"+strings.Repeat("a", 1024)+"\r\n", 1000),
	} {
		if _, _, _, err := decodeChunks(text+"0\r\n\r\n", 64<<10, &usualLimits); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTrailer_Limits(t *testing.T) {
	lim := Limits{HeaderBytes: 20, HeaderCount: 2}
	for _, test := range []struct {
		name, wire string
		want       fault
	}{
		{"exactly as large as allowed", "0\nA: 345678901234\n\n", faultNone},
		{"a byte too large", "0\nA: 3456789012345678\n\n", faultTooLarge},
		{"endless", "0\n" + strings.Repeat("a", 100), faultTooLarge},
		{"a field too many", "0\nA:b\nC:d\nE:f\n\n", faultTooManyFields},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := wire(test.wire)
			for _, step := range []int{1, 5, len(text)} {
				_, _, _, err := decodeChunks(text, step, &lim)
				if test.want == faultNone && err == nil {
					continue
				}
				wantFault(t, err, requestBodyFailures, test.want)
			}
		})
	}
}

// RFC 9110 §6.5.1: framing, routing, authentication, request modifiers, response
// control and content format do not belong into a trailer section; nor does what
// the proxy says about the client.
func TestTrailer_MarksForbiddenFields(t *testing.T) {
	for names, allowed := range map[string]bool{
		"Grpc-Status Grpc-Message Server-Timing ETag Digest X-Checksum Authentication-Info": true,
		"Content-Length Transfer-Encoding Trailer Host TE Connection Keep-Alive Upgrade":    false,
		"Proxy-Connection Expect Content-Type Content-Encoding Content-Range Date Range":    false,
		"X-Forwarded-For x_forwarded_for X-Forwarded-Port X-Forwarded-Host Forwarded":       false,
		"X-Forwarded-Proto X-Real-IP X_Real_IP X-Request-Id X_Request_Id traceparent":       false,
		"Authorization Proxy-Authorization WWW-Authenticate Proxy-Authenticate":             false,
		"Cookie Set-Cookie SET-COOKIE Cache-Control Pragma Age Expires Location Vary":       false,
		"Max-Forwards Retry-After Warning If-Match If-None-Match if-range":                  false,
	} {
		for _, name := range strings.Fields(names) {
			text := fmt.Sprintf("0\r\n%s: x\r\n\r\n", name)
			want := name + "=x"
			if !allowed {
				want = "(" + want + ")"
			}
			if _, trailer, _, err := decodeChunks(text, 3, &usualLimits); err != nil || trailer != want {
				t.Errorf("the trailer is %q, want %q (%v)", trailer, want, err)
			}
		}
	}
}

// The fields outlive the buffer that they arrived in.
func TestTrailer_IsACopy(t *testing.T) {
	buf := []byte("0\r\nA: b\r\n\r\n")
	src := &wholeSource{buf: buf}
	var body BodyReader
	body.Reset(src, Framing{Kind: BodyChunked}, BodyOptions{})
	if body.Trailer() != nil {
		t.Error("there is a trailer before the end")
	}
	if _, err := readAll(&body); err != nil {
		t.Fatal(err)
	}
	for i := range buf {
		buf[i] = 0xdb
	}
	if got := headerText(body.Trailer()); got != "A=b" {
		t.Errorf("the trailer is %q", got)
	}
	body.Reset(&wholeSource{buf: []byte("0\r\n\r\n")}, Framing{Kind: BodyChunked}, BodyOptions{})
	if _, err := readAll(&body); err != nil || len(body.Trailer()) != 0 {
		t.Errorf("the next message has the trailer %q, %v", headerText(body.Trailer()), err)
	}
}

// Memory that a large trailer section took is not kept for ever.
func TestTrailer_GivesMuchMemoryBack(t *testing.T) {
	var body BodyReader
	for _, size := range []int{10, 10_000} {
		text := "0\r\nA: " + strings.Repeat("b", size) + "\r\n\r\n"
		body.Reset(&wholeSource{buf: []byte(text)}, Framing{Kind: BodyChunked}, BodyOptions{Limits: &usualLimits})
		if _, err := readAll(&body); err != nil {
			t.Fatal(err)
		}
	}
	body.Reset(&wholeSource{}, Framing{}, BodyOptions{})
	if n := cap(body.trailer.section); n > 4<<10 {
		t.Errorf("%d bytes are kept", n)
	}
}

func TestSkipNamed(t *testing.T) {
	header := exchange.Header(fieldsOf("A", "1", "x-user", "2", "B", "3"))
	SkipNamed(header, fieldsOf("X-User", "", "C", ""))
	if got := skipped(header); got != "x-user" {
		t.Errorf("skips %q", got)
	}
}
