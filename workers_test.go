package weir_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
)

// A router is a proxy of the configuration that nobody has written: workers bring
// what serves.
type router struct {
	*weir.Proxy
	url, attach string
}

func startRouter(t *testing.T, change func(*weir.Config), options ...weir.Option) router {
	t.Helper()
	c := config.Zero()
	c.Listeners[0].Address, c.Attach.Address = "127.0.0.1:0", "127.0.0.1:0"
	c.Admin = config.Admin{Address: "127.0.0.1:0"}
	if change != nil {
		change(c)
	}
	p, err := weir.New(*c, options...)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Listen(); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- p.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := p.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return router{p, "http://" + p.Addresses()[0], p.AttachAddress()}
}

// A bareWorker is one connection of a worker, made by hand.
type bareWorker struct {
	net.Conn
	served sync.WaitGroup
}

// attachBare attaches a connection with these further fields, and has h serve its
// requests, so many at a time.
func attachBare(t *testing.T, attach string, capacity int, h http.Handler, fields ...string) *bareWorker {
	t.Helper()
	nc, err := net.Dial("tcp", attach)
	if err != nil {
		t.Fatal(err)
	}
	w := &bareWorker{Conn: nc}
	t.Cleanup(w.leave)
	fmt.Fprintf(nc, "GET /.well-known/weir/attach HTTP/1.1\r\nHost: router\r\nConnection: upgrade\r\nUpgrade: ptth\r\nALPN: h2\r\n")
	for _, f := range fields {
		fmt.Fprintf(nc, "%s\r\n", f)
	}
	fmt.Fprintf(nc, "\r\n")
	r := bufio.NewReader(nc)
	answer, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusSwitchingProtocols {
		text, _ := io.ReadAll(answer.Body)
		t.Fatalf("the worker was refused: %d %s", answer.StatusCode, text)
	}
	srv := &http.Server{Handler: h, HTTP2: &http.HTTP2Config{MaxConcurrentStreams: capacity}, Protocols: new(http.Protocols)}
	srv.Protocols.SetUnencryptedHTTP2(true)
	w.served.Go(func() { _ = srv.Serve(&single{conn: buffered{nc, r}}) })
	return w
}

func (w *bareWorker) leave() {
	_ = w.Close()
	w.served.Wait()
}

type buffered struct {
	net.Conn
	r *bufio.Reader
}

func (b buffered) Read(p []byte) (int, error) { return b.r.Read(p) }

// A single is a listener of one connection.
type single struct{ conn net.Conn }

func (s *single) Accept() (net.Conn, error) {
	if c := s.conn; c != nil {
		s.conn = nil
		return c, nil
	}
	return nil, io.EOF
}

func (s *single) Close() error   { return nil }
func (s *single) Addr() net.Addr { return &net.TCPAddr{} }

// named answers with its name.
func named(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s", name, r.RequestURI)
	})
}

// get returns status and content.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestWorkers_ShareTheRequests(t *testing.T) {
	r := startRouter(t, nil)
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		attachBare(t, r.attach, 10, named(name), "Weir-Instance: "+name)
	}
	r.awaitEndpoints(t, "default", 7)
	counts := map[string]int{}
	for range 70 {
		_, text := get(t, r.url+"/")
		counts[strings.Fields(text)[0]]++
	}
	for name, n := range counts {
		if n < 9 || n > 11 || len(counts) != 7 {
			t.Errorf("of 70 requests over seven workers, %s got %d (%v)", name, n, counts)
		}
	}
}

// state is what the API says of a service, without white space.
func (r router) state(t *testing.T, service string) string {
	t.Helper()
	_, text := get(t, "http://"+r.AdminAddress()+"/v1/services/"+service)
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(text)); err != nil {
		t.Fatal(err)
	}
	return compact.String()
}

// awaitEndpoints waits until the service has that many endpoints.
func (r router) awaitEndpoints(t *testing.T, service string, n int) {
	t.Helper()
	for start := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		text := r.state(t, service)
		if strings.Count(text, `"worker":{`) == n {
			return
		}
		if time.Since(start) > 20*time.Second {
			t.Fatalf("%s does not have %d workers: %s", service, n, text)
		}
	}
}

func TestWorkers_AreReachedByServiceAndVersion(t *testing.T) {
	r := startRouter(t, nil)
	attachBare(t, r.attach, 10, named("plain"))
	attachBare(t, r.attach, 10, named("shop"), "Weir-Service: shop", "Weir-Version: v1")
	r.awaitEndpoints(t, "default", 1)
	r.awaitEndpoints(t, "shop@v1", 1)
	for path, want := range map[string]string{
		"/shop/v1/x?y=1":             "shop /x?y=1",
		"/shop/v1":                   "shop /",
		"/shop/v1/a%2Fb":             "shop /a%2Fb",
		"/shop/v2/x":                 "plain /shop/v2/x",
		"/other/v1/x":                "plain /other/v1/x",
		"/":                          "plain /",
		"/shop/v1/.well-known/other": "shop /.well-known/other",
	} {
		if status, text := get(t, r.url+path); status != 200 || text != want {
			t.Errorf("%s was answered %d %q, want %q", path, status, text, want)
		}
	}
	for _, path := range []string{"/.well-known/weir/worker", "/shop/v1/.well-known/weir/drain"} {
		if status, text := get(t, r.url+path); status != 404 || !strings.Contains(text, "no_route") {
			t.Errorf("%s was answered %d %q, want 404 no_route", path, status, text)
		}
	}
}

func TestWorkers_AreWaitedFor(t *testing.T) {
	r := startRouter(t, nil)
	type answer struct {
		status int
		text   string
	}
	answers := make(chan answer)
	for range 10 {
		go func() {
			status, text := get(t, r.url+"/")
			answers <- answer{status, text}
		}()
	}
	time.Sleep(50 * time.Millisecond) // most of them wait by now; it does not matter
	attachBare(t, r.attach, 3, named("late"))
	for range 10 {
		if a := <-answers; a.status != 200 || a.text != "late /" {
			t.Errorf("a request that waited was answered %d %q", a.status, a.text)
		}
	}
}

// TestWorkers_AreWaitedForAgain has the only worker die again and again while there
// are requests: each waits for the next one.
func TestWorkers_AreWaitedForAgain(t *testing.T) {
	r := startRouter(t, func(c *weir.Config) {
		s := c.Services["default"]
		s.Retry.Budget = 1000_00 // which is not what this is about
		c.Services["default"] = s
	})
	var once sync.Once
	stop, failed := make(chan struct{}), make(chan struct{})
	var load sync.WaitGroup
	for range 4 {
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-failed:
					return
				default:
				}
				resp, err := http.Get(r.url + "/")
				if err != nil {
					t.Errorf("a request failed: %v", err)
					return
				}
				text, _ := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if resp.StatusCode != 200 {
					t.Errorf("a request was answered %d %s", resp.StatusCode, text)
					once.Do(func() { close(failed) })
					return
				}
			}
		})
	}
	for i := range 50 {
		served := make(chan struct{}, 1<<16)
		w := attachBare(t, r.attach, 10, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			served <- struct{}{}
		}), fmt.Sprintf("Weir-Instance: %d", i%2))
		for range 12 { // those that the one before has lost come first, and have three tries
			select {
			case <-served:
			case <-failed:
			}
		}
		w.leave()
	}
	attachBare(t, r.attach, 10, named("last"))
	close(stop)
	load.Wait()
}

func TestWorkers_OfOneInstanceAreOneEndpoint(t *testing.T) {
	r := startRouter(t, nil)
	first := attachBare(t, r.attach, 3, named("first"), "Weir-Instance: i", "Weir-Zone: eu", "Weir-Labels: gpu=a100")
	r.await(t, `"zone":"eu","labels":{"gpu":"a100"}`)
	r.await(t, `"concurrency":3`)
	attachBare(t, r.attach, 4, named("second"), "Weir-Instance: i", "Weir-Zone: us", "Weir-Weight: 5")
	r.awaitEndpoints(t, "default", 1)
	r.await(t, `"concurrency":7`)
	r.await(t, `"zone":"us","credential"`) // as the latest has it
	r.await(t, `"weight":5`)
	first.leave()
	r.await(t, `"concurrency":4`)
	if status, text := get(t, r.url+"/"); status != 200 || text != "second /" {
		t.Errorf("after one connection of two was cut, a request was answered %d %q", status, text)
	}
}

// await waits until what the API says of service default has a text.
func (r router) await(t *testing.T, part string) {
	t.Helper()
	for start := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		text := r.state(t, "default")
		if strings.Contains(text, part) {
			return
		}
		if time.Since(start) > 20*time.Second {
			t.Fatalf("%s is never in %s", part, text)
		}
	}
}

func TestServe_IsNoHarmAfterShutdown(t *testing.T) {
	c := config.Zero()
	c.Listeners[0].Address, c.Attach.Address, c.Admin.Address = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	p, err := weir.New(*c)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Listen(); err != nil {
		t.Fatal(err)
	}
	if err := p.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.Serve(); err != nil {
		t.Errorf("serving what was shut down fails with %v, want that it ends at once", err)
	}
}
