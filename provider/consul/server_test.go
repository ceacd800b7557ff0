package consul

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"
)

// A script stands in for Consul where there is none: services can be registered, their
// checks updated, and blocking queries about them are answered as Consul's documentation
// of them says.
type script struct {
	mu        sync.Mutex
	index     uint64
	instances map[string]*instance
	changed   chan struct{} // closed at the next change
	asked     []string      // the queries about health, with index and tags
	deny      func(http.ResponseWriter) bool
	answers   func(http.Header) // has the last word about the head of an answer
}

type instance struct {
	api.AgentService
	status string
}

func newScript() *script {
	return &script{index: 10, instances: map[string]*instance{}, changed: make(chan struct{})}
}

// change changes something under the lock; those who wait for it are answered.
func (s *script) change(what func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	what()
	s.index++
	close(s.changed)
	s.changed = make(chan struct{})
}

// ServeHTTP implements http.Handler.
func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, id := r.URL.Path, r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	switch {
	case path == "/v1/agent/service/register":
		s.register(w, r)
	case strings.HasPrefix(path, "/v1/agent/check/update/"):
		var update struct{ Status string }
		if json.NewDecoder(r.Body).Decode(&update) == nil {
			s.change(func() { s.instances[strings.TrimSuffix(id, "-ttl")].status = update.Status })
		}
	case strings.HasPrefix(path, "/v1/agent/service/deregister/"):
		s.change(func() { delete(s.instances, id) })
	case strings.HasPrefix(path, "/v1/health/service/"):
		s.health(w, r, id)
	default:
		http.NotFound(w, r)
	}
}

func (s *script) register(w http.ResponseWriter, r *http.Request) {
	var form api.AgentServiceRegistration
	if err := json.NewDecoder(r.Body).Decode(&form); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	weights := api.AgentWeights{Passing: 1, Warning: 1}
	if form.Weights != nil {
		weights = *form.Weights
	}
	s.change(func() {
		s.instances[form.ID] = &instance{
			api.AgentService{ID: form.ID, Service: form.Name, Tags: form.Tags, Meta: form.Meta, Port: form.Port, Address: form.Address, Weights: weights},
			form.Check.Status,
		}
	})
}

// health answers a blocking query: at once if the index is not the one that the client
// knows, else when something has changed, or after the wait, with what there is then.
func (s *script) health(w http.ResponseWriter, r *http.Request, service string) {
	q := r.URL.Query()
	known, _ := strconv.ParseUint(q.Get("index"), 10, 64)
	wait, err := time.ParseDuration(q.Get("wait"))
	if err != nil {
		wait = 5 * time.Minute
	}
	over := time.After(wait + wait/16)
	s.mu.Lock()
	s.asked = append(s.asked, "index="+q.Get("index")+" "+strings.Join(q["tag"], ","))
	for waiting := known > 0; waiting && s.index <= known && s.deny == nil; {
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-over:
			waiting = false
		case <-r.Context().Done():
			return
		}
		s.mu.Lock()
	}
	defer s.mu.Unlock()
	if s.deny != nil && s.deny(w) {
		return
	}
	s.answer(w, service, q["tag"], q.Has("passing"))
}

func (s *script) answer(w http.ResponseWriter, service string, tags []string, passing bool) {
	list := []*api.ServiceEntry{}
	for _, i := range s.instances {
		lacks := slices.ContainsFunc(tags, func(tag string) bool { return !slices.Contains(i.Tags, tag) })
		if i.Service == service && !lacks && (i.status == api.HealthPassing || !passing) {
			list = append(list, &api.ServiceEntry{Node: &api.Node{Node: "n1", Address: "10.0.0.1"}, Service: &i.AgentService})
		}
	}
	w.Header().Set("X-Consul-Index", strconv.FormatUint(s.index, 10))
	w.Header().Set("X-Consul-LastContact", "0")
	w.Header().Set("X-Consul-KnownLeader", "true")
	if s.answers != nil {
		s.answers(w.Header())
	}
	_ = json.NewEncoder(w).Encode(list)
}

// queries returns what was asked about health so far.
func (s *script) queries() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// serve has a script answer at an address until the test is over.
func (s *script) serve(t *testing.T) (address string) {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}
