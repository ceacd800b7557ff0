package sidecar

import (
	"context"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6455 has it so; nothing depends on its strength
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// websocketGUID is what the answer to a key is made with (RFC 6455 §1.3).
const websocketGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// serveWebSocket makes an upgrade of an extended CONNECT:
//
//	:method CONNECT, :protocol websocket  ─▶  GET, Connection: Upgrade, Upgrade: websocket,
//	                                          Sec-WebSocket-Key (ours)
//	200                                   ◀─  101, Sec-WebSocket-Accept (checked)
//	DATA                                  ◀─▶ bytes
//	END_STREAM                             ─▶ the connection's half
//	END_STREAM                            ◀─  the end
//	RST_STREAM                            ◀─▶ the connection is closed, or breaks off
//
// An answer other than 101 is passed on, except one of 2xx: over HTTP/2 that
// would say that the tunnel is open. A local server that speaks h2c is asked by
// HTTP/1.1 as well: most of those that know WebSocket speak both on one port.
func (h *Handler) serveWebSocket(w http.ResponseWriter, r *http.Request) {
	out, key := h.upgrade(r)
	resp, e := h.roundTrip(h.upgrading, w, r, out)
	if resp == nil {
		return
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols:
		if err := checkUpgrade(resp, key); err != nil {
			h.fail(w, r, &failure{malformedResponse, err})
			return
		}
		e.restore(resp.Header)
		openTunnel(w, r, resp)
	case resp.StatusCode < 300 || resp.StatusCode > 999:
		h.fail(w, r, &failure{malformedResponse, fmt.Errorf("status %d does not open a WebSocket", resp.StatusCode)})
	default:
		answer(w, resp, e)
	}
}

// upgrade returns the request that the local server gets for r.
func (h *Handler) upgrade(r *http.Request) (out *http.Request, key string) {
	var nonce [16]byte
	_, _ = rand.Read(nonce[:]) // it never fails
	key = base64.StdEncoding.EncodeToString(nonce[:])
	out = h.outgoing(&http.Request{Method: http.MethodGet, RequestURI: r.RequestURI, Host: r.Host, Header: r.Header})
	delete(out.Header, ":protocol")
	delete(out.Header, "Te")
	delete(out.Header, "Content-Length")
	out.Header["Connection"] = []string{"Upgrade"}
	out.Header["Upgrade"] = []string{"websocket"}
	out.Header["Sec-Websocket-Key"] = []string{key}
	if len(out.Header["Sec-Websocket-Version"]) == 0 {
		out.Header["Sec-Websocket-Version"] = []string{"13"}
	}
	return out, key
}

// checkUpgrade tells why a 101 is not the one that was asked for.
func checkUpgrade(resp *http.Response, key string) error {
	sum := sha1.Sum([]byte(key + websocketGUID)) //nolint:gosec // see above
	accept := base64.StdEncoding.EncodeToString(sum[:])
	switch got := resp.Header["Sec-Websocket-Accept"]; {
	case !strings.EqualFold(resp.Header.Get("Upgrade"), "websocket"):
		return errors.New("the local server switches to another protocol than websocket")
	case len(got) != 1 || got[0] != accept:
		return errors.New("the local server's Sec-WebSocket-Accept does not belong to the key")
	}
	return nil
}

// openTunnel carries bytes both ways until the local server ends, or the router
// resets the stream.
func openTunnel(w http.ResponseWriter, r *http.Request, resp *http.Response) {
	local, ok := resp.Body.(io.ReadWriteCloser)
	if !ok {
		panic(http.ErrAbortHandler) // a 101 without a connection
	}
	// From 101 on nobody else closes it when the stream is reset.
	defer context.AfterFunc(r.Context(), func() { _ = local.Close() })()
	removeOfConnection(resp.Header)
	delete(resp.Header, "Sec-Websocket-Accept")
	delete(resp.Header, "Content-Length")
	copyFields(w.Header(), resp.Header)
	w.WriteHeader(http.StatusOK)
	flusher := http.NewResponseController(w)
	if flusher.Flush() != nil {
		panic(http.ErrAbortHandler)
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		sendTunnel(local, r.Body)
	}()
	err := stream(w, flusher.Flush, local)
	_ = local.Close()
	_ = r.Body.Close() // lets the other direction go
	<-sent
	if err != nil {
		panic(http.ErrAbortHandler)
	}
}

// sendTunnel carries what the client sends, and its end.
func sendTunnel(local io.ReadWriteCloser, from io.Reader) {
	if err := stream(local, func() error { return nil }, from); err != nil {
		_ = local.Close() // and so the other direction ends
		return
	}
	half, ok := local.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		_ = local.Close()
	}
}
