package attack

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// A worker that takes requests and never answers costs a client its patience
// (timeouts.response), and then rests.
func TestFlow_SilenceIsPassedBy(t *testing.T) {
	s := besiege(t, nil)
	v := s.infiltrate("Weir-Instance: silent").begin()
	for range 2 { // the second one comes when the first was given up
		v.await()
	}
	v.leave()
	s.awaitLeft(1, "silent", "")
	s.lift()
}

// Windows that are never opened, on a connection that is read, and sockets that are
// never read: nothing piles up, and who waits is told within the times configured.
func TestFlow_WhoTakesNothingIsGivenUp(t *testing.T) {
	s := besiege(t, nil)
	s.heapMost = 32 << 20
	upload := func(size int) <-chan lured {
		c := dialClient(t, s.clients)
		asked := make(chan lured, 1)
		go func() {
			defer c.nc.Close()
			_ = c.send("POST", "/prey/it", fmt.Sprintf("Content-Length: %d", size))
			go func() { _, _ = io.Copy(c.nc, io.LimitReader(zeros{}, int64(size))) }()
			a, err := c.read("POST")
			asked <- lured{a, err}
		}()
		return asked
	}
	expect := func(asked <-chan lured, what string) {
		t.Helper()
		select {
		case a := <-asked:
			if a.status < 500 && !errors.Is(a.err, errNothing) {
				t.Errorf("an upload to %s was answered %d (%v)", what, a.status, a.err)
			}
		case <-time.After(soon):
			t.Fatalf("an upload to %s hangs", what)
		}
	}
	closed := s.infiltrate("Weir-Service: prey", "Weir-Instance: closed").begin(initialWindow, 0)
	asked := upload(1 << 20)
	closed.await()
	expect(asked, "a window of nothing")
	closed.leave()
	s.awaitLeft(1, "closed", "")

	unread := s.infiltrate("Weir-Service: prey", "Weir-Instance: unread")
	unread.settings(initialWindow, 1<<31-1)
	unread.frame(window, 0, 0, number(1<<31-1-65535))
	s.log.await(t, 1, `msg="a worker attached" .*instance=unread`)
	expect(upload(64<<20), "a socket that nobody reads")
	s.awaitLeft(1, "unread", "the peer takes no bytes")
	unread.leave()
	s.lift()
}

type zeros struct{}

// Read implements io.Reader.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestFlow_CapacityOfNothingGetsNothing(t *testing.T) {
	s := besiege(t, nil)
	v := s.infiltrate("Weir-Instance: full").begin(maxStreams, 0)
	s.log.await(t, 1, `msg="a worker attached" .*instance=full`)
	s.traffic.await(t, 100)
	select {
	case r := <-v.requests:
		t.Errorf("a worker that takes no requests got %v", r.fields)
	default:
	}
	v.leave()
	s.awaitLeft(1, "full", "")
	s.lift()
}

// Capacity goes up and down as fast as it can, and what is sent is refused: all of
// it is sent elsewhere.
func TestFlow_CapacityThatFlaps(t *testing.T) {
	s := besiege(t, nil)
	v := s.infiltrate("Weir-Instance: flapping").begin()
	flap := append(frame(settings, 0, 0, settingsOf(maxStreams, 0)), frame(settings, 0, 0, settingsOf(maxStreams, 256))...)
	taken := 0
	for range 900 { // each costs two of the 2,000 that are allowed at once
		v.write(flap)
		for more := true; more; {
			select {
			case r := <-v.requests:
				taken++
				v.frame(reset, 0, r.stream, number(7)) // REFUSED_STREAM
			default:
				more = false
			}
		}
		if taken < 5 {
			time.Sleep(time.Millisecond) // let some come
		}
	}
	t.Logf("%d requests were refused while the capacity flapped", taken)
	v.leave()
	s.awaitLeft(1, "flapping", "")
	s.lift()
}

func TestFlow_MoreContentThanTheWindow(t *testing.T) {
	s := besiege(t, nil)
	v := s.infiltrate("Weir-Service: prey", "Weir-Instance: flood").begin()
	c := dialClient(t, s.clients)
	if err := c.send("GET", "/prey/it"); err != nil { // and read nothing
		t.Fatal(err)
	}
	r := v.await()
	v.head(r.stream, false, ":status", "200")
	piece := string(make([]byte, longest))
	for range 64 << 20 / longest {
		if !v.data(r.stream, false, piece) {
			break
		}
	}
	v.awaitEnd()
	s.awaitLeft(1, "flood", "HTTP/2 error 0x") // FLOW_CONTROL_ERROR, or too many frames for a stream that was given up
	if a, err := c.read("GET"); err != nil || !a.truncated && a.status != 502 {
		t.Errorf("the client reads %d (truncated: %t, %v)", a.status, a.truncated, err)
	}
	_ = c.nc.Close()
	v.leave()
	s.lift()
}

func TestFlow_AnswersBeforeTheRequestIsThere(t *testing.T) {
	s := besiege(t, nil)
	v := s.infiltrate("Weir-Service: prey", "Weir-Instance: early").begin()
	for i := range rounds(50) {
		c := dialClient(t, s.clients)
		if err := c.send("POST", "/prey/it", "Content-Length: 1000000"); err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c.nc, strings.Repeat("x", 1000))
		r := v.await()
		v.head(r.stream, false, ":status", "200", "content-length", "5")
		v.data(r.stream, true, "early")
		a, err := c.read("POST")
		if err != nil || a.status != 200 || a.body != "early" || a.truncated {
			t.Fatalf("early answer %d: the client reads %d %q (truncated: %t, %v)", i, a.status, a.body, a.truncated, err)
		}
		// What was not sent of the request must not be taken for another one.
		_, _ = io.WriteString(c.nc, strings.Repeat("x", 1000)+"GET /aside/v1/smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
		if b, err := c.read("GET"); err == nil {
			t.Fatalf("the rest of a request was answered %d %q", b.status, b.body)
		}
		_ = c.nc.Close()
	}
	v.leave()
	s.awaitLeft(1, "early", "")
	s.lift()
}

// What a server must not send, in the middle of the ordinary traffic.
func TestFlow_WhatIsForbiddenEndsTheConnection(t *testing.T) {
	s := besiege(t, nil)
	promise := func(v *villain, stream uint32) []byte {
		return frame(push, endHeaders, stream, append(number(2), v.encode(":method", "GET", ":path", "/", ":scheme", "http", ":authority", "x")...))
	}
	for name, f := range map[string]func(v *villain, stream uint32) []byte{
		"push":          promise,
		"data-unopened": func(_ *villain, _ uint32) []byte { return frame(data, endStream, 99999, []byte("x")) },
		"head-unopened": func(v *villain, _ uint32) []byte {
			return frame(headers, endHeaders|endStream, 99999, v.encode(":status", "200"))
		},
		"head-even": func(v *villain, _ uint32) []byte {
			return frame(headers, endHeaders|endStream, 2, v.encode(":status", "200"))
		},
		"head-zero": func(v *villain, _ uint32) []byte {
			return frame(headers, endHeaders|endStream, 0, v.encode(":status", "200"))
		},
		"reset-unopened":  func(_ *villain, _ uint32) []byte { return frame(reset, 0, 99999, number(0)) },
		"window-overflow": func(_ *villain, _ uint32) []byte { return frame(window, 0, 0, number(1<<31-1)) },
		"frame-too-long":  func(_ *villain, id uint32) []byte { return frame(data, 0, id, make([]byte, longest+1)) },
		"settings-odd":    func(_ *villain, _ uint32) []byte { return frame(settings, 0, 0, make([]byte, 5)) },
		"enable-push":     func(_ *villain, _ uint32) []byte { return frame(settings, 0, 0, settingsOf(2, 1)) },
		"hpack-index": func(_ *villain, id uint32) []byte {
			return frame(headers, endHeaders, id, []byte{0xff, 0xff, 0xff, 0xff, 0x0f})
		},
		"interrupted": func(_ *villain, id uint32) []byte {
			return append(frame(headers, 0, id, nil), frame(ping, 0, 0, make([]byte, 8))...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := infiltrate(t, s.workers, "Weir-Instance: "+name).begin()
			v.write(f(v, v.await().stream))
			if word := v.awaitEnd(); !strings.HasPrefix(word, "GOAWAY") {
				t.Errorf("the connection ends %s", word)
			}
			s.awaitLeft(1, name, "HTTP/2 error 0x")
			v.leave()
		})
	}
	s.lift()
}

// GOAWAY says which requests were looked at, and can say anything.
func TestFlow_GoAwayThatLies(t *testing.T) {
	s := besiege(t, nil)
	leave := func(last uint32) []byte { return frame(goAway, 0, 0, append(number(last), number(0)...)) }
	n := 0
	for name, lie := range map[string]func(v *villain, stream uint32){
		"none-of-them":     func(v *villain, _ uint32) { v.write(leave(0)) },
		"all-and-leaves":   func(v *villain, _ uint32) { v.write(leave(1<<31 - 1)); v.leave() },
		"more-than-before": func(v *villain, _ uint32) { v.write(append(leave(0), leave(1<<31-1)...)) },
		"even":             func(v *villain, id uint32) { v.write(leave(id + 1)); v.leave() },
		"many":             func(v *villain, id uint32) { v.write([]byte(strings.Repeat(string(leave(id)), 5000))); v.leave() },
		"of-a-stream":      func(v *villain, id uint32) { v.write(frame(goAway, 0, id, make([]byte, 8))) },
		"and-then-answers": func(v *villain, id uint32) { v.write(leave(0)); v.head(id, true, ":status", "200", "x-late", "1") },
	} {
		t.Run(name, func(t *testing.T) {
			v := infiltrate(t, s.workers, "Weir-Instance: liar").begin()
			lie(v, v.await().stream)
			n++
			s.awaitLeft(n, "liar", "")
			v.leave()
		})
	}
	s.lift()
}

// A request that may not be repeated is lost with its worker, and no other is.
func TestFlow_OnlyTheVillainsOwnShareIsLost(t *testing.T) {
	s := besiege(t, nil)
	v := s.infiltrate("Weir-Instance: thief").begin(maxStreams, 1)
	s.log.await(t, 1, `msg="a worker attached" .*instance=thief`)
	c := dialClient(t, s.clients)
	defer c.nc.Close()
	taken, lost := 0, 0
	for range 20 {
		answered := make(chan lured, 1)
		go func() {
			a, err := c.ask("POST", "/ordinary", "Content-Length: 0")
			answered <- lured{a, err}
		}()
		var a lured
		for waiting := true; waiting; {
			select {
			case r := <-v.requests:
				if r.fields[":method"] == "GET" { // of the traffic: may go elsewhere
					v.frame(reset, 0, r.stream, number(7))
					continue
				}
				taken++
				v.frame(reset, 0, r.stream, number(2))
			case a = <-answered:
				waiting = false
			}
		}
		if a.err != nil || a.truncated || a.status != 200 && a.status != 502 {
			t.Fatalf("a POST was answered %d (%v)", a.status, a.err)
		}
		if a.status == 502 {
			lost++
		}
		if a.closing {
			_ = c.nc.Close()
			c = dialClient(t, s.clients)
		}
	}
	if taken == 0 || lost != taken {
		t.Errorf("the thief took %d POSTs, and %d were lost", taken, lost)
	}
	_ = c.nc.Close()
	v.leave()
	s.awaitLeft(1, "thief", "")
	s.lift()
}
