package http2

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// FuzzPeer has a worker send anything behind its SETTINGS. Two requests are under
// way. Whatever it is, they end within their time-outs and so does the connection.
func FuzzPeer(f *testing.F) {
	status := []byte{0x88} // :status 200
	f.Add(appendHeaders(nil, 1, true, status))
	f.Add(appendFrame(appendHeaders(nil, 1, false, status), frameData, flagEndStream, 1, []byte("x")))
	f.Add(appendFrame(appendHeaders(nil, 3, false, status), frameData, flagPadded, 3, []byte("\x01x\x00")))
	f.Add(appendHeaders(appendHeaders(nil, 1, false, status), 1, true, []byte{0, 1, 'a', 1, 'b'}))
	f.Add(appendNumber(appendNumber(nil, frameReset, 1, 7), frameWindow, 3, maxWindow))
	f.Add(appendGoAway(nil, 1, errNone, ""))
	f.Add(appendFrame(nil, frameSettings, 0, 0, appendSetting(appendSetting(nil, settingWindow, 0), settingMaxStreams, 0)))
	f.Add(appendFrame(appendFrame(nil, frameHeaders, 0, 1, nil), frameContinuation, flagEndHeaders, 1, status))
	f.Fuzz(func(t *testing.T, wire []byte) {
		synctest.Test(t, func(t *testing.T) { playPeer(t, wire) })
	})
}

func playPeer(t *testing.T, wire []byte) {
	ours, theirs := net.Pipe()
	go func() { _, _ = io.Copy(io.Discard, theirs) }()
	go func() { _, _ = theirs.Write(appendFrame(nil, frameSettings, 0, 0, nil)) }()
	o := Options{Response: time.Second, Read: time.Second, Write: time.Second}
	c, err := NewConn(ours, o)
	if err != nil {
		t.Fatalf("the connection does not come to be: %v", err)
	}
	at := time.Now()
	one := start(c, newExchange("GET", "/"))
	two := start(c, with(newExchange("POST", "/"), newContent("content"), 7))
	synctest.Wait()
	go func() { _, _ = theirs.Write(wire) }()
	for _, b := range []*begun{one, two} {
		if f := <-b.done; f == nil {
			text, _ := readAll(b.s.Response.Body)
			if len(text) > len(wire) {
				t.Errorf("%d bytes of content come of %d on the wire", len(text), len(wire))
			}
			b.s.Close(b.x)
		}
	}
	if took := time.Since(at); took > 10*time.Second {
		t.Errorf("the requests took %v; the time-outs allow a few seconds", took)
	}
	if n := c.InFlight(); n != 0 {
		t.Errorf("%d requests are under way after both have ended", n)
	}
	c.Close()
	<-c.Closed()
	_ = theirs.Close()
}
