package weir_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
)

func TestWithFailures_TellsEveryTryThatCounts(t *testing.T) {
	bad := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }))
	defer bad.Close()
	c := one(bad.URL, app(t, "good").URL)
	web := c.Services["web"]
	web.Endpoints[0].Name = "bad"
	web.Balance, web.Backpressure = "first", config.Backpressure{Failures: []string{"503"}, Off: true}
	c.Services["web"] = web
	told := make(chan weir.Failure, 10)
	r := startProvided(t, c, weir.WithFailures(func(f weir.Failure) { told <- f }))
	for i := range 3 {
		if status, _ := get(t, r.url+"/"); status != 200 {
			t.Fatalf("request %d is answered %d, and not by the other endpoint", i, status)
		}
		f := <-told
		if f.Service != "web" || f.Endpoint != "bad" || f.Count != uint64(i+1) || f.Err == nil || f.Err.Error() != "status 503" {
			t.Errorf("failure %d is told as %+v", i, f)
		}
	}
}

func TestEvents_TellThatAnEndpointRestsAndIsBack(t *testing.T) {
	a, b := app(t, "a"), app(t, "b")
	addr := a.Listener.Addr().String()
	c := one(a.URL, b.URL)
	web := c.Services["web"]
	web.Backpressure.Steps = []config.Duration{config.Duration(10 * time.Millisecond)}
	c.Services["web"] = web
	r := startConfigured(t, c)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	events := r.Events(ctx)
	a.Close()
	for range 4 {
		get(t, r.url+"/")
	}
	back := listenAt(t, addr)
	defer back.Close()
	var seen []string
	for e := range events {
		if e.Type != "endpoint_state" || e.Service != "web" || e.ID == 0 {
			t.Errorf("told %+v", e)
		}
		if seen = append(seen, e.From+" "+e.To); e.To == "up" {
			break
		}
	}
	if len(seen) != 2 || seen[0] != "up resting" || seen[1] != "resting up" {
		t.Errorf("told %q, want that it rests and is up again", seen)
	}
}

// listenAt serves at an address that was somebody else's before.
func listenAt(t *testing.T, addr string) *httptest.Server {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(named("back"))
	_ = s.Listener.Close()
	s.Listener = l
	s.Start()
	return s
}
