//go:build real

package real

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Check 12: workers in two languages pass on long fields, repeated ones in their
// order, and large content, both ways; and a client's connection is kept.
func TestWorkers_CarryLargeRequestsInTwoLanguages(t *testing.T) {
	for name, attach := range map[string]func(*testing.T, *router){
		"Go":   func(t *testing.T, r *router) { r.attach(t, "a", serve(t, echoFields)) },
		"Node": attachNode,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, client := startRouter(t), newHTTPClient(t)
			attach(t, r)
			r.awaitWorkers(t, 1)
			body := make([]byte, 17<<20)
			_, _ = rand.Read(body)
			fields := []string{"b", "a", "b", strings.Repeat("long", 3000), ""}
			kept := false
			for _, size := range []int{0, 1, len(body)} {
				req, err := http.NewRequest(http.MethodPost, r.url("/echo"), bytes.NewReader(body[:size]))
				if err != nil {
					t.Fatal(err)
				}
				req.Header["X-Echo"] = fields
				req = req.WithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
					GotConn: func(i httptrace.GotConnInfo) { kept = i.Reused },
				}))
				resp, err := client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if err != nil || resp.StatusCode != http.StatusOK || !bytes.Equal(got, body[:size]) {
					t.Errorf("%d bytes come back as %d with %s, %v; want the same", size, len(got), resp.Status, err)
				}
				if got := resp.Header["X-Echo"]; !slices.Equal(got, fields) {
					t.Errorf("%d fields come back as %d: %.300q", len(fields), len(got), got)
				}
				if size > 0 && !kept {
					t.Errorf("a request with %d bytes goes over another connection than the one before", size)
				}
			}
			two := curl(t, "-v", "--stderr", "-", r.url("/1"), r.url("/2"))
			if !strings.Contains(two, "Re-using existing connection") {
				t.Errorf("the connection was not kept:\n%s", two)
			}
		})
	}
}

// echoFields answers with the content of a request, and its fields X-Echo.
func echoFields(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header()["X-Echo"] = r.Header["X-Echo"]
	_, _ = w.Write(body)
}

// attachNode runs the worker in Node.
func attachNode(t *testing.T, r *router) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Fatal("node is missing: install it, 20.12 or newer")
	}
	start(t, "node", "../../examples/worker-node/worker.mjs", "--to", r.door, "--instance", "node").await(t, "attached to", 1)
}

// Workers in two languages serve side by side.
func TestWorkers_OfTwoLanguagesShareAService(t *testing.T) {
	t.Parallel()
	r, client := startRouter(t), newHTTPClient(t)
	r.attach(t, "go", serve(t, tells("hello from go\n")))
	attachNode(t, r)
	r.awaitWorkers(t, 2)
	wantShares(t, tally(client, r.url("/"), 20), 10, "hello from go\n", "hello from node\n")
}

// Interim responses come before the answer, and trailers behind it, both ways.
func TestWorkers_PassEarlyHintsAndTrailers(t *testing.T) {
	t.Parallel()
	h := func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Link"] = []string{"</a.css>", "</b.js>"}
		w.WriteHeader(http.StatusEarlyHints)
		delete(w.Header(), "Link")
		w.Header().Set("Trailer", "X-Sum")
		_, _ = io.Copy(w, r.Body)
		// Else net/http adds Content-Length, and behind that HTTP/1.1 has no trailers.
		_ = http.NewResponseController(w).Flush()
		w.Header().Set("X-Sum", "sum of "+r.Trailer.Get("X-Request-Sum"))
	}
	for name, attach := range map[string]func(*testing.T, *router){
		"weir attach":    func(t *testing.T, r *router) { r.attach(t, "a", serve(t, h)) },
		"a worker in Go": func(t *testing.T, r *router) { r.work(t, h) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, client := startRouter(t), newHTTPClient(t)
			attach(t, r)
			r.awaitWorkers(t, 1)
			var interim []string
			ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
				Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
					interim = append(interim, fmt.Sprint(code, h["Link"]))
					return nil
				},
			})
			// Nothing but chunks has trailers behind it.
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url("/"), io.MultiReader(strings.NewReader("content")))
			if err != nil {
				t.Fatal(err)
			}
			req.Trailer = http.Header{"X-Request-Sum": {"7"}}
			resp, err := client.Do(req)
			if got := whole(resp, err); got != "200 content" {
				t.Fatalf("the answer is %q", got)
			}
			if got := resp.Trailer.Get("X-Sum"); got != "sum of 7" {
				t.Errorf("the trailer is %q, want sum of 7", got)
			}
			if want := []string{"103 [</a.css> </b.js>]"}; !slices.Equal(interim, want) {
				t.Errorf("before the answer come %q, want %q", interim, want)
			}
		})
	}
}

// A WebSocket library at the client sees nothing of what is between it and the server,
// or the worker.
func TestWorkers_CarryWebSockets(t *testing.T) {
	for name, attach := range map[string]func(*testing.T, *router){
		"weir attach":    func(t *testing.T, r *router) { r.attach(t, "a", serve(t, echoMessages)) },
		"a worker in Go": func(t *testing.T, r *router) { r.work(t, echoFrames) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, client := startRouter(t), newHTTPClient(t)
			client.Timeout = 0 // which is that of the whole tunnel
			attach(t, r)
			r.awaitWorkers(t, 1)
			exchangeMessages(t, "ws://"+r.addresses[0]+"/", client)
		})
	}
}

// echoFrames does what echoMessages does, in a worker: no handshake, but an extended
// CONNECT (RFC 8441), and the frames of RFC 6455 §5.2.
func echoFrames(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect || r.Header.Get(":protocol") != "websocket" {
		http.Error(w, "a WebSocket is wanted", http.StatusUpgradeRequired)
		return
	}
	w.Header().Set("Sec-WebSocket-Protocol", "echo")
	w.WriteHeader(http.StatusOK)
	control := http.NewResponseController(w)
	_ = control.Flush()
	const opClose = 8
	for {
		first, data, err := readFrame(r.Body)
		if err != nil {
			return
		}
		ends := first&0xf == opClose
		if string(data) == "close" {
			first, ends = 0x80|opClose, true
			data = append(binary.BigEndian.AppendUint16(nil, 4001), "as you wish"...)
		}
		if _, err := w.Write(appendWebSocketFrame(nil, first, data)); err != nil || control.Flush() != nil || ends {
			return
		}
	}
}

// readFrame reads a frame of a client, and returns its first byte and its content.
func readFrame(from io.Reader) (first byte, data []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return 0, nil, err
	}
	var long [8]byte
	size := uint64(head[1] & 0x7f)
	if n := map[uint64]int{126: 2, 127: 8}[size]; n > 0 {
		if _, err := io.ReadFull(from, long[8-n:]); err != nil {
			return 0, nil, err
		}
		size = binary.BigEndian.Uint64(long[:])
	}
	masked := make([]byte, 4+size)
	if _, err := io.ReadFull(from, masked); err != nil {
		return 0, nil, err
	}
	data = masked[4:]
	for i := range data {
		data[i] ^= masked[i%4]
	}
	return head[0], data, nil
}

// appendWebSocketFrame appends a frame of a server.
func appendWebSocketFrame(to []byte, first byte, data []byte) []byte {
	to = append(to, first)
	switch n := len(data); {
	case n < 126:
		to = append(to, byte(n))
	case n < 1<<16:
		to = binary.BigEndian.AppendUint16(append(to, 126), uint16(n))
	default:
		to = binary.BigEndian.AppendUint64(append(to, 127), uint64(n))
	}
	return append(to, data...)
}
