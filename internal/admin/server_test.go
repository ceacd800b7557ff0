package admin

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"testing"
)

func listen(t *testing.T, network, address string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestServe_AnswersUntilItIsStopped(t *testing.T) {
	l := listen(t, "tcp", "127.0.0.1:0")
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, l, New(newOptions()), slog.New(slog.DiscardHandler)) }()

	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	response, err := client.Get("http://" + l.Addr().String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(response.Body)
	response.Body.Close()
	if response.StatusCode != 200 || string(body) != "ok\n" {
		t.Errorf("status %d, %q", response.StatusCode, body)
	}
	stop()
	if err := <-served; err != nil {
		t.Errorf("Serve: %v, want nil", err)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("the listener is still open")
	}
}

func TestServe_CutsRequestsThatDoNotEnd(t *testing.T) {
	l := listen(t, "tcp", "127.0.0.1:0")
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	stuck := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		stop()
		<-r.Context().Done()
	})
	go func() { served <- Serve(ctx, l, stuck, slog.New(slog.DiscardHandler)) }()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	if response, err := client.Get("http://" + l.Addr().String()); err == nil {
		response.Body.Close()
		t.Errorf("answered with %d, want the connection closed", response.StatusCode)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve: %v, want nil", err)
	}
}

func TestServe_FailsWithItsListener(t *testing.T) {
	l := listen(t, "tcp", "127.0.0.1:0")
	l.Close()
	if err := Serve(t.Context(), l, http.NotFoundHandler(), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("serving a closed listener: no error")
	}
}

func TestLoopback(t *testing.T) {
	if !Loopback(listen(t, "tcp", "127.0.0.1:0")) {
		t.Error("127.0.0.1 is not loopback")
	}
	if !Loopback(listen(t, "unix", filepath.Join(t.TempDir(), "admin.sock"))) {
		t.Error("a Unix socket is not loopback")
	}
	if Loopback(listen(t, "tcp", ":0")) {
		t.Error("all addresses are loopback")
	}
}
