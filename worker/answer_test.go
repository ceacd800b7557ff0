package worker

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

const okAnswer = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: ptth\r\nALPN: h2\r\n"

func TestAnswer_IsReadToItsLastByteAndNotFurther(t *testing.T) {
	for _, c := range []struct {
		head    string
		routers []string
	}{
		{okAnswer + "\r\n", nil},
		{"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + okAnswer + "\r\n", nil},
		{okAnswer + "Weir-Routers: a:1, https://b ,\r\nweir-routers: c:3\r\n\r\n", []string{"a:1", "https://b", "c:3"}},
		{"HTTP/1.1 101 x\r\nconnection: foo, Upgrade\r\nUPGRADE: PTTH\r\nAlpn: http%2F1.1, h2\r\n\r\n", nil},
	} {
		const rest = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x01\x02"
		for _, slow := range []bool{false, true} {
			source := io.Reader(strings.NewReader(c.head + rest))
			if slow {
				source = iotest.OneByteReader(source)
			}
			r := bufio.NewReaderSize(source, inboundBuffer)
			routers, err := readAnswer(r)
			if err != nil || !slices.Equal(routers, c.routers) {
				t.Errorf("%q was read as %q (%v), not as %q", c.head, routers, err, c.routers)
			}
			if left, _ := io.ReadAll(r); string(left) != rest {
				t.Errorf("behind %q is left %q, not %q", c.head, left, rest)
			}
		}
	}
}

func TestAnswer_ThatIsWrongIsRefused(t *testing.T) {
	replaced := func(old, with string) string { return strings.Replace(okAnswer, old, with, 1) + "\r\n" }
	for text, want := range map[string]string{
		"":                          "closed the connection without an answer",
		"\x15\x03\x01\x00\x02\x02F": "EOF",
		"HTTP/1.1 101 x\r\nConnec":  "EOF",
		"SSH-2.0-x\r\n\r\n":         "not HTTP/1.1",
		"HTTP/1.1 101 x\n\n":        "lines",
		replaced("Upgrade: ptth\r\n", "Upgrade: ptth\n"):                         "lines",
		replaced("Upgrade: ptth", "Upgrade:\r\n ptth"):                           "lines",
		replaced("ALPN: h2", "ALPN: h2\x00"):                                     "lines",
		replaced("Upgrade: ptth", "Upgrade: websocket"):                          "switches to",
		replaced("Upgrade: ptth", "Upgrade: ptth\r\nUpgrade: ptth"):              "switches to",
		replaced("Upgrade: ptth\r\n", ""):                                        "switches to",
		replaced("Connection: upgrade", "Connection: close"):                     "Connection",
		replaced("ALPN: h2", "ALPN: h3"):                                         "ALPN",
		replaced("ALPN: h2", "ALPN: h2\r\nContent-Length: 4"):                    "content",
		okAnswer + "X: " + strings.Repeat("x", maxAnswerHead) + "\r\n\r\n":       "more than 16 KiB",
		strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 9) + okAnswer + "\r\n": "interim",
	} {
		var refusal *Refusal
		_, err := readAnswer(bufio.NewReader(strings.NewReader(text)))
		if err == nil || errors.As(err, &refusal) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80q was read with %v, not with an error about %s", text, err, want)
		}
	}
}

func TestAnswer_ThatSaysNoIsARefusal(t *testing.T) {
	for text, want := range map[string]Refusal{
		"HTTP/1.1 401 Unauthorized\r\nContent-Length: 40\r\n\r\n" + `{"error":"unauthorized","detail":"\u001bno"}`[:40]: {Status: 401},
		"HTTP/1.1 403 Forbidden\r\nContent-Length: 29\r\n\r\n" + `{"error":"e","detail":"no\n"} `:                       {Status: 403, Code: "e", Detail: "no"},
		"HTTP/1.1 409 Conflict\r\n\r\n" + `{"error":"e","detail":"d"}`:                                                  {Status: 409, Code: "e", Detail: "d"},
		"HTTP/1.1 503 x\r\nTransfer-Encoding: chunked\r\nRetry-After: 7\r\n\r\n2\r\n{}\r\n0\r\n\r\n":                    {Status: 503, RetryAfter: 7 * time.Second},
		"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello":                                                      {Status: 404},
		"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nRetry-After: soon\r\n\r\n":                                           {Status: 200},
	} {
		if want.Code == "" {
			want.Detail = "the answer says no more than that; is a Weir with a listener for workers at this address?"
		}
		var got *Refusal
		if _, err := readAnswer(bufio.NewReader(strings.NewReader(text))); !errors.As(err, &got) || *got != want {
			t.Errorf("%q was read as %+v (%v), not as %+v", text, got, err, want)
		}
	}
}

// FuzzAnswer looks for an answer that is taken although it is none, or that takes
// bytes of what follows it.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		okAnswer + "\r\n" + preface, okAnswer + "Weir-Routers: a:1\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n" + okAnswer + "\r\n",
		"HTTP/1.1 401 x\r\nContent-Length: 2\r\n\r\n{}", "HTTP/1.1 503 x\r\nTransfer-Encoding: chunked\r\nRetry-After: 3\r\n\r\n0\r\n\r\n", "\x15\x03",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bufio.NewReaderSize(bytes.NewReader(data), inboundBuffer)
		_, err := readAnswer(r)
		var refusal *Refusal
		if errors.As(err, &refusal) && (refusal.Status < 200 || refusal.RetryAfter < 0 || len(refusal.Detail) > maxDetail+len("…")) {
			t.Fatalf("%q was read as %+v", data, refusal)
		}
		if err != nil {
			return
		}
		rest, _ := io.ReadAll(r)
		head, ok := bytes.CutSuffix(data, rest)
		if !ok || !bytes.HasSuffix(head, []byte("\r\n\r\n")) || len(head) > 8*maxAnswerHead {
			t.Fatalf("%q was taken, and %q left", data, rest)
		}
		last := head[:len(head)-4]
		if i := bytes.LastIndex(last, []byte("\r\n\r\n")); i >= 0 {
			last = last[i+4:]
		}
		if !bytes.HasPrefix(last, []byte("HTTP/1.")) || !bytes.Contains(bytes.ToLower(last), []byte("ptth")) {
			t.Fatalf("%q was taken for a 101", last)
		}
	})
}
