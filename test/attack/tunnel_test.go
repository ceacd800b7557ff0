package attack

import "testing"

// A WebSocket goes to a worker as an extended CONNECT (RFC 8441): what it answers
// becomes a 101, or is a response like any other.
func TestTunnels_BeginOnlyAsTheyShould(t *testing.T) {
	s := besiege(t, nil)
	handshake := []string{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}
	n := 0
	for name, tc := range map[string]struct {
		fields []string
		status int
	}{
		"a tunnel":            {[]string{":status", "200"}, 101},
		"with a length":       {[]string{":status", "200", "content-length", "5"}, 101},
		"with another accept": {[]string{":status", "200", "sec-websocket-accept", "forged"}, 101},
		"101":                 {[]string{":status", "101"}, 502},
		"with Upgrade":        {[]string{":status", "200", "upgrade", "h2c"}, 502},
		"with Connection":     {[]string{":status", "200", "connection", "upgrade"}, 502},
		"split":               {[]string{":status", "200", "x", "1\r\n\r\nHTTP/1.1 200 OK"}, 502},
		"refused":             {[]string{":status", "403", "content-length", "0"}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			v := infiltrate(t, s.workers, "Weir-Service: prey", "Weir-Instance: tunnel").begin(connectable, 1)
			s.log.await(t, n+1, `msg="a worker attached" .*instance=tunnel`)
			c := dialClient(t, s.clients)
			if err := c.send("GET", "/prey/it", handshake...); err != nil {
				t.Fatal(err)
			}
			r := v.await()
			if r.fields[":protocol"] != "websocket" {
				t.Errorf("the worker gets %v, want an extended CONNECT", r.fields)
			}
			v.head(r.stream, tc.status == 403, tc.fields...)
			a, err := c.read("GET")
			if err != nil || a.status != tc.status || a.truncated {
				t.Errorf("the client is answered %d %q (truncated: %t, %v), want %d", a.status, a.header, a.truncated, err, tc.status)
			}
			if a.status == 101 && (a.has("content-length") || a.value("upgrade") != "websocket" || a.value("sec-websocket-accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") {
				t.Errorf("the tunnel begins with %q", a.header)
			}
			_ = c.nc.Close()
			v.leave()
			n++
			s.awaitLeft(n, "tunnel", "")
		})
	}
	s.lift()
}
