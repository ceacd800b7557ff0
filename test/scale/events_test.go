//go:build unix

package scale

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// An event is what a router said of a worker, and when that came.
type event struct {
	kind, endpoint string
	at             time.Time
}

// follow returns what a router says from now on, until the test ends.
func (r *router) follow(t *testing.T) <-chan event {
	t.Helper()
	transport := &http.Transport{}
	resp, err := (&http.Client{Transport: transport}).Get("http://" + r.admin + "/v1/events")
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("the events are not to be had: %v %v", resp, err)
	}
	events := make(chan event, 1<<12)
	t.Cleanup(func() {
		_ = resp.Body.Close()
		for range events {
		}
		transport.CloseIdleConnections()
	})
	in := bufio.NewScanner(resp.Body)
	in.Scan() // the first line is there once nothing is missed
	go func() {
		defer close(events)
		kind := ""
		for in.Scan() {
			if name, ok := strings.CutPrefix(in.Text(), "event: "); ok {
				kind = name
			}
			if data, ok := strings.CutPrefix(in.Text(), "data: "); ok {
				var e struct{ Endpoint string }
				_ = json.Unmarshal([]byte(data), &e)
				events <- event{kind, e.Endpoint, time.Now()}
			}
		}
	}()
	return events
}

// await returns when it was said of a worker.
func await(t *testing.T, events <-chan event, kind, endpoint string) time.Time {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case e := <-events:
			if e.kind == kind && e.endpoint == endpoint {
				return e.at
			}
		case <-late:
			t.Fatalf("there is no %s of %s", kind, endpoint)
		}
	}
}

// An attendance tells when workers are not only let in, but taken.
type attendance struct {
	mu    sync.Mutex
	taken map[string]chan struct{}
}

func (r *router) attendance(t *testing.T) *attendance {
	a := &attendance{taken: map[string]chan struct{}{}}
	events := r.follow(t)
	go func() {
		for e := range events {
			if e.kind == "worker_attached" {
				close(a.of(e.endpoint))
			}
		}
	}()
	return a
}

// of returns what is closed when the worker of that name is taken, which comes once.
func (a *attendance) of(name string) chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.taken[name] == nil {
		a.taken[name] = make(chan struct{})
	}
	return a.taken[name]
}

// attach attaches a worker, and returns when it is taken.
func (a *attendance) attach(address, name string, fields ...string) (*worker, error) {
	w, err := attach(address, name, fields...)
	if err != nil {
		return nil, err
	}
	select {
	case <-a.of(name):
		return w, nil
	case <-time.After(patience):
		w.leave()
		return nil, fmt.Errorf("worker %s is not taken", name)
	}
}
