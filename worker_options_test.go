package weir_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/worker"
)

// A sink keeps what is logged.
type sink struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *sink) logger() *slog.Logger { return slog.New(slog.NewTextHandler(s, nil)) }

// count returns how often it has been told something.
func (s *sink) count(message string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(s.text.String(), message)
}

// attachWorker attaches a worker of package worker until the end of the test.
func attachWorker(t *testing.T, r router, o worker.Options, h http.Handler) {
	t.Helper()
	o.Routers = []string{r.attach}
	ctx, leave := context.WithCancel(context.Background())
	left := make(chan error, 1)
	go func() { left <- worker.Serve(ctx, o, h) }()
	t.Cleanup(func() {
		leave()
		if err := <-left; err != nil {
			t.Errorf("the worker left with %v", err)
		}
	})
	r.awaitEndpoints(t, "default", 1)
}

// TestWorker_MovesWhenItsConnectionIsOld keeps sending requests while each connection
// of the only worker is replaced again and again.
func TestWorker_MovesWhenItsConnectionIsOld(t *testing.T) {
	var log sink
	r := startRouter(t, func(c *weir.Config) { c.Attach.MaxAge = config.Duration(50 * time.Millisecond) }, weir.WithLogger(log.logger()))
	attachWorker(t, r, worker.Options{Instance: "mover"}, named("mover"))
	for moves, start := 0, time.Now(); moves < 5; moves = log.count("a worker attached") {
		if status, text := get(t, r.url+"/"); status != 200 || text != "mover /" {
			t.Fatalf("a request was answered %d %q", status, text)
		}
		if time.Since(start) > 30*time.Second {
			t.Fatalf("there were %d connections after half a minute", moves)
		}
	}
}

func TestWorker_AnswersForTheWholeServer(t *testing.T) {
	r := startRouter(t, nil)
	attachWorker(t, r, worker.Options{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s by the handler", r.Method, r.RequestURI)
	}))
	nc, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	fmt.Fprint(nc, "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := io.ReadAll(resp.Body); string(text) != "OPTIONS * by the handler" {
		t.Errorf("OPTIONS * was answered %d %q", resp.StatusCode, text)
	}
}
