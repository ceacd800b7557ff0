//go:build real

package real

import (
	"bytes"
	"compress/gzip"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// curl runs curl to a good end and returns what it wrote: the body, or with -i
// the head too.
func curl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("curl", append([]string{"-sS", "--max-time", "15"}, args...)...).Output()
	if err != nil {
		stderr := ""
		if e, ok := err.(*exec.ExitError); ok { //nolint:errorlint // as Output documents it
			stderr = string(e.Stderr)
		}
		t.Fatalf("curl %s: %v\n%s", strings.Join(args, " "), err, stderr)
	}
	return string(out)
}

// wantCurl holds that the output of curl has all of some lines.
func wantCurl(t *testing.T, args []string, lines ...string) {
	t.Helper()
	out := curl(t, args...)
	for _, want := range lines {
		if !strings.Contains("\n"+strings.ReplaceAll(out, "\r\n", "\n"), "\n"+want) {
			t.Errorf("curl %s: no line %q in\n%.500s", strings.Join(args, " "), want, out)
		}
	}
}

func TestCurl_Versions(t *testing.T) {
	w := startPlain(t, serve(t, hello))
	wantCurl(t, []string{"-i", "--http1.1", w.url("/a?b=c")}, "HTTP/1.1 200 OK", "GET /a?b=c")
	// One that asks for HTTP/1.0 is told that its connection ends.
	wantCurl(t, []string{"-i", "--http1.0", w.url("/a")}, "HTTP/1.1 200 OK", "Connection: close", "GET /a")
	wantCurl(t, []string{"-I", w.url("/a")}, "HTTP/1.1 200 OK", "Content-Length: 8")
	wantCurl(t, []string{"-X", "OPTIONS", "--request-target", "*", w.url("/")}, "OPTIONS *")
	two := curl(t, "-v", "--stderr", "-", w.url("/1"), w.url("/2"))
	if !strings.Contains(two, "Re-using existing connection") {
		t.Errorf("the connection was not kept:\n%s", two)
	}
}

func TestCurl_Uploads(t *testing.T) {
	w := startPlain(t, serve(t, echo))
	dir := t.TempDir()
	body := bytes.Repeat([]byte("0123456789abcde\n"), 1<<16)
	path := filepath.Join(dir, "body")
	writeFile(t, path, string(body))
	for name, args := range map[string][]string{
		"with Expect":    {"--http1.1", "-H", "Expect: 100-continue", "--expect100-timeout", "10", "--data-binary", "@" + path},
		"without Expect": {"--http1.1", "-H", "Expect:", "--data-binary", "@" + path},
		"in chunks":      {"-H", "Transfer-Encoding: chunked", "-T", path},
		"by PUT":         {"-T", path},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			if got := curl(t, append(args, w.url("/"))...); got != string(body) {
				t.Errorf("%d bytes came back instead of %d", len(got), len(body))
			}
			if took := time.Since(began); took > 8*time.Second {
				t.Errorf("it took %v: 100 Continue did not come", took)
			}
		})
	}
}

// What an endpoint has compressed, or cut out, passes byte for byte.
func TestCurl_CompressionAndRanges(t *testing.T) {
	text := strings.Repeat("all work and no play\n", 5000)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	endpoint := serve(t, func(w http.ResponseWriter, r *http.Request) {
		content := []byte(text)
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			w.Header().Set("Content-Encoding", "gzip")
			content = packed.Bytes()
		}
		http.ServeContent(w, r, "text.txt", time.Unix(1e9, 0), bytes.NewReader(content))
	})
	w := startPlain(t, endpoint)
	if got := curl(t, "-H", "Accept-Encoding: gzip", w.url("/")); got != packed.String() {
		t.Errorf("%d compressed bytes came instead of %d", len(got), packed.Len())
	}
	if got := curl(t, "--compressed", w.url("/")); got != text {
		t.Error("what was compressed is another text")
	}
	wantCurl(t, []string{"-i", "-r", "3-9", w.url("/")}, "HTTP/1.1 206 Partial Content", "Content-Range: bytes 3-9/105000", text[3:10])
	wantCurl(t, []string{"-i", "-r", "200000-", w.url("/")}, "HTTP/1.1 416 ")
	wantCurl(t, []string{"-i", "-H", "If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT", w.url("/")}, "HTTP/1.1 304 Not Modified")
}

// Every kind of address, on both sides.
func TestCurl_Addresses(t *testing.T) {
	six, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, six, hello)
	dir, err := os.MkdirTemp("", "weir") // short: a socket's path is
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	endpoint, listener := filepath.Join(dir, "endpoint"), filepath.Join(dir, "weir")
	unix, err := net.Listen("unix", endpoint)
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, unix, hello)
	w := startWeir(t, `
listeners: [{ address: "[::1]:0" }, { address: "unix:`+listener+`" }]
routes:
  - { match: { path: /six }, service: six }
  - { match: { path: /unix }, service: unix }
services:
  six: { endpoints: ["http://`+six.Addr().String()+`"] }
  unix: { endpoints: ["unix:`+endpoint+`"] }`)
	for _, path := range []string{"/six", "/unix"} {
		wantCurl(t, []string{w.url(path)}, "GET "+path)
		wantCurl(t, []string{"--unix-socket", listener, "http://a.example" + path}, "GET "+path)
	}
}
