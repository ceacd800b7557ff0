// Package workernode_test runs worker.mjs against the real router's side.
package workernode_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirproxy/weir/internal/attach"
)

func TestWorker_SaysWhoItIs(t *testing.T) {
	_, l := attached(t, "--service", "shop", "--version", "v2", "--instance", "one", "--concurrency", "7")
	if l.id.Service != "shop" || l.id.Version != "v2" || l.id.Instance != "one" {
		t.Errorf("the worker attached as %+v, want shop v2 one", l.id)
	}
	if n := l.Capacity(); n != 7 {
		t.Errorf("the worker takes %d requests at a time, want 7", n)
	}
	c := send(t, l, "GET", "/")
	if text := c.rest(); c.s.Response.Status != 200 || text != "hello from one\n" {
		t.Errorf("the answer is %d %q, want hello from one", c.s.Response.Status, text)
	}
}

func TestWorker_AnswersFiftyAtOnceInAnyOrder(t *testing.T) {
	_, l := attached(t)
	calls := make([]*call, 50)
	for i := range calls {
		calls[i] = send(t, l, "POST", "/echo")
	}
	if n := l.InFlight(); n != len(calls) {
		t.Fatalf("%d requests are under way, want all %d", n, len(calls))
	}
	for _, i := range rand.Perm(len(calls)) {
		want := fmt.Sprintf("content of request %d", i)
		calls[i].body.pieces <- want
		close(calls[i].body.pieces)
		if text := calls[i].rest(); text != want {
			t.Errorf("request %d is answered with %q", i, text)
		}
	}
}

func TestWorker_SendsBackContentBeforeTheRestHasCome(t *testing.T) {
	_, l := attached(t)
	c := send(t, l, "POST", "/echo")
	for _, piece := range []string{"first ", "second ", "third"} {
		c.body.pieces <- piece
		c.reads(piece)
	}
	close(c.body.pieces)
	if text := c.rest(); text != "first second third" {
		t.Errorf("in all, %q came back", text)
	}
}

func TestWorker_StreamsWhatItMakes(t *testing.T) {
	_, l := attached(t)
	if text := send(t, l, "GET", "/stream?count=5&every=20").rest(); text != "1\n2\n3\n4\n5\n" {
		t.Errorf("the stream has %q", text)
	}
}

func TestWorker_StopsWhenTheClientLeaves(t *testing.T) {
	w, l := attached(t)
	c := send(t, l, "GET", "/stream?count=1000000000&every=20")
	c.reads("1\n") // the last one is months away
	c.close()
	w.says(t, "the client left")
	if text := send(t, l, "GET", "/").rest(); !strings.HasPrefix(text, "hello") {
		t.Errorf("afterwards the worker answers %q", text)
	}
}

// random is that many bytes that nobody can have made up on the way.
func random(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return string(b)
}

func TestWorker_KeepsEveryByteOfAMebibyte(t *testing.T) {
	_, l := attached(t)
	c := send(t, l, "POST", "/echo")
	want := random(1 << 20)
	for piece := range slices.Chunk([]byte(want), 10000) {
		c.body.pieces <- string(piece)
	}
	close(c.body.pieces)
	if text := c.rest(); text != want {
		t.Errorf("%d bytes came back, and are not the %d that were sent", len(text), len(want))
	}
}

func TestWorker_KeepsFieldsOfOneNameApart(t *testing.T) {
	_, l := attached(t)
	c := send(t, l, "POST", "/echo", "X-Echo", "one", "X-Echo", "two, three", "X-Other", "four", "X-Echo", "one")
	close(c.body.pieces)
	c.rest()
	if got := c.values("x-echo"); !slices.Equal(got, []string{"one", "two, three", "one"}) {
		t.Errorf("x-echo came back as %q", got)
	}
}

func TestWorker_AnswersWhateverTheTarget(t *testing.T) {
	_, l := attached(t)
	for _, ask := range []struct {
		method, target string
		status         int
	}{
		{"OPTIONS", "*", 200},
		{"GET", "//x:y:z/", 200},
		{"GET", "/%zz", 200},
		{"GET", "/stream?count=none", 200},
		{"HEAD", "/stream", 200},
		{"POST", "/.well-known/%77eir/drain", 200}, // a client's: only as it stands is it the router's own
		{"GET", "/.well-known/weir/drain", 404},
		{"POST", "/.well-known/weir/drain?", 404},
		{"POST", "/.well-known/weir/worker", 404},
	} {
		c := send(t, l, ask.method, ask.target)
		if c.body != nil {
			close(c.body.pieces)
		}
		c.rest()
		if c.s.Response.Status != ask.status {
			t.Errorf("%s %s is answered with %d, want %d", ask.method, ask.target, c.s.Response.Status, ask.status)
		}
	}
	if l.Draining() {
		t.Error("the worker left, and nobody asked it to")
	}
}

func TestWorker_FinishesWhatIsUnderWayWhenItIsTerminated(t *testing.T) {
	w, l := attached(t)
	c := send(t, l, "POST", "/echo")
	c.body.pieces <- "before "
	c.reads("before ")
	w.terminate(t)
	receiveEnd(t, l.draining, "GOAWAY")
	late := newCall(t, "GET", "/")
	if f := l.RoundTrip(late.x, &late.s); f == nil || f.Sent {
		t.Errorf("a request after GOAWAY: %v, want a failure before anything was sent", f)
	}
	after := random(256 << 10)
	c.body.pieces <- after
	close(c.body.pieces)
	if text := c.rest(); text != "before "+after {
		t.Errorf("%d bytes were answered, want %d, whole", len(text), len(after)+7)
	}
	w.exits(t)
}

func TestWorker_EndsWhenItIsTerminatedBeforeItIsAttached(t *testing.T) {
	l := listen(t)
	w := run(t, "--to", l.Addr().String())
	accept(t, l) // and says nothing
	w.terminate(t)
	w.exits(t)
}

func TestWorker_SaysWhyItWasRefused(t *testing.T) {
	r := open(t, "127.0.0.1:0", attach.Options{}, attach.Rules{Tokens: []attach.Token{{Secret: "right", Services: []string{"web"}}}})
	w := run(t, "--to", r.address, "--service", "web", "--token", "wrong")
	w.says(t, "refused: 401 unauthorized: the token is not known")
	w = run(t, "--to", r.address, "--service", "shop", "--token", "right")
	w.says(t, "refused: 403 service_forbidden: tokens[0] may not serve shop")
	w = run(t, "--to", r.address, "--service", "web", "--token", "right")
	w.says(t, "attached to "+r.address)
}

func TestWorker_ComesBackWhenTheRouterDoes(t *testing.T) {
	r := open(t, "127.0.0.1:0", attach.Options{}, anonymous)
	w := run(t, "--to", r.address)
	r.link(t)
	r.close()
	w.says(t, "the connection has ended")
	again := open(t, r.address, attach.Options{}, anonymous)
	if text := send(t, again.link(t), "GET", "/").rest(); !strings.HasPrefix(text, "hello") {
		t.Errorf("after the restart the worker answers %q", text)
	}
}

func TestWorker_MovesBeforeItLeaves(t *testing.T) {
	r := open(t, "127.0.0.1:0", attach.Options{}, anonymous)
	run(t, "--to", r.address, "--instance", "one")
	old := r.link(t)
	held := send(t, old, "POST", "/echo")
	asked := send(t, old, "POST", "/.well-known/weir/drain")
	close(asked.body.pieces)
	if asked.rest(); asked.s.Response.Status != http.StatusNoContent {
		t.Errorf("the request to move is answered with %d, want 204", asked.s.Response.Status)
	}
	next := r.link(t)
	if next.id.Instance != "one" {
		t.Errorf("the worker is now %s, want one as before", next.id.Instance)
	}
	receiveEnd(t, old.draining, "GOAWAY on the old connection")
	held.body.pieces <- "still answered"
	close(held.body.pieces)
	if text := held.rest(); text != "still answered" {
		t.Errorf("on the old connection %q was answered", text)
	}
	receiveEnd(t, old.Closed(), "the end of the old connection")
	if text := send(t, next, "GET", "/").rest(); text != "hello from one\n" {
		t.Errorf("on the new connection %q was answered", text)
	}
}

func TestWorker_AttachesToRoutersItIsToldOf(t *testing.T) {
	second := open(t, "127.0.0.1:0", attach.Options{}, anonymous)
	told := func() []string { return []string{second.address} }
	first := open(t, "127.0.0.1:0", attach.Options{Routers: told}, anonymous)
	run(t, "--to", first.address, "--instance", "one")
	for _, r := range []*router{first, second} {
		if text := send(t, r.link(t), "GET", "/").rest(); text != "hello from one\n" {
			t.Errorf("through one of the routers %q was answered", text)
		}
	}
}

func TestWorker_AttachesOverTLSItCanVerify(t *testing.T) {
	secured, ca := certificate(t)
	r := open(t, "127.0.0.1:0", attach.Options{TLS: secured}, attach.Rules{Tokens: []attach.Token{{Secret: "right", Services: []string{"web"}}}})
	w := run(t, "--to", "https://"+r.address, "--service", "web", "--token", "right")
	w.says(t, "self-signed certificate")
	run(t, "--to", "https://"+r.address, "--service", "web", "--token", "right", "--ca", ca, "--instance", "one")
	if text := send(t, r.link(t), "GET", "/").rest(); text != "hello from one\n" {
		t.Errorf("over TLS %q was answered", text)
	}
}

// accept returns a connection of a worker that has sent its request.
func accept(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetReadDeadline(time.Now().Add(patience))
	var head []byte
	for b := make([]byte, 1); !strings.HasSuffix(string(head), "\r\n\r\n"); head = append(head, b...) {
		if _, err := io.ReadFull(c, b); err != nil {
			t.Fatalf("the request ended after %q: %v", head, err)
		}
	}
	_ = c.SetReadDeadline(time.Time{})
	return c
}

const accepted = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: ptth\r\nALPN: h2\r\n\r\n"

// joined writes the 101 and what follows it at once.
type joined struct {
	net.Conn
	before string
}

func (j *joined) Write(p []byte) (int, error) {
	n, err := j.Conn.Write(append([]byte(j.before), p...))
	n -= len(j.before)
	j.before = ""
	return max(n, 0), err
}

func TestWorker_TakesWhatComesRightBehindThe101(t *testing.T) {
	l := listen(t)
	run(t, "--to", l.Addr().String(), "--instance", "one")
	c, err := begin(&joined{accept(t, l), accepted})
	if err != nil {
		t.Fatal(err)
	}
	if text := send(t, c, "GET", "/").rest(); text != "hello from one\n" {
		t.Errorf("%q was answered", text)
	}
	c.Close()
	receiveEnd(t, c.Closed(), "the end of the connection")
}

func TestWorker_LooksForARouterThatHasGoneSilent(t *testing.T) {
	l := listen(t)
	run(t, "--to", l.Addr().String(), "--silence", "1")
	silent := accept(t, l)
	if _, err := io.WriteString(silent, accepted+"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+"\x00\x00\x00\x04\x00\x00\x00\x00\x00"); err != nil {
		t.Fatal(err)
	}
	again, err := begin(&joined{accept(t, l), accepted})
	if err != nil {
		t.Fatalf("on the connection that follows: %v", err)
	}
	again.Close()
	receiveEnd(t, again.Closed(), "the end of the connection")
}
