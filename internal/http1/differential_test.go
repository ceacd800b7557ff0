package http1

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/weirproxy/weir/internal/exchange"
)

// FuzzRequestAgainstNetHTTP holds that net/http accepts every request that is
// accepted here, and sees the same message in it: method, target, host, content,
// and where the next request begins.
//
// The other way round there are differences, all of them intended: what is
// refused here and accepted by http.ReadRequest is
//   - lines that end with a bare LF, and bare CRs in chunk extensions;
//   - folded field lines, and a control character in a value;
//   - Content-Length repeated with one value, or with Transfer-Encoding, which
//     there wins; Transfer-Encoding in HTTP/1.0, which there is ignored;
//   - Host missing, repeated, or with punctuation that no host name has;
//   - targets with a fragment, user information or bytes that are not ASCII,
//     those of schemes other than http and https, and * of other methods;
//   - HTTP versions other than 1.0 and 1.1, and the HTTP/2 preface;
//   - CONNECT;
//   - chunk sizes of 16 digits, and white space after a size.
//
// One thing is accepted here and refused there: see knownTrailerDifference.
func FuzzRequestAgainstNetHTTP(f *testing.F) {
	for _, seed := range requestSeeds {
		f.Add([]byte(wire(seed) + "GET /next HTTP/1.1\r\nHost: a\r\n\r\n"))
	}
	const head = "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n"
	for _, seed := range chunkedSeeds {
		f.Add([]byte(wire(head+seed) + "GET /next HTTP/1.1\r\nHost: a\r\n\r\n"))
	}
	for _, seed := range trailerSeeds {
		f.Add([]byte(wire(head + "0\n" + seed)))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkAgainstNetHTTP(t, data) })
}

// message is what a reader makes of the first request in some bytes.
type message struct {
	method, target, host string
	content              string
	// end is where the next message begins.
	end int
}

func checkAgainstNetHTTP(t *testing.T, data []byte) {
	var req exchange.Request
	ours, ok := readHere(data, &req)
	if !ok {
		return
	}
	theirs, err := readThere(data)
	if err != nil {
		if !knownTrailerDifference(req.Header) {
			t.Fatalf("net/http refuses what was accepted: %v\n%q", err, data)
		}
		return
	}
	if ours != theirs {
		t.Fatalf("read here as\n%+v, by net/http as\n%+v\n%q", ours, theirs, data)
	}
}

func readHere(data []byte, req *exchange.Request) (m message, ok bool) {
	end := HeadEnd(data, 0)
	if end == 0 || CheckStart(data) != nil {
		return m, false
	}
	framing, err := ParseRequest(data[:end], &usualLimits, req)
	if err != nil {
		return m, false
	}
	src := &dripSource{rest: bytes.Clone(data[end:]), step: len(data) + 1}
	var body BodyReader
	body.Reset(src, framing, BodyOptions{Limits: &usualLimits})
	content, err := readAll(&body)
	if err != nil {
		return m, false
	}
	// net/http gives the target back as it was received.
	start := len(req.MethodName) + 1
	target := data[start : start+bytes.IndexByte(data[start:], ' ')]
	left := len(src.buf) + len(src.rest)
	return message{string(req.MethodName), string(target), string(req.Authority), string(content), len(data) - left}, true
}

func readThere(data []byte) (m message, err error) {
	all := bytes.NewReader(data)
	// Room for a whole trailer section, which net/http wants to see at once.
	r := bufio.NewReaderSize(all, len(data)+16)
	req, err := http.ReadRequest(r)
	if err != nil {
		return m, err
	}
	content, err := io.ReadAll(req.Body)
	if err != nil {
		return m, err
	}
	return message{req.Method, req.RequestURI, req.Host, string(content), len(data) - all.Len() - r.Buffered()}, nil
}
