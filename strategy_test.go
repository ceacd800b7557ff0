package weir_test

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
)

// startService runs a proxy before one service and returns its URL.
func startService(t *testing.T, service config.Service) string {
	t.Helper()
	p, err := weir.New(weir.Config{
		Listeners: []config.Listener{{Address: "127.0.0.1:0"}},
		Admin:     config.Admin{Off: true},
		Services:  map[string]config.Service{"web": service},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Listen(); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- p.Serve() }()
	t.Cleanup(func() {
		if err := p.Shutdown(t.Context()); err != nil && t.Context().Err() == nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return "http://" + p.Addresses()[0]
}

// TestProxy_FansOutToEqualEndpoints: one endpoint that fails a quarter of its
// requests, listed four times, fails as often as four coins do.
func TestProxy_FansOutToEqualEndpoints(t *testing.T) {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(3, 4))
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		fails := random.Float64() < 0.25
		mu.Unlock()
		if fails {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer app.Close()
	four := []config.Endpoint{{URL: app.URL}, {URL: app.URL}, {URL: app.URL}, {URL: app.URL}}
	url := startService(t, config.Service{Strategy: "fanout", Endpoints: four, Backpressure: config.Backpressure{Off: true}})

	const requests = 3000
	failed := 0
	client := http.Client{Timeout: 10 * time.Second, Transport: new(http.Transport)}
	defer client.CloseIdleConnections()
	for range requests {
		resp, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			failed++
		}
	}
	p := math.Pow(0.25, 4)
	mean, sigma := p*requests, math.Sqrt(requests*p*(1-p))
	if d := math.Abs(float64(failed) - mean); d > 4*sigma {
		t.Errorf("%d of %d requests failed, want %.1f ± %.1f", failed, requests, mean, 4*sigma)
	}
}

// TestProxy_NeverMixesUpAnswers: a thousand clients at once, each with an id of its
// own, under the strategy that has most going on.
func TestProxy_NeverMixesUpAnswers(t *testing.T) {
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		w.Header().Set("X-Id", r.Header.Get("X-Id"))
		_, _ = w.Write(body)
	})
	var endpoints []config.Endpoint
	for range 3 {
		app := httptest.NewServer(echo)
		defer app.Close()
		endpoints = append(endpoints, config.Endpoint{URL: app.URL})
	}
	for _, strategy := range []string{"single", "failover", "fanout", "hedge"} {
		t.Run(strategy, func(t *testing.T) {
			// However busy the machine is: that is not what this is about.
			url := startService(t, config.Service{
				Strategy: strategy, Endpoints: endpoints, Queue: config.Queue{Size: 2000, Timeout: config.Duration(30 * time.Second)},
				Backpressure: config.Backpressure{Off: true}, Timeouts: config.Timeouts{Connect: config.Duration(30 * time.Second)},
			})
			client := http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
				MaxConnsPerHost: 200, MaxIdleConnsPerHost: 200,
				DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			}}
			defer client.CloseIdleConnections()
			var all sync.WaitGroup
			for i := range 1000 {
				all.Go(func() {
					if err := echoed(&client, url, fmt.Sprintf("id-%d", i)); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
		})
	}
}

// echoed sends an id in a field and in the content, and tells if anything else
// comes back.
func echoed(client *http.Client, url, id string) error {
	req, err := http.NewRequest(http.MethodPut, url, io.NopCloser(io.LimitReader(&repeated{text: id}, int64(100*len(id)))))
	if err != nil {
		return err
	}
	req.Header.Set("X-Id", id)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	want, _ := io.ReadAll(io.LimitReader(&repeated{text: id}, int64(100*len(id))))
	if resp.StatusCode != http.StatusOK || resp.Header.Get("X-Id") != id || string(body) != string(want) {
		return fmt.Errorf("the request %s was answered with %s, id %s, %d bytes", id, resp.Status, resp.Header.Get("X-Id"), len(body))
	}
	return nil
}

// repeated is a text without end.
type repeated struct {
	text string
	at   int
}

func (r *repeated) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = r.text[r.at%len(r.text)]
		r.at++
	}
	return len(p), nil
}
