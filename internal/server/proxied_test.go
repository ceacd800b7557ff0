package server

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirproxy/weir/internal/conn"
	"github.com/weirproxy/weir/internal/exchange"
)

// behind serves on a listener whose clients are behind proxies on these networks, and
// answers each with its address. It returns how to connect.
func behind(t *testing.T, o Options, proxies ...string) (dial func() net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := Listener{Address: "test"}
	for _, p := range proxies {
		cfg.Proxies = append(cfg.Proxies, netip.MustParsePrefix(p))
	}
	o.Handler = exchange.HandlerFunc(func(x *exchange.Exchange) {
		_ = x.Responder.Respond(&exchange.Response{Status: 204, Minor: 1, Header: exchange.Header{
			{Name: []byte("X-Peer"), Value: []byte(x.Client.Peer.String())},
			{Name: []byte("X-Peer-Text"), Value: x.Client.PeerText},
		}})
	})
	s := New(o)
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.Serve(l, cfg) })
	t.Cleanup(func() {
		_ = s.Shutdown(t.Context())
		serving.Wait()
	})
	return func() net.Conn {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
}

// says sends text and returns the answer; nil if there is none.
func says(t *testing.T, c net.Conn, text string) *http.Response {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return nil
	}
	return resp
}

const ask = "GET / HTTP/1.1\r\nHost: app\r\n\r\n"

func TestProxied_TheClientIsWhoTheProxySays(t *testing.T) {
	c := behind(t, options(), "10.0.0.0/8", "127.0.0.0/8")()
	resp := says(t, c, "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n"+ask)
	if resp == nil || resp.Header.Get("X-Peer") != "192.0.2.7:56324" || resp.Header.Get("X-Peer-Text") != "192.0.2.7" {
		t.Fatalf("the answer is %v", resp)
	}
	// And on with the connection.
	if again := says(t, c, ask); again == nil || again.Header.Get("X-Peer") != "192.0.2.7:56324" {
		t.Errorf("the second answer is %v", again)
	}
}

func TestProxied_AProxyMaySpeakForItself(t *testing.T) {
	c := behind(t, options(), "127.0.0.1/32")()
	if resp := says(t, c, "PROXY UNKNOWN\r\n"+ask); resp == nil || resp.Header.Get("X-Peer") != c.LocalAddr().String() {
		t.Errorf("the answer is %v; want the proxy's own address", resp)
	}
}

func TestProxied_AProxyHasToSaySomething(t *testing.T) {
	dial := behind(t, options(), "127.0.0.1/32")
	for what, sent := range map[string]string{"no header": ask, "a malformed header": "PROXY TCP4 nonsense\r\n" + ask} {
		resp := says(t, dial(), sent)
		if resp == nil {
			t.Errorf("%s is not answered", what)
			continue
		}
		problem, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(problem), `"error":"bad_proxy_header"`) {
			t.Errorf("%s is answered %d: %s", what, resp.StatusCode, problem)
		}
	}
}

func TestProxied_NobodyElseMay(t *testing.T) {
	for _, proxies := range [][]string{nil, {"10.0.0.0/8"}} {
		dial := behind(t, options(), proxies...)
		if resp := says(t, dial(), "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n"+ask); resp == nil || resp.StatusCode != http.StatusBadRequest {
			t.Errorf("a header of somebody who is none of the proxies %v is answered %v", proxies, resp)
		}
		c := dial()
		if resp := says(t, c, ask); resp == nil || resp.Header.Get("X-Peer") != c.LocalAddr().String() {
			t.Errorf("somebody who is none of the proxies %v is answered %v", proxies, resp)
		}
	}
}

func TestProxied_AZoneIsNotPartOfTheNetwork(t *testing.T) {
	l := Listener{Proxies: []netip.Prefix{netip.MustParsePrefix("fe80::/10")}}
	for peer, want := range map[string]bool{"fe80::1%eth0": true, "fe80::1": true, "2001:db8::1": false} {
		if got := l.isProxy(netip.MustParseAddr(peer)); got != want {
			t.Errorf("%s is a proxy: %v, want %v", peer, got, want)
		}
	}
	if !l.isProxy(netip.Addr{}) {
		t.Error("whoever comes over a Unix socket is none")
	}
}

func TestProxied_ASilentProxyIsNotWaitedForLong(t *testing.T) {
	o := options()
	o.HeaderTimeout = 2 * conn.Tick
	c := behind(t, o, "127.0.0.1/32")()
	if _, err := io.WriteString(c, "PROXY TCP4 192.0"); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Errorf("a proxy that says half a header reads %d bytes, %v", n, err)
	}
}
