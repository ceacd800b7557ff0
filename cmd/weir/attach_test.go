package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/internal/sidecar"
	"github.com/weirproxy/weir/worker"
)

// startRouter starts a router to which anybody on this machine may attach.
func startRouter(t *testing.T) *weir.Proxy {
	t.Helper()
	c := weir.Config{Listeners: []config.Listener{{Address: "127.0.0.1:0"}}, Attach: &config.Attach{Address: "127.0.0.1:0"}}
	c.Admin.Off = true
	p, err := weir.New(c)
	if err == nil {
		err = p.Listen()
	}
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- p.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), soon)
		defer cancel()
		if err := p.Shutdown(ctx); err != nil {
			t.Errorf("the router does not end: %v", err)
		}
		<-served
	})
	return p
}

// behind attaches a local server to a router, and returns where clients reach it.
func behind(t *testing.T, local http.HandlerFunc) (address string) {
	t.Helper()
	server := httptest.NewServer(local)
	t.Cleanup(server.Close)
	target, err := sidecar.ParseTarget(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	p := startRouter(t)
	signals := make(chan os.Signal, 1)
	a := &attachment{
		options: worker.Options{Routers: []string{p.AttachAddress()}},
		handler: sidecar.New(target, sidecar.Options{}),
		signals: signals, log: slog.New(slog.DiscardHandler), stderr: io.Discard,
	}
	left := make(chan error, 1)
	go func() { left <- a.run() }()
	t.Cleanup(func() {
		signals <- syscall.SIGTERM
		if err := <-left; err != nil {
			t.Errorf("it does not leave well: %v", err)
		}
	})
	return p.Addresses()[0]
}

func TestAttach_CarriesWebSocket(t *testing.T) {
	address := behind(t, func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"echo"}})
		if err != nil {
			t.Errorf("the local server does not accept it: %v", err)
			return
		}
		defer c.CloseNow()
		c.SetReadLimit(1 << 20)
		for {
			kind, message, err := c.Read(r.Context())
			if err != nil {
				return
			}
			_ = c.Write(r.Context(), kind, message)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	transport := new(http.Transport)
	defer transport.CloseIdleConnections()
	c, _, err := websocket.Dial(ctx, "ws://"+address+"/chat", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport}, Subprotocols: []string{"echo"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	c.SetReadLimit(1 << 20)
	for _, message := range []string{"hello", "", strings.Repeat("long ", 100_000)} {
		if err := c.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := c.Read(ctx); err != nil || string(got) != message {
			t.Fatalf("of %d bytes %d come back: %v", len(message), len(got), err)
		}
	}
	if err := c.Close(websocket.StatusNormalClosure, "bye"); err != nil {
		t.Errorf("it does not close well: %v", err)
	}
}

func TestAttach_StreamsEventsUntilTheClientLeaves(t *testing.T) {
	next, over := make(chan string), make(chan struct{})
	address := behind(t, func(w http.ResponseWriter, r *http.Request) {
		defer close(over)
		w.Header().Set("Content-Type", "text/event-stream")
		for {
			_ = http.NewResponseController(w).Flush()
			select {
			case event := <-next:
				fmt.Fprintln(w, event)
			case <-r.Context().Done():
				return
			}
		}
	})
	c, err := net.DialTimeout("tcp", address, soon)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(soon))
	if _, err := io.WriteString(c, "GET /events HTTP/1.1\r\nHost: shop.example\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	in := bufio.NewReader(resp.Body)
	for i := range 3 {
		event := fmt.Sprintf("data: %d", i)
		next <- event
		if got, err := in.ReadString('\n'); got != event+"\n" {
			t.Fatalf("event %d is %q (%v)", i, got, err)
		}
	}
	_ = c.(*net.TCPConn).SetLinger(0) // no half-close, but gone
	_ = c.Close()
	<-over
}

func TestAttach_ReturnsWhatWasUploaded(t *testing.T) {
	address := behind(t, func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		_ = control.EnableFullDuplex()
		_ = control.Flush()
		_, _ = io.Copy(w, r.Body)
	})
	text := strings.Repeat("0123456789abcdef", 1<<16)
	client := &http.Client{Transport: new(http.Transport), Timeout: soon + 10*time.Second}
	defer client.CloseIdleConnections()
	resp, err := client.Post("http://"+address+"/", "text/plain", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); err != nil || string(got) != text {
		t.Errorf("of %d bytes %d come back: %v", len(text), len(got), err)
	}
}
