package weir_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
)

// startConfigured runs a proxy of a configuration, with a listener and an admin
// listener on free ports.
func startConfigured(t *testing.T, c weir.Config) router {
	t.Helper()
	c.Listeners = []config.Listener{{Address: "127.0.0.1:0"}}
	c.Admin = config.Admin{Address: "127.0.0.1:0"}
	p, err := weir.New(c)
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
	return router{p, "http://" + p.Addresses()[0], ""}
}

// apply has the proxy go by another configuration on the same listeners.
func (r router) apply(t *testing.T, c weir.Config) error {
	t.Helper()
	c.Listeners = []config.Listener{{Address: "127.0.0.1:0"}}
	c.Admin = config.Admin{Address: "127.0.0.1:0"}
	return r.Apply(c)
}

func (r router) mustApply(t *testing.T, c weir.Config) {
	t.Helper()
	if err := r.apply(t, c); err != nil {
		t.Fatalf("Apply: %v", err)
	}
}

// one is a configuration of one service with these endpoints, which gets all
// requests.
func one(urls ...string) weir.Config {
	var s config.Service
	for _, u := range urls {
		s.Endpoints = append(s.Endpoints, config.Endpoint{URL: u})
	}
	return weir.Config{Services: map[string]config.Service{"web": s}}
}

func app(t *testing.T, name string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(named(name))
	t.Cleanup(s.Close)
	return s
}

func TestApply_TakesEffectForTheNextRequest(t *testing.T) {
	a, b := app(t, "a"), app(t, "b")
	r := startConfigured(t, one(a.URL))
	if _, text := get(t, r.url+"/"); text != "a /" {
		t.Fatalf("the first answer is %q", text)
	}
	r.mustApply(t, one(b.URL))
	for range 10 {
		if _, text := get(t, r.url+"/"); text != "b /" {
			t.Fatalf("after the change %q answers", text)
		}
	}
	c := one(b.URL)
	c.Services["other"] = config.Service{Endpoints: []config.Endpoint{{URL: a.URL}}}
	c.Routes = []config.Route{{Match: config.Match{Path: "/x/*"}, Service: "other", StripPrefix: "/x"}, {Service: "web"}}
	r.mustApply(t, c)
	if _, text := get(t, r.url+"/x/y"); text != "a /y" {
		t.Errorf("a route that came is answered %q", text)
	}
	r.mustApply(t, one(b.URL))
	if _, text := get(t, r.url+"/x/y"); text != "b /x/y" {
		t.Errorf("when it is gone, its path is answered %q", text)
	}
}

func TestApply_ChangesNothingIfAnythingIsWrong(t *testing.T) {
	a := app(t, "a")
	r := startConfigured(t, one(a.URL))
	for name, c := range map[string]weir.Config{
		"a route to nowhere": {Services: one(a.URL).Services, Routes: []config.Route{{Service: "nowhere"}}},
		"two equal routes":   {Services: one(a.URL).Services, Routes: []config.Route{{Service: "web"}, {Service: "web"}}},
		"a file that is not there": {Services: map[string]config.Service{"web": {
			Endpoints: []config.Endpoint{{URL: "https://a", TLS: &config.ClientTLS{CA: "/nowhere/ca.pem"}}},
		}}},
		"a log that cannot be opened": {Services: one("http://127.0.0.1:1").Services, AccessLog: &config.AccessLog{Path: "/nowhere/log"}},
		"a key that needs a restart":  {Services: one("http://127.0.0.1:1").Services, Errors: "verbose"},
	} {
		if err := r.apply(t, c); err == nil {
			t.Errorf("%s was applied", name)
		}
		if status, text := get(t, r.url+"/"); status != 200 || text != "a /" {
			t.Errorf("after %s was refused, a request is answered %d %q", name, status, text)
		}
	}
}

func TestApply_LeavesAloneWhatIsUnderWay(t *testing.T) {
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "first ")
		_ = http.NewResponseController(w).Flush()
		<-release
		_, _ = io.WriteString(w, "last")
	}))
	defer slow.Close()
	r := startConfigured(t, one(slow.URL))
	resp, err := http.Get(r.url + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	r.mustApply(t, one(app(t, "b").URL))
	r.mustApply(t, weir.Config{})
	if status, _ := get(t, r.url+"/"); status != http.StatusNotFound {
		t.Errorf("without a service a request is answered %d, want 404", status)
	}
	close(release)
	if text, err := io.ReadAll(resp.Body); string(text) != "first last" || err != nil {
		t.Errorf("an answer under way ended as %q (%v)", text, err)
	}
}

// An endpoint that stays keeps its state: one that rests goes on resting.
func TestApply_KeepsTheStateOfEndpoints(t *testing.T) {
	a := app(t, "a")
	c := one("http://127.0.0.1:1", a.URL)
	web := c.Services["web"]
	web.Backpressure.Steps = []config.Duration{config.Duration(time.Hour)}
	c.Services["web"] = web
	r := startConfigured(t, c)
	for range 4 {
		get(t, r.url+"/")
	}
	before := r.state(t, "web")
	if !strings.Contains(before, `"state":"resting"`) {
		t.Fatalf("the endpoint that nobody listens at does not rest: %s", before)
	}
	web.Balance, web.Concurrency = "least_load", 7
	r.mustApply(t, c)
	after := r.state(t, "web")
	if !strings.Contains(after, `"state":"resting"`) || !strings.Contains(after, `"step":1`) {
		t.Errorf("after a change of something else it is %s", after)
	}
}

// TestApply_LosesNoRequest changes endpoints and settings again and again under
// load, while a tunnel is open.
func TestApply_LosesNoRequest(t *testing.T) {
	changes := 200
	if testing.Short() {
		changes = 40
	}
	var urls []string
	for i := range 4 {
		urls = append(urls, app(t, fmt.Sprint(i)).URL)
	}
	r := startConfigured(t, one(urls[0]))
	stop := make(chan struct{})
	var requests, failures atomic.Int64
	answered := make(chan struct{}, 1) // an answer since the last change
	var load sync.WaitGroup
	for range 8 {
		load.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for {
				select {
				case <-stop:
					return
				default:
				}
				resp, err := client.Post(r.url+"/", "text/plain", strings.NewReader("x"))
				if err != nil || resp.StatusCode != 200 {
					failures.Add(1)
				}
				if err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
				requests.Add(1)
				select {
				case answered <- struct{}{}:
				default:
				}
			}
		})
	}
	for i := range changes {
		c := one(urls[i%4], urls[(i/2+1)%4])
		if i%2 == 0 && i%4 == (i/2+1)%4 {
			c = one(urls[i%4])
		}
		web := c.Services["web"]
		web.Balance = []string{"round_robin", "least_load", "hash"}[i%3]
		web.Concurrency = i % 5 * 100
		if i%7 == 0 {
			web.Health = &config.Health{Path: "/", Interval: config.Duration(10 * time.Millisecond)}
		}
		c.Services["web"] = web
		r.mustApply(t, c)
		select {
		case <-answered:
		case <-time.After(time.Minute):
			t.Fatalf("no request was answered within a minute of change %d", i)
		}
	}
	close(stop)
	load.Wait()
	if failures.Load() > 0 {
		t.Errorf("of %d requests during %d changes, %d failed", requests.Load(), changes, failures.Load())
	}
}

func TestApply_CutsNoTunnel(t *testing.T) {
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer echo.Close()
	go func() {
		c, err := echo.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		in := bufio.NewReader(c)
		if _, err := http.ReadRequest(in); err != nil {
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_, _ = io.Copy(c, in)
	}()
	r := startConfigured(t, one("http://"+echo.Addr().String()))
	client, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	_, _ = io.WriteString(client, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	in := bufio.NewReader(client)
	if resp, err := http.ReadResponse(in, nil); err != nil || resp.StatusCode != 101 {
		t.Fatalf("the tunnel was not opened: %v", err)
	}
	r.mustApply(t, weir.Config{})
	_, _ = io.WriteString(client, "still there?\n")
	if line, err := in.ReadString('\n'); line != "still there?\n" {
		t.Errorf("after its service was taken away the tunnel says %q (%v)", line, err)
	}
}

// An endpoint of the configuration may come by a name that a worker has already.
func TestApply_GivesAWorkerAnotherNameIfNeedBe(t *testing.T) {
	var c weir.Config
	r := startRouter(t, func(zero *weir.Config) { c = *zero })
	attachBare(t, r.attach, 3, named("worker"), "Weir-Instance: twin")
	r.awaitEndpoints(t, "default", 1)
	c.Services = map[string]config.Service{"default": {Endpoints: []config.Endpoint{{Name: "twin", URL: app(t, "listed").URL}}}}
	if err := r.Apply(c); err != nil {
		t.Fatal(err)
	}
	r.await(t, `"name":"twin (anonymous)"`)
	seen := map[string]bool{}
	for range 4 {
		_, text := get(t, r.url+"/")
		seen[text] = true
	}
	if !seen["worker /"] || !seen["listed /"] || len(seen) != 2 {
		t.Errorf("the answers are %v, want those of both", seen)
	}
	c.Services = map[string]config.Service{"default": {}}
	if err := r.Apply(c); err != nil {
		t.Fatal(err)
	}
	if _, text := get(t, r.url+"/"); text != "worker /" {
		t.Errorf("when the listed one is gone %q answers", text)
	}
}
