package attack

import (
	"strings"
	"testing"
)

func TestFloods_EndTheConnection(t *testing.T) {
	s := besiege(t, nil)
	again := func(b []byte) func(*villain, uint32) {
		many := []byte(strings.Repeat(string(b), 100))
		return func(v *villain, _ uint32) {
			for v.write(many) {
			}
		}
	}
	onStream := func(make func(stream uint32) []byte) func(*villain, uint32) {
		return func(v *villain, stream uint32) { again(make(stream))(v, stream) }
	}
	for name, flood := range map[string]func(v *villain, stream uint32){
		"SETTINGS":        again(frame(settings, 0, 0, nil)),
		"SETTINGS-values": again(frame(settings, 0, 0, []byte{0, 3, 0, 0, 0, 0, 0, 3, 0, 0, 1, 0})),
		"SETTINGS-ACK":    again(frame(settings, ack, 0, nil)),
		"PING":            again(frame(ping, 0, 0, make([]byte, 8))),
		"PING-ACK":        again(frame(ping, ack, 0, make([]byte, 8))),
		"PRIORITY":        again(frame(priority, 0, 1, make([]byte, 5))),
		"unknown-kinds":   again(frame(0xfe, 0, 1, make([]byte, 100))),
		"WINDOW_UPDATE":   again(frame(window, 0, 0, number(1))),
		"stream-WINDOW":   onStream(func(id uint32) []byte { return frame(window, 0, id, number(1)) }),
		"RST_STREAM":      onStream(func(id uint32) []byte { return frame(reset, 0, id, number(8)) }),
		"DATA-after-reset": func(v *villain, stream uint32) {
			v.frame(reset, 0, stream, number(8))
			again(frame(data, 0, stream, make([]byte, 1000)))(v, stream)
		},
		"empty-DATA": func(v *villain, stream uint32) {
			v.head(stream, false, ":status", "200")
			again(frame(data, 0, stream, nil))(v, stream)
		},
		"padding-only": func(v *villain, stream uint32) {
			v.head(stream, false, ":status", "200")
			again(frame(data, padded, stream, append([]byte{200}, make([]byte, 200)...)))(v, stream)
		},
		"CONTINUATION": func(v *villain, stream uint32) {
			v.frame(headers, 0, stream, nil)
			again(frame(continuation, 0, stream, nil))(v, stream)
		},
		"CONTINUATION-full": func(v *villain, stream uint32) {
			v.frame(headers, 0, stream, nil)
			again(frame(continuation, 0, stream, v.encode("x", strings.Repeat("y", 10000))))(v, stream)
		},
		"huge-field": func(v *villain, stream uint32) {
			v.frame(headers, 0, stream, []byte{0, 1, 'x', 0x7f, 0xff, 0xff, 0xff, 0x7f}) // a literal of 256 MiB
			again(frame(continuation, 0, stream, make([]byte, 16<<10)))(v, stream)
		},
		// Fields that nobody waits for are decoded all the same.
		"HEADERS-after-reset": func(v *villain, stream uint32) {
			v.frame(reset, 0, stream, number(8))
			for v.head(stream, false, ":status", "200", "x", strings.Repeat("y", 4000)) {
			}
		},
		"interim": func(v *villain, stream uint32) {
			for v.head(stream, false, ":status", "103", "link", "</x>; rel=preload") {
			}
		},
		"bomb": func(v *villain, stream uint32) {
			block := v.encode(":status", "200")
			block = append(block, 0x40, 1, 'x', 0x7f, 0xad, 0x1e) // a literal of 4,012 bytes, to be kept
			block = append(block, strings.Repeat("y", 127+0x2d+0x1e<<7)...)
			for len(block) < longest {
				block = append(block, 0xbe) // and once more: 4,012 bytes a byte
			}
			for v.frame(headers, endHeaders, stream, block) {
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			// A client sees the answers that the villain begins: it asks for
			// nothing else.
			v, asked := s.lure(t, "GET", "Weir-Instance: "+name)
			flood(v, v.await().stream)
			t.Logf("the router's last word: %s", v.awaitEnd())
			s.awaitLeft(1, name, "HTTP/2 error 0x")
			if a := <-asked; a.err == nil && a.status == 200 && !a.truncated {
				t.Errorf("the client was answered %q, as if nothing was wrong", a.header)
			}
			v.leave()
			s.traffic.await(t, 4)
		})
	}
	s.lift()
}

// The same connections, in the middle of the ordinary traffic.
func TestFloods_OfOneWorkerAreNotSeenByClientsOfOthers(t *testing.T) {
	s := besiege(t, nil)
	flood := []byte(strings.Repeat(string(frame(ping, 0, 0, make([]byte, 8))), 100))
	for i := range rounds(20) {
		v := s.infiltrate("Weir-Instance: flooder").begin()
		v.await()
		for v.write(flood) {
		}
		v.awaitEnd()
		v.leave()
		s.awaitLeft(i+1, "flooder", "too many frames that bring nothing")
	}
	s.lift()
}
