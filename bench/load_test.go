package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"
)

// startTestEndpoint serves on a loopback port until the test ends.
func startTestEndpoint(t *testing.T) int {
	t.Helper()
	ports, err := freePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	server, err := newEndpointServer([]string{strconv.Itoa(ports[0])})
	if err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				if err := server.turn(); err != nil {
					t.Error(err)
					return
				}
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-stopped
	})
	return ports[0]
}

func runTestLoad(t *testing.T, plan loadPlan) *loadResult {
	t.Helper()
	plan.Warmup, plan.Duration = 20*time.Millisecond, 200*time.Millisecond
	l, err := newLoader(plan)
	if err != nil {
		t.Fatal(err)
	}
	result, err := l.run()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range l.clients {
		c.close()
	}
	return result
}

func TestLoad_AgainstTheEndpoint(t *testing.T) {
	port := startTestEndpoint(t)
	for name, plan := range map[string]loadPlan{
		"small": {Conns: 8, Method: "GET", Path: "/bytes/512", Answer: 512},
		"large": {Conns: 2, Method: "GET", Path: "/bytes/3145731", Answer: 3<<20 + 3},
		"post":  {Conns: 8, Method: "POST", Path: "/bytes/1", Body: 100 << 10, Answer: 1},
		"empty": {Conns: 1, Method: "GET", Path: "/bytes/0", Answer: 0},
	} {
		t.Run(name, func(t *testing.T) {
			plan.Port = port
			result := runTestLoad(t, plan)
			if result.Requests == 0 || result.errors() > 0 {
				t.Errorf("%d requests, %d errors, the last: %s", result.Requests, result.errors(), result.LastError)
			}
			if result.P50 <= 0 || result.P99 < result.P50 {
				t.Errorf("p50 %v, p99 %v", result.P50, result.P99)
			}
		})
	}
}

func TestLoad_KeepsAConstantRate(t *testing.T) {
	port := startTestEndpoint(t)
	result := runTestLoad(t, loadPlan{
		Port: port, Conns: 8, Method: "GET", Path: "/bytes/512", Answer: 512, Rate: 500, Group: rateGroup,
	})
	if result.errors() > 0 {
		t.Errorf("%d errors, the last: %s", result.errors(), result.LastError)
	}
	if rate := float64(result.Requests) / result.Seconds; rate > 600 {
		t.Errorf("%v requests/s, want at most 500", rate)
	}
}

func TestLoad_CountsFromWhenARequestWasDue(t *testing.T) {
	stalled := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(20 * time.Millisecond)
		_, _ = w.Write([]byte("x"))
	}))
	defer stalled.Close()
	// One connection at 20 ms a request answers 50 a second; of 500 due most must wait.
	result := runTestLoad(t, loadPlan{
		Port: stalled.Listener.Addr().(*net.TCPAddr).Port, Conns: 1, Method: "GET", Path: "/", Answer: 1, Rate: 500,
	})
	if result.P99 < 100*time.Millisecond {
		t.Errorf("p99 is %v: the requests that waited for their turn are not in it", result.P99)
	}
}

func TestLoad_OverTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(make([]byte, 40<<10))
	}))
	defer server.Close()
	result := runTestLoad(t, loadPlan{
		Port: server.Listener.Addr().(*net.TCPAddr).Port, Secure: true, Conns: 4, Method: "GET", Path: "/", Answer: 40 << 10,
	})
	if result.errors() == 0 || result.Answers == 0 {
		// net/http chunks what it does not know the length of.
		t.Errorf("a chunked answer passed for one of 40 KiB: %+v", result)
	}
	fixed := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(40<<10))
		_, _ = w.Write(make([]byte, 40<<10))
	}))
	defer fixed.Close()
	result = runTestLoad(t, loadPlan{
		Port: fixed.Listener.Addr().(*net.TCPAddr).Port, Secure: true, Conns: 4, Method: "GET", Path: "/", Answer: 40 << 10,
	})
	if result.Requests == 0 || result.errors() > 0 || result.Cipher == "" {
		t.Errorf("%+v", result)
	}
}

func TestLoad_ShowsErrors(t *testing.T) {
	failing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
	}))
	defer failing.Close()
	result := runTestLoad(t, loadPlan{
		Port: failing.Listener.Addr().(*net.TCPAddr).Port, Conns: 2, Method: "GET", Path: "/", Answer: 0,
	})
	if result.Statuses == 0 || result.Requests != 0 {
		t.Errorf("answers of 502 were counted as %+v", result)
	}
}
