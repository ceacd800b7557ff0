package demo

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A transcript keeps what the narrator tells.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func TestLife_SaysNothingToStrangersAndFollowsTheRouter(t *testing.T) {
	stranger, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	heard := make(chan string, 100)
	go func() {
		for {
			nc, err := stranger.Accept()
			if err != nil {
				return
			}
			_ = nc.SetReadDeadline(time.Now().Add(5 * time.Second)) // one who stays has said it all by then
			text, _ := io.ReadAll(nc)
			_ = nc.Close()
			heard <- string(text)
		}
	}()
	told := new(transcript)
	n := newNarrator(Options{Out: told})
	c := newCast(hasty, n)
	a := c.early[0]
	c.doorstep.expect(stranger.Addr().String())
	a.enter()
	if text := <-heard; text != "" {
		a.die()
		t.Fatalf("a stranger on the router's port hears %q, want nothing", text)
	}
	<-a.early
	s, err := findStage("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r, err := openRouter(s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- r.serve() }()
	c.doorstep.open(r.attach)
	traffic := newTraffic(r.url, newTally(), n)
	if name, err := traffic.get("1"); name != a.name || err != nil { // it waits for a worker
		t.Errorf("the router's answer is by %q (%v), want %s", name, err, a.name)
	}
	traffic.client.CloseIdleConnections()
	if err := a.leave(); err != nil {
		t.Error(err)
	}
	if err := r.close(); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	if text := told.String(); strings.Count(text, "the router is not there yet") != 1 {
		t.Errorf("it told\n%s\nwant once that the router is not there yet", text)
	}
}

const goAway = 7

// lastWords attaches a worker to a router made by hand, ends it by end, and returns
// the types of the frames (RFC 9113 §6) that the router was sent.
func lastWords(t *testing.T, end func(*actor)) (types []byte) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := newCast(hasty, newNarrator(Options{Out: io.Discard}))
	c.doorstep.open(l.Addr().String())
	c.mortal.join()
	ended := make(chan struct{})
	defer func() { <-ended }()
	go func() {
		defer close(ended)
		defer l.Close()
		end(c.mortal)
	}()
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	r := bufio.NewReader(nc)
	if _, err := http.ReadRequest(r); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(nc, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: ptth\r\nALPN: h2\r\n\r\n"+
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+"\x00\x00\x00\x04\x00\x00\x00\x00\x00")
	for {
		head := make([]byte, 9)
		if _, err := io.ReadFull(r, head); err != nil {
			return types
		}
		types = append(types, head[3])
		if head[3] == goAway {
			return types // it hears nothing more, and is over
		}
		if _, err := r.Discard(int(head[0])<<16 | int(head[1])<<8 | int(head[2])); err != nil {
			return types
		}
	}
}

func TestLife_SaysGoodbyeOnlyWhenItLeaves(t *testing.T) {
	whenAttached := func(a *actor) {
		for _, ok := a.first(); !ok; _, ok = a.first() {
			time.Sleep(time.Millisecond)
		}
	}
	died := lastWords(t, func(a *actor) {
		whenAttached(a)
		a.die()
	})
	if len(died) == 0 || slices.Contains(died, goAway) {
		t.Errorf("one who is killed has sent frames of types %v, want some, and no GOAWAY", died)
	}
	left := lastWords(t, func(a *actor) {
		whenAttached(a)
		if err := a.leave(); err != nil {
			t.Error(err)
		}
	})
	if !slices.Contains(left, goAway) {
		t.Errorf("one who leaves has sent frames of types %v, want a GOAWAY", left)
	}
}
