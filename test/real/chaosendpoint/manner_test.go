package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weirproxy/weir/test/real/ledger"
)

// A stand is an endpoint in this process, and where it keeps what it is told.
type stand struct{ address, book, manner string }

func newStand(t *testing.T) *stand {
	t.Helper()
	s := &stand{book: filepath.Join(t.TempDir(), "book"), manner: filepath.Join(t.TempDir(), "manner")}
	b, err := ledger.Open(s.book, "a")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(&endpoint{name: "a", book: b, manner: s.manner, release: make(chan struct{})})
	t.Cleanup(func() {
		server.Close()
		_ = b.Close()
	})
	s.address = server.Listener.Addr().String()
	return s
}

func (s *stand) behave(t *testing.T, how string) {
	t.Helper()
	if err := os.WriteFile(s.manner, []byte(how), 0o600); err != nil {
		t.Fatal(err)
	}
}

// idWithHash returns an id that is treated well, or badly.
func idWithHash(odd bool) string {
	for i := 0; ; i++ {
		if id := fmt.Sprint("id-", i); (ledger.Hash(id)%2 == 1) == odd {
			return id
		}
	}
}

// ask sends a POST on a connection of its own and then nothing more, and returns
// all that comes back.
func (s *stand) ask(t *testing.T, id string, size int) string {
	t.Helper()
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = fmt.Fprintf(c, "POST /%s?size=%d HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nsent", id, size)
	_ = c.(*net.TCPConn).CloseWrite()
	_ = c.SetReadDeadline(time.Now().Add(30 * time.Second))
	all, err := io.ReadAll(c)
	if err != nil {
		t.Fatalf("the connection of %s: %v", id, err)
	}
	return string(all)
}

func TestEndpoint_AnswersAndKeepsALedger(t *testing.T) {
	s := newStand(t)
	for _, size := range []int{10, 40 << 10} {
		id := fmt.Sprint("size-", size)
		said := s.ask(t, id, size)
		resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(said)), nil)
		if err != nil {
			t.Fatalf("it says %.60q: %v", said, err)
		}
		content, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if err := ledger.Check(id, []byte("sent"), size, resp.Header, content); err != nil {
			t.Errorf("of %d bytes: %v", size, err)
		}
	}
	entries, err := ledger.Read(s.book)
	var events []ledger.Event
	for _, e := range entries {
		events = append(events, e.Event)
	}
	if got := fmt.Sprint(events); err != nil || got != "[begun answering begun answering]" {
		t.Errorf("the ledger has %s, %v", got, err)
	}
}

func TestEndpoint_MisbehavesAsItIsTold(t *testing.T) {
	s := newStand(t)
	bad, well := idWithHash(true), idWithHash(false)
	for how, want := range map[string]struct{ begins, ends string }{
		"noise":  {"SSH-", "\r\n"},
		"torn":   {"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n", "X-"},
		"short":  {"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n", string(ledger.Content(bad, 200))},
		"long":   {"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n", "and a few bytes more\r\n\r\n"},
		"twice":  {"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n", "\r\n\r\nintruder\n"},
		"leaves": {"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n", string(ledger.Content(bad, 200))},
		"snubs":  {"", ""},
	} {
		s.behave(t, how)
		said := s.ask(t, bad, 200)
		if !strings.HasPrefix(said, want.begins) || !strings.HasSuffix(said, want.ends) || want.begins == "" && said != "" {
			t.Errorf("told %q, it says %q; want %q … %q", how, said, want.begins, want.ends)
		}
		if said := s.ask(t, well, 200); !strings.HasSuffix(said, "\r\n\r\n"+string(ledger.Content(well, 200))) {
			t.Errorf("told %q, it treats other requests badly too: %q", how, said)
		}
	}
}

// Behind the second answer, the connection carries on with the next.
func TestEndpoint_GoesOnAfterTwoAnswers(t *testing.T) {
	s := newStand(t)
	s.behave(t, "twice")
	bad := idWithHash(true)
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	in := bufio.NewReader(c)
	for i, want := range []string{bad, "intruder", "next"} {
		if id := want; i != 1 {
			_, _ = fmt.Fprintf(c, "GET /%s?size=100 HTTP/1.1\r\nHost: a\r\n\r\n", id)
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatalf("answer %d: %v", i, err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.Header.Get(ledger.FieldID) != want {
			t.Errorf("answer %d is for %q (%v), want %q", i, resp.Header.Get(ledger.FieldID), err, want)
		}
	}
}

func TestEndpoint_SaysWhenItIsLeft(t *testing.T) {
	s := newStand(t)
	s.behave(t, hold)
	if said := s.ask(t, "held", 10); said != "" {
		t.Errorf("it says %q to who has left", said)
	}
	entries, err := ledger.Read(s.book)
	if err != nil || len(entries) != 2 || entries[0].Event != ledger.Begun || entries[1].Event != ledger.Left {
		t.Errorf("the ledger has %v, %v; want that the client left", entries, err)
	}
}
