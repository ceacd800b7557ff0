package admin

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A registry is Endpoints in memory. A service is known once it has had an endpoint.
type registry struct {
	mu       sync.Mutex
	services map[string][]Description // by full name
	refuse   error                    // what every change is answered with, if not nil
}

func newRegistry() *registry {
	return &registry{services: map[string][]Description{
		"web": {
			{Name: "a", URL: "http://10.0.0.1:80", Weight: 1, Source: "config", Headers: map[string]string{"X-Api-Key": "s3cret", "X-Team": "blue"}},
			{Name: "http://b/x", URL: "http://b/x", Weight: 2, Source: "etcd", Zone: "eu", Labels: map[string]string{"disk": "ssd"}},
		},
		"shop@v1": {{Name: "s", URL: "unix:/run/s", Weight: 1, Concurrency: 5, Source: "api", Draining: true}},
	}}
}

func (g *registry) List(service, version string) ([]Description, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	list, known := g.services[place{service, version, ""}.fullName()]
	return slices.Clone(list), known
}

func (g *registry) Change(service, version, name string, c Change, may func(*Description) bool) (*Description, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.refuse != nil {
		return nil, g.refuse
	}
	full := place{service, version, ""}.fullName()
	list := g.services[full]
	i := slices.IndexFunc(list, func(d Description) bool { return d.Name == name })
	var current *Description
	if i >= 0 {
		present := list[i]
		current = &present
	}
	if !may(current) {
		return nil, ErrPrecondition
	}
	switch c.Kind {
	case Remove:
		g.services[full] = slices.Delete(list, i, i+1)
		return nil, nil
	case Put:
		now := *c.Put
		now.Source = "api"
		if current == nil {
			g.services[full] = append(list, now)
			return &now, nil
		}
		now.Draining = current.Draining
		list[i] = now
		return &now, nil
	default:
		list[i].Draining = c.Kind == Drain
		now := list[i]
		return &now, nil
	}
}

// names are those of a service's endpoints.
func (g *registry) names(full string) string {
	var names []string
	for _, d := range g.services[full] {
		names = append(names, d.Name)
	}
	return strings.Join(names, " ")
}

// snapshot is all there is, to be compared later.
func (g *registry) snapshot() map[string][]Description { return maps.Clone(g.services) }

// An asked is an answer that is read whole.
type asked struct {
	status int
	header http.Header
	body   string
}

// tell sends a request with a body, and fields "Name: value", as JSON unless they
// say otherwise.
func tell(h http.Handler, method, target, body string, fields ...string) asked {
	r := httptest.NewRequest(method, "http://localhost"+target, strings.NewReader(body))
	if method != "GET" && method != "HEAD" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return asked{w.Code, w.Result().Header, w.Body.String()}
}

// wants fails the test unless the answer has that status, and says something.
func (a asked) wants(t *testing.T, what string, status int, says string) asked {
	t.Helper()
	if a.status != status || !strings.Contains(a.body, says) {
		t.Errorf("%s is answered with %d %s, want %d and %s", what, a.status, a.body, status, says)
	}
	return a
}
