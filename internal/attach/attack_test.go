package attach

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestHandshake_EndsHoweverSlowlyItDrips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := newRoom(t, "127.0.0.1", Options{}, anonymous)
		c := room.dial(t)
		start := time.Now()
		var dripping sync.WaitGroup
		dripping.Go(func() {
			for _, b := range []byte(request("X: " + strings.Repeat("x", 1000))) {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		})
		a := readAnswer(t, c)
		took := time.Since(start)
		_ = c.Close()
		dripping.Wait()
		if a.StatusCode != http.StatusRequestTimeout || a.problem.Error != "request_timeout" {
			t.Errorf("a request that drips was answered %d %s, not 408", a.StatusCode, a.problem.Error)
		}
		if took != 10*time.Second {
			t.Errorf("it was given %v, not 10 s", took)
		}
	})
}

func TestHandshake_EndsForWhoTakesNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := newRoom(t, "127.0.0.1", Options{Handshakes: 1}, anonymous)
		c := room.dial(t)
		_, _ = io.WriteString(c, "BREW / HTTP/1.1\r\nHost: r\r\n\r\n") // and does not read
		synctest.Wait()
		start := time.Now()
		for room.underWay() > 0 {
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("who takes no answer keeps a place for %v", took)
		}
	})
}

func (d *Door) underWay() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.under)
}

func TestHandshake_GivesUpTheOldestForTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const places, clients = 8, 1000
		room := newRoom(t, "127.0.0.1", Options{Handshakes: places}, anonymous)
		var open []net.Conn
		for range clients {
			open = append(open, room.dial(t))
			if n := room.underWay(); n > places {
				t.Fatalf("%d handshakes are under way, and there are %d places", n, places)
			}
		}
		a := ask(t, room.dial(t), request())
		if a.StatusCode != http.StatusSwitchingProtocols {
			t.Errorf("among %d connections that say nothing, a worker got %d", clients, a.StatusCode)
		}
		_ = (<-room.announced).Conn.Close()
		synctest.Wait()
		for i, c := range open {
			_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
			_, err := c.Read(make([]byte, 1))
			if closed := err == io.EOF; closed != (i <= clients-places) {
				t.Fatalf("whether connection %d of %d was given up is %v, with %d places and one worker after them", i, clients, closed, places)
			}
		}
	})
}

func TestHandshake_SaysNothingToWhoSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := newRoom(t, "127.0.0.1", Options{}, anonymous)
		c := room.dial(t)
		text, err := io.ReadAll(c)
		if len(text) > 0 || err != nil {
			t.Errorf("who says nothing was told %q (%v)", text, err)
		}
	})
}

func TestLog_HasNoLinesOfStrangers(t *testing.T) {
	var log strings.Builder
	room := newRoom(t, "127.0.0.1", Options{Log: slog.New(slog.NewTextHandler(&log, nil))}, anonymous)
	for _, text := range []string{
		request("Weir-Instance: a\tlevel=ERROR msg=forged"),
		request("Weir-Labels: a=%0Alevel%3DERROR%20msg%3Dforged"),
		request("Authorization: forged"),
		"GET /forged HTTP/1.1\r\nHost: forged\r\n\r\n",
	} {
		ask(t, room.dial(t), text)
	}
	room.Door.Close()
	if text := log.String(); strings.Contains(text, "forged") || strings.Count(text, "\n") != 4 {
		t.Errorf("four refusals were logged as:\n%s", text)
	}
}

// Over TCP, what was sent and not read must not take the answer away.
func TestRefusal_ArrivesThoughMoreWasSent(t *testing.T) {
	g := newGate(t, Options{}, workers)
	a := ask(t, g.mustDial(t, "", "http/1.1"), request("X: "+strings.Repeat("x", 40<<10)))
	if a.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a head of 40 KiB was answered %d", a.StatusCode)
	}
}

// FuzzHandshake looks for bytes that are taken for a request to attach without
// being one, or that keep the door busy when they are over.
func FuzzHandshake(f *testing.F) {
	for _, seed := range []string{
		request(), request("Weir-Service: a", "Weir-Labels: a=b"), request("Authorization: Bearer x"),
		"\r\n" + request(), "\r\n\r\n", "GET", preface, "\x16\x03\x01", request("Content-Length: 1") + "x",
	} {
		f.Add([]byte(seed))
	}
	d, err := NewDoor(Options{Announce: func(Attached) error { return nil }}, anonymous)
	if err != nil {
		f.Fatal(err)
	}
	remote := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}
	f.Fuzz(func(t *testing.T, data []byte) {
		head, err := readHead(&scripted{data: data})
		if err != nil {
			return
		}
		id, refusal := d.decide(Request{Head: head, Remote: remote}, true)
		if refusal != nil {
			if text := string(refusal.Append(nil, "id")); strings.Count(text, "\r\n\r\n") != 1 {
				t.Fatalf("the refusal of %q has two heads: %q", data, text)
			}
			return
		}
		if !strings.Contains(string(data), " "+Path+" HTTP/1.1\r\n") || !strings.HasSuffix(string(data), "\r\n\r\n") {
			t.Fatalf("%q was let in", data)
		}
		claim := id
		if refusal := checkClaim(&claim); refusal != nil || id.Instance == "" {
			t.Fatalf("%q was let in as %+v: %v", data, id, refusal)
		}
	})
}

// A scripted connection brings data and ends.
type scripted struct {
	net.Conn
	data []byte
}

func (s *scripted) Read(p []byte) (int, error) {
	if len(s.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.data)
	s.data = s.data[n:]
	return n, nil
}
