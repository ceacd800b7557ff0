//go:build real

package real

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"net/http"
	"testing"

	"github.com/coder/websocket"
)

// A WebSocket library on both sides sees nothing of the proxy between them.
func TestWebSocket(t *testing.T) {
	endpoint := serve(t, echoMessages)
	ca := newAuthority(t)
	p := ca.issue(t, "localhost", "127.0.0.1")
	w := startWeir(t, fmt.Sprintf(`
listeners:
  - address: "127.0.0.1:0"
  - address: "127.0.0.1:0"
    tls: { certificates: [{ cert: %q, key: %q }] }
services: { default: { endpoints: [%q] } }`, p.cert, p.key, endpoint))
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.pool()}}}
	for name, url := range map[string]string{"plain": "ws://" + w.addresses[0], "tls": "wss://" + w.addresses[1]} {
		t.Run(name, func(t *testing.T) { exchangeMessages(t, url, client) })
	}
}

// echoMessages sends every message back, until the client closes.
func echoMessages(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"echo"}, CompressionMode: websocket.CompressionNoContextTakeover})
	if err != nil {
		return
	}
	defer c.CloseNow()
	c.SetReadLimit(-1)
	for {
		kind, data, err := c.Read(r.Context())
		if err != nil {
			return
		}
		if string(data) == "close" {
			_ = c.Close(4001, "as you wish")
			return
		}
		if c.Write(r.Context(), kind, data) != nil {
			return
		}
	}
}

func exchangeMessages(t *testing.T, url string, client *http.Client) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	dial := func() *websocket.Conn {
		t.Helper()
		c, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{
			HTTPClient: client, Subprotocols: []string{"echo"}, CompressionMode: websocket.CompressionNoContextTakeover,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.CloseNow() })
		c.SetReadLimit(-1)
		return c
	}
	large := make([]byte, 8<<20)
	_, _ = rand.Read(large)
	c := dial()
	if c.Subprotocol() != "echo" {
		t.Errorf("subprotocol %q", c.Subprotocol())
	}
	for _, message := range []struct {
		kind websocket.MessageType
		data []byte
	}{
		{websocket.MessageText, []byte("grüße")},
		{websocket.MessageBinary, []byte{0, 1, 0xff, '\r', '\n'}},
		{websocket.MessageText, nil},
		{websocket.MessageBinary, large},
	} {
		if err := c.Write(ctx, message.kind, message.data); err != nil {
			t.Fatal(err)
		}
		kind, data, err := c.Read(ctx)
		if err != nil || kind != message.kind || !bytes.Equal(data, message.data) {
			t.Fatalf("%d bytes came back as %v, %d bytes, %v", len(message.data), kind, len(data), err)
		}
	}
	if err := c.Close(websocket.StatusNormalClosure, "done"); err != nil {
		t.Errorf("the client's close handshake: %v", err)
	}
	c = dial()
	_ = c.Write(ctx, websocket.MessageText, []byte("close"))
	_, _, err := c.Read(ctx)
	if got := websocket.CloseStatus(err); got != 4001 {
		t.Errorf("the server's close handshake: %v, %v", got, err)
	}
}
