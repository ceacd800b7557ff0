package http1

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
)

// passed returns the fields that are sent on as they are, as lines.
func passed(header exchange.Header) (lines []string) {
	for _, field := range header {
		if !field.Skip && !special.has(field.ID) {
			lines = append(lines, fmt.Sprintf("%q: %q", field.Name, field.Value))
		}
	}
	return lines
}

// requestText writes all of a request that has to survive the way through the
// proxy.
func requestText(req *exchange.Request, f Framing, fallback string) string {
	authority := string(req.Authority)
	if authority == "" {
		authority = fallback
	}
	return fmt.Sprintf("%q %q %q %q %t\nframing %d %d\nupgrade %q expect %t\n%s", req.MethodName, authority,
		req.Path, req.Query, req.HasQuery, f.Kind, f.Length, req.Upgrade, req.ExpectContinue, strings.Join(passed(req.Header), "\n"))
}

func FuzzParseRequest(f *testing.F) {
	for _, seed := range requestSeeds {
		f.Add([]byte(wire(seed)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		end := HeadEnd(data, 0)
		if end == 0 {
			return
		}
		var req exchange.Request
		framing, err := ParseRequest(data[:end], &usualLimits, &req)
		if err != nil {
			if _, ok := err.(*exchange.Failure); !ok { //nolint:errorlint // the very type is promised
				t.Fatalf("refused with %T", err)
			}
			return
		}
		const fallback = "fallback.example"
		head := RequestHead{FallbackHost: fallback, Framing: framing, Upgrade: true}
		sent := AppendRequestHead(nil, &req, &head)

		if HeadEnd(sent, 0) != len(sent) {
			t.Fatalf("what is sent is not one head: %q", sent)
		}
		var again exchange.Request
		framing2, err := ParseRequest(sent, &Limits{}, &again)
		if err != nil {
			t.Fatalf("what is sent is refused: %v\n%q", err, sent)
		}
		if got, want := requestText(&again, framing2, ""), requestText(&req, framing, fallback); got != want {
			t.Fatalf("sent is\n%s\nwant\n%s\n%q", got, want, sent)
		}
		head.Framing = framing2
		if third := AppendRequestHead(nil, &again, &head); !bytes.Equal(third, sent) {
			t.Fatalf("sent again is %q, want %q", third, sent)
		}
		checkNetHTTPReadsRequest(t, sent, &again, framing2)
	})
}

// checkNetHTTPReadsRequest checks that net/http reads what was sent as it was
// meant.
func checkNetHTTPReadsRequest(t *testing.T, sent []byte, req *exchange.Request, f Framing) {
	got, err := http.ReadRequest(bufio.NewReaderSize(bytes.NewReader(sent), len(sent)+16))
	if err != nil {
		if !knownTrailerDifference(req.Header) {
			t.Fatalf("net/http: %v\n%q", err, sent)
		}
		return
	}
	target := string(req.Path)
	if req.HasQuery {
		target += "?" + string(req.Query)
	}
	if got.Method != string(req.MethodName) || got.RequestURI != target || got.Host != string(req.Authority) {
		t.Fatalf("net/http reads %q %q %q\n%q", got.Method, got.RequestURI, got.Host, sent)
	}
	wantLength := f.contentLengthOf()
	if got.ContentLength != wantLength || (len(got.TransferEncoding) > 0) != (f.Kind == BodyChunked) {
		t.Fatalf("net/http reads length %d and codings %q, want %d\n%q", got.ContentLength, got.TransferEncoding, wantLength, sent)
	}
	checkNetHTTPFields(t, sent, req.Header, got.Header)
}

func checkNetHTTPFields(t *testing.T, sent []byte, header exchange.Header, got http.Header) {
	want := make(http.Header)
	for _, field := range header {
		if !field.Skip && !special.has(field.ID) && field.ID != exchange.FieldTrailer {
			want.Add(string(field.Name), string(field.Value))
		}
	}
	for name, values := range want {
		if !slices.Equal(got[name], values) {
			t.Fatalf("net/http reads %q: %q, want %q\n%q", name, got[name], values, sent)
		}
	}
}

// knownTrailerDifference: net/http refuses chunked messages whose Trailer field
// announces a framing field. Here it is passed on: it frames nothing, and the
// trailer field itself, should it come, is dropped.
func knownTrailerDifference(header exchange.Header) bool {
	for _, field := range header {
		lower := strings.ToLower(string(field.Value))
		if field.ID == exchange.FieldTrailer && (strings.Contains(lower, "content-length") ||
			strings.Contains(lower, "transfer-encoding") || strings.Contains(lower, "trailer")) {
			return true
		}
	}
	return false
}

func responseText(resp *exchange.Response, f Framing) string {
	return fmt.Sprintf("%d %q framing %d %d\n%s", resp.Status, resp.Reason, f.Kind, f.Length, strings.Join(passed(resp.Header), "\n"))
}

func FuzzParseResponse(f *testing.F) {
	for _, seed := range responseSeeds {
		f.Add([]byte(wire(seed)), false)
		f.Add([]byte(wire(seed)), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, isHead bool) {
		end := HeadEnd(data, 0)
		if end == 0 {
			return
		}
		method := exchange.MethodGet
		if isHead {
			method = exchange.MethodHead
		}
		var resp, again exchange.Response
		framing, err := ParseResponse(data[:end], &usualLimits, method, &resp)
		if err != nil {
			return
		}
		framing = framing.ForClient(1)
		head := ResponseHead{Method: method, Minor: 1, Upgrade: true}
		sent := AppendResponseHead(nil, &resp, framing, &head)
		if HeadEnd(sent, 0) != len(sent) {
			t.Fatalf("what is sent is not one head: %q", sent)
		}
		framing2, err := ParseResponse(sent, &Limits{}, method, &again)
		if err != nil {
			t.Fatalf("what is sent is refused: %v\n%q", err, sent)
		}
		if got, want := responseText(&again, framing2), responseText(&resp, framing); got != want {
			t.Fatalf("sent is\n%s\nwant\n%s\n%q", got, want, sent)
		}
		if third := AppendResponseHead(nil, &again, framing2, &head); !bytes.Equal(third, sent) {
			t.Fatalf("sent again is %q, want %q", third, sent)
		}
		checkNetHTTPReadsResponse(t, sent, &again, framing2, isHead)
	})
}

func checkNetHTTPReadsResponse(t *testing.T, sent []byte, resp *exchange.Response, f Framing, isHead bool) {
	method := http.MethodGet
	if isHead {
		method = http.MethodHead
	}
	got, err := http.ReadResponse(bufio.NewReaderSize(bytes.NewReader(sent), len(sent)+16), &http.Request{Method: method})
	if err != nil {
		if !knownTrailerDifference(resp.Header) {
			t.Fatalf("net/http: %v\n%q", err, sent)
		}
		return
	}
	if got.StatusCode != resp.Status || got.ProtoMinor != 1 {
		t.Fatalf("net/http reads %s %d\n%q", got.Proto, got.StatusCode, sent)
	}
	if f.Kind != BodyNone && (got.ContentLength != f.contentLengthOf() || (len(got.TransferEncoding) > 0) != (f.Kind == BodyChunked)) {
		t.Fatalf("net/http reads length %d and codings %q\n%q", got.ContentLength, got.TransferEncoding, sent)
	}
	checkNetHTTPFields(t, sent, resp.Header, got.Header)
}

func FuzzChunked(f *testing.F) {
	for _, seed := range chunkedSeeds {
		f.Add([]byte(wire(seed)), uint8(1))
		f.Add([]byte(wire(seed)), uint8(5))
	}
	f.Fuzz(func(t *testing.T, data []byte, step uint8) {
		content, trailer, rest, err := decodeChunks(string(data), len(data)+1, &usualLimits)
		content2, trailer2, rest2, err2 := decodeChunks(string(data), int(step)+1, &usualLimits)
		if content != content2 || trailer != trailer2 || err != err2 { //nolint:errorlint // the same failure, not one like it
			t.Fatalf("%d bytes at a time it is %q, %q, %v; at once %q, %q, %v", step+1, content2, trailer2, err2, content, trailer, err)
		}
		if err != nil {
			return
		}
		if rest != rest2 {
			t.Fatalf("%d bytes at a time %q is left, at once %q", step+1, rest2, rest)
		}
		checkAgainstNetHTTP(t, append([]byte("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), data...))
		sent := AppendLastChunk(AppendChunk(nil, []byte(content)), nil)
		if again, _, left, err := decodeChunks(string(sent), 7, &usualLimits); again != content || left != "" || err != nil {
			t.Fatalf("sent again it is %q, %q, %v", again, left, err)
		}
	})
}

func FuzzTrailer(f *testing.F) {
	for _, seed := range trailerSeeds {
		f.Add([]byte(wire(seed)), uint8(3))
	}
	f.Fuzz(func(t *testing.T, data []byte, step uint8) {
		src := &dripSource{rest: append([]byte("0\r\n"), data...), step: int(step) + 1}
		var body, again BodyReader
		body.Reset(src, Framing{Kind: BodyChunked}, BodyOptions{Limits: &usualLimits})
		if _, err := readAll(&body); err != nil {
			return
		}
		for _, field := range body.Trailer() {
			if !ValidName(field.Name) || !ValidValue(field.Value) {
				t.Fatalf("the field %q: %q is accepted", field.Name, field.Value)
			}
			if !field.Skip && notInTrailer.has(field.ID) {
				t.Fatalf("the field %q is passed on", field.Name)
			}
		}
		sent := AppendLastChunk(nil, body.Trailer())
		again.Reset(&dripSource{rest: sent, step: 7}, Framing{Kind: BodyChunked}, BodyOptions{Limits: &usualLimits})
		if _, err := readAll(&again); err != nil {
			t.Fatalf("what is sent is refused: %v\n%q", err, sent)
		}
		if got, want := passed(again.Trailer()), passed(body.Trailer()); !slices.Equal(got, want) {
			t.Fatalf("sent is %q, want %q", got, want)
		}
	})
}
