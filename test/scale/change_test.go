//go:build unix

package scale

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weirproxy/weir"
	"github.com/weirproxy/weir/config"
)

// A registry of 10,000 endpoints in 1,000 services: a change of one is there for the
// next request, and while nothing changes, nothing is done.
func TestManyServices_ChangesAreThereAtOnce(t *testing.T) {
	m := startMany(t, size(1000, 1000, 100), 10)
	changes := size(50, 20, 5)
	t.Run("through the API", func(t *testing.T) {
		m.measure(t, changes, 100*time.Millisecond, func(i int) {
			m.put(t, fmt.Sprintf("/v1/services/s%d/endpoints/new", i), fmt.Sprintf(`{"url": %q}`, m.fresh))
		})
	})
	t.Run("by another configuration", func(t *testing.T) {
		m.measure(t, changes, 0, func(i int) {
			name := fmt.Sprintf("s%d", i)
			c := m.config()
			s := c.Services[name]
			s.Endpoints = append(s.Endpoints, config.Endpoint{Name: "newer", URL: m.fresher})
			c.Services[name] = s
			if err := m.proxy.Apply(c); err != nil {
				t.Fatal(err)
			}
		})
	})
	t.Run("and then nothing is done", m.checkRest)
}

// many is a proxy of many services with a few endpoints each.
type many struct {
	proxy                      *weir.Proxy
	services, endpoints        int
	old, fresh, fresher, admin string // URLs
	client                     *client
}

func startMany(t *testing.T, services, endpoints int) *many {
	t.Helper()
	m := &many{services: services, endpoints: endpoints, old: answering(t, "old"), fresh: answering(t, "new"), fresher: answering(t, "newer")}
	m.client = newClient(patience)
	t.Cleanup(m.client.CloseIdleConnections)
	began := time.Now()
	p, err := weir.New(m.config(), weir.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))
	if err == nil {
		err = p.Listen()
	}
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- p.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := p.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	t.Logf("%d services with %d endpoints each are there after %v", services, endpoints, time.Since(began).Round(time.Millisecond))
	m.proxy, m.admin = p, "http://"+p.AdminAddress()
	return m
}

// answering starts an endpoint that answers with its name.
func answering(t *testing.T, name string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) }))
	t.Cleanup(s.Close)
	return s.URL
}

// config is what the proxy begins with: endpoints are many names of one address.
func (m *many) config() weir.Config {
	c := weir.Config{
		Listeners: []config.Listener{{Address: "127.0.0.1:0"}},
		Admin:     config.Admin{Address: "127.0.0.1:0"},
		Routes:    []config.Route{{Service: "{service}", Match: config.Match{Path: "/{service}/*"}}},
		Services:  map[string]config.Service{},
	}
	for i := range m.services {
		var s config.Service
		for n := range m.endpoints {
			s.Endpoints = append(s.Endpoints, config.Endpoint{Name: fmt.Sprintf("e%d", n), URL: m.old})
		}
		c.Services[fmt.Sprintf("s%d", i)] = s
	}
	return c
}

func (m *many) put(t *testing.T, path, body string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPut, m.admin+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := m.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("PUT %s is answered %s", path, resp.Status)
	}
}

// measure makes changes to one service after the other, and tells how long it takes
// until a request is answered by who has come. When figures are wanted, half of them
// are to be there within a bound, unless that is 0.
func (m *many) measure(t *testing.T, changes int, bound time.Duration, change func(service int)) {
	t.Helper()
	took := make([]time.Duration, changes)
	for i := range took {
		service := i * (m.services / changes)
		m.ask(t, service) // who it is that asks is connected
		began := time.Now()
		change(service)
		for m.ask(t, service) == "old" {
			if time.Since(began) > patience {
				t.Fatalf("%v after a change of service s%d nothing is seen of it", patience, service)
			}
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	t.Logf("%d changes were there after %v (median), %v at most", changes, took[changes/2].Round(10*time.Microsecond), took[changes-1].Round(10*time.Microsecond))
	if bound == 0 || !long() {
		bound = 10 * time.Second // the machine may be busy
	}
	if took[changes/2] > bound {
		t.Errorf("half of the changes took longer than %v to be there, want %v", took[changes/2], bound)
	}
}

// ask sends a request to a service, and returns who has answered: the newest that has
// come, if that is one of those that take turns now.
func (m *many) ask(t *testing.T, service int) (who string) {
	t.Helper()
	resp, text, err := m.client.get(fmt.Sprintf("http://%s/s%d/", m.proxy.Addresses()[0], service))
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("a request is answered %v %q (%v)", resp, text, err)
	}
	return text
}

// checkRest tells how much of a processor is taken while nobody asks for anything.
func (m *many) checkRest(t *testing.T) {
	wait := time.Duration(size(5000, 1000, 200)) * time.Millisecond
	debug.FreeOSMemory() // what was done before is not to be cleared away meanwhile
	before, began := processorTime(t), time.Now()
	time.Sleep(wait)
	taken, passed := processorTime(t)-before, time.Since(began)
	share := float64(taken) / float64(passed)
	t.Logf("at rest, %v of processor time within %v: %.2f%%", taken, passed.Round(time.Millisecond), 100*share)
	if long() && share > 0.05 {
		t.Errorf("at rest it takes %.1f%% of a processor", 100*share)
	}
}

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		t.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
