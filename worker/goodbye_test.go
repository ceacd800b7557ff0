package worker_test

import (
	"encoding/binary"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/weirproxy/weir/worker"
)

var get = []string{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "x"}

// upgraded starts a worker and returns its connection as its router has it. ready
// says that SETTINGS have been exchanged.
func upgraded(t *testing.T, o worker.Options, h http.HandlerFunc) (*running, *frames) {
	t.Helper()
	r := acceptUpgraded(t, switched)
	o.Routers = []string{r.address}
	attached := make(chan struct{}, 16)
	o.OnAttached = func(string) { attached <- struct{}{} }
	w := serve(t, o, h)
	f := r.begin(t)
	<-attached
	return w, f
}

func lastStream(payload []byte) uint32 { return binary.BigEndian.Uint32(payload) }

func TestGoodbye_ServesWhatWasOnTheWay(t *testing.T) {
	w, f := upgraded(t, worker.Options{}, hello)
	w.stop()
	if _, _, payload := f.await(t, frameGoAway); lastStream(payload) != 1<<31-1 {
		t.Errorf("the first GOAWAY ends with stream %d, so that it refuses what is on its way", lastStream(payload))
	}
	_, _, sign := f.await(t, framePing)
	f.request(t, 1, get...) // sent before the router had read GOAWAY
	f.write(t, framePing, flagAck, 0, sign)
	// The answer and the second GOAWAY may come in either order.
	answer, said := f.readToEnd(t)
	if answer != "GET / " || len(said) != 1 || said[0] != 1 {
		t.Errorf("then come the answer %q and GOAWAY up to streams %v, not GET / and 1, which came before the sign", answer, said)
	}
	if err := w.wait(); err != nil {
		t.Errorf("Serve returns %v, not nil", err)
	}
}

// awaitAnswer reads the answer on a stream, and that there is none on another.
func (f *frames) awaitAnswer(t *testing.T, want uint32, text string) {
	t.Helper()
	got := ""
	for {
		kind, flags, stream, payload := f.read(t)
		if stream > 0 && stream != want {
			t.Fatalf("on stream %d comes a frame of kind %d", stream, kind)
		}
		if kind == frameData {
			got += string(payload)
		}
		if kind == frameData && flags&flagEndStream > 0 {
			if got != text {
				t.Errorf("the answer is %q, not %q", got, text)
			}
			return
		}
	}
}

// readToEnd reads the content of stream 1, and the last streams of GOAWAYs, until the
// worker ends the connection.
func (f *frames) readToEnd(t *testing.T) (answer string, said []uint32) {
	t.Helper()
	for {
		if _, err := f.r.Peek(1); err == io.EOF {
			_ = f.Close()
			return answer, said
		}
		switch kind, _, stream, payload := f.read(t); {
		case kind == frameGoAway:
			said = append(said, lastStream(payload))
		case kind == frameData && stream == 1:
			answer += string(payload)
		case stream > 1:
			t.Fatalf("on stream %d comes a frame of kind %d", stream, kind)
		}
	}
}

// awaitEnd reads until the worker ends the connection, which it does in order.
func (f *frames) awaitEnd(t *testing.T) {
	t.Helper()
	if _, err := io.Copy(io.Discard, f.r); err != nil {
		t.Errorf("the worker ends the connection with %v, not in order", err)
	}
	_ = f.Close()
}

func TestGoodbye_GivesBackWhatLateContentTakes(t *testing.T) {
	finish := make(chan struct{})
	w, f := upgraded(t, worker.Options{}, func(rw http.ResponseWriter, r *http.Request) {
		<-finish
		hello(rw, r)
	})
	f.request(t, 1, get...)
	w.stop()
	_, _, sign := f.await(t, framePing)
	f.write(t, framePing, flagAck, 0, sign)
	if _, _, payload := f.await(t, frameGoAway); lastStream(payload) != 1 {
		t.Errorf("the second GOAWAY ends with stream %d, not with 1", lastStream(payload))
	}
	f.write(t, frameHeaders, flagEndHeaders, 3, f.block(get...))
	f.write(t, frameData, 0, 3, make([]byte, 1000)) // nobody answers it
	for {
		if _, stream, payload := f.await(t, frameWindowUpdate); stream == 0 && binary.BigEndian.Uint32(payload) == 1000 {
			break
		}
	}
	close(finish)
	f.awaitAnswer(t, 1, "GET / ")
}

func TestGoodbye_IsSaidToARouterThatGivesNoSign(t *testing.T) {
	w, f := upgraded(t, worker.Options{ShutdownTimeout: 50 * time.Millisecond}, hello)
	f.request(t, 1, get...)
	f.awaitAnswer(t, 1, "GET / ")
	w.stop()
	f.await(t, frameGoAway)
	if _, _, payload := f.await(t, frameGoAway); lastStream(payload) != 1 {
		t.Errorf("the last GOAWAY ends with stream %d, not with 1", lastStream(payload))
	}
	f.awaitEnd(t)
	if err := w.wait(); err != nil {
		t.Errorf("Serve returns %v although nothing was under way", err)
	}
}

// A handler that says Connection: close makes the server of net/http leave.
func TestGoodbye_OfAHandlerBringsAnotherConnection(t *testing.T) {
	r := acceptUpgraded(t, switched)
	serve(t, worker.Options{Routers: []string{r.address}}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		hello(w, r)
	}))
	f := r.begin(t)
	f.request(t, 1, get...)
	f.await(t, frameGoAway)
	r.begin(t) // comes while the first is still there
	f.awaitEnd(t)
}

func TestServe_SurvivesHandlersThatPanic(t *testing.T) {
	for _, value := range []any{"a bug", http.ErrAbortHandler} {
		_, f := upgraded(t, worker.Options{}, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/panic" {
				panic(value)
			}
			hello(w, r)
		})
		f.request(t, 1, ":method", "GET", ":scheme", "http", ":path", "/panic", ":authority", "x")
		if _, stream, _ := f.await(t, frameReset); stream != 1 {
			t.Errorf("stream %d is reset, not 1, whose handler panicked", stream)
		}
		f.request(t, 3, get...)
		f.awaitAnswer(t, 3, "GET / ")
	}
}
