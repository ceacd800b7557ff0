package main

import (
	"net"
	"testing"
)

// The second of two requests is refused by GOAWAY, and so is whatever follows it.
func TestRefuser_TakesNoRequest(t *testing.T) {
	near, router := net.Pipe()
	r := &refuser{conn: near, in: near, left: 2}
	ended := make(chan error, 1)
	go func() { ended <- r.serve() }()
	say := func(f frame) {
		t.Helper()
		if _, err := router.Write(f.wire()); err != nil {
			t.Fatal(err)
		}
	}
	hear := func() frame {
		t.Helper()
		f, err := readFrame(router)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	say(frame{kind: headers, stream: 1})
	if f := hear(); f.kind != rstStream || f.stream != 1 || string(f.payload) != "\x00\x00\x00\x07" {
		t.Errorf("the first request is answered by %v, want REFUSED_STREAM", f)
	}
	say(frame{kind: headers, stream: 3})
	if f := hear(); f.kind != goAway || string(f.payload) != "\x00\x00\x00\x02\x00\x00\x00\x00" {
		t.Errorf("the second request is answered by %v, want GOAWAY with a lower stream", f)
	}
	say(frame{kind: headers, stream: 5})
	say(frame{kind: ping, payload: []byte("12345678")})
	if f := hear(); f.kind != ping || f.flags != ack || string(f.payload) != "12345678" {
		t.Errorf("after GOAWAY comes %v, want the answer to a PING", f)
	}
	_ = router.Close()
	if err := <-ended; err == nil {
		t.Error("the end of the connection is not an error")
	}
}
