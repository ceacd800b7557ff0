package consul

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"
	"go.uber.org/goleak"

	"github.com/weirproxy/weir/provider"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// enough is how long a test waits for what is to happen.
const enough = 20 * time.Second

// A listener hears what a provider tells.
type listener struct {
	t       *testing.T
	updates chan provider.Update
}

// listen watches a service until the test is over.
func listen(t *testing.T, o Options) listener {
	t.Helper()
	o.Service = cmp.Or(o.Service, "web")
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	l := listener{t, make(chan provider.Update, 1000)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- p.Watch(ctx, func(u provider.Update) { l.updates <- u }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Watch: %v", err)
		}
	})
	return l
}

func short(u provider.Update) string {
	if u.Err != nil {
		return "error: " + u.Err.Error()
	}
	var words []string
	for _, e := range u.Endpoints {
		words = append(words, e.Name+"="+e.Address.String())
	}
	return strings.Join(words, " ")
}

// hears waits until it is told what contains a text.
func (l listener) hears(what func(told string) bool, want string) provider.Update {
	l.t.Helper()
	late := time.After(enough)
	last := "nothing"
	for {
		select {
		case u := <-l.updates:
			if last = short(u); what(last) {
				return u
			}
		case <-late:
			l.t.Fatalf("told %q last, want %q", last, want)
		}
	}
}

func (l listener) has(want string) provider.Update {
	l.t.Helper()
	return l.hears(func(told string) bool { return told == want }, want)
}

func (l listener) fails(want string) {
	l.t.Helper()
	l.hears(func(told string) bool { return strings.HasPrefix(told, "error: ") && strings.Contains(told, want) }, want)
}

// consul returns the address of a Consul, a real one if there is one, and says which.
func consul(t *testing.T) (address string, agent *api.Agent) {
	t.Helper()
	if address = os.Getenv(api.HTTPAddrEnvName); address != "" {
		t.Logf("against the Consul at %s, as %s says", address, api.HTTPAddrEnvName)
	} else {
		t.Logf("against a scripted server that answers blocking queries as Consul documents them; set %s for a real one", api.HTTPAddrEnvName)
		address = newScript().serve(t)
	}
	transport := &http.Transport{}
	client, err := api.NewClient(&api.Config{Address: address, HttpClient: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return address, client.Agent()
}

// register registers an instance with a check that passes, and takes it back in the end.
func register(t *testing.T, agent *api.Agent, r api.AgentServiceRegistration) {
	t.Helper()
	r.Check = &api.AgentServiceCheck{CheckID: r.ID + "-ttl", TTL: "10m", Status: api.HealthPassing}
	if err := agent.ServiceRegister(&r); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = agent.ServiceDeregister(r.ID) })
}

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestProvider_FollowsAService(t *testing.T) {
	address, agent := consul(t)
	service := "weir-test-" + strings.ToLower(rand.Text()[:8])
	a, b := service+"-a", service+"-b"
	l := listen(t, Options{Address: address, Service: service})
	l.has("")
	register(t, agent, api.AgentServiceRegistration{
		ID: a, Name: service, Address: "10.0.0.20", Port: 8000, Tags: []string{"public", "zone=eu-1"},
		Meta: map[string]string{"version": "v2", "rack": "7"}, Weights: &api.AgentWeights{Passing: 3, Warning: 1},
	})
	u := l.has(a + "=http://10.0.0.20:8000")
	if e := u.Endpoints[0]; e.Version != "v2" || e.Zone != "eu-1" || e.Weight != 3 || e.Labels["rack"] != "7" || len(e.Labels) != 1 {
		t.Errorf("the instance is read as %+v", e)
	}
	register(t, agent, api.AgentServiceRegistration{ID: b, Name: service, Address: "10.0.0.21", Port: 8000})
	l.has(b + "=http://10.0.0.21:8000 " + a + "=http://10.0.0.20:8000") // sorted by version
	listen(t, Options{Address: address, Service: service, Tags: []string{"public", "zone=eu-1"}, Scheme: "https"}).has(a + "=https://10.0.0.20:8000")

	do(t, agent.UpdateTTL(a+"-ttl", "", api.HealthCritical))
	l.has(b + "=http://10.0.0.21:8000")
	do(t, agent.UpdateTTL(a+"-ttl", "", api.HealthWarning))
	do(t, agent.UpdateTTL(b+"-ttl", "", api.HealthWarning))
	l.has("")
	do(t, agent.UpdateTTL(a+"-ttl", "", api.HealthPassing))
	l.has(a + "=http://10.0.0.20:8000")
	do(t, agent.ServiceDeregister(a))
	l.has("")
}

// one adds an instance.
func (s *script) one(id, address string) {
	s.change(func() {
		s.instances[id] = &instance{api.AgentService{ID: id, Service: "web", Address: address, Port: 80}, api.HealthPassing}
	})
}

func TestProvider_WaitsForTheIndexThatItKnows(t *testing.T) {
	s := newScript()
	s.one("a", "a")
	l := listen(t, Options{Address: s.serve(t), Tags: []string{}})
	l.has("a=http://a")
	s.one("b", "b")
	l.has("a=http://a b=http://b")
	if got := s.queries()[:2]; !slices.Equal(got, []string{"index= ", "index=11 "}) {
		t.Errorf("it asked %q", got)
	}
}

func TestProvider_AsksAnewWhenTheIndexGoesBack(t *testing.T) {
	s := newScript()
	s.index = 1000
	s.one("a", "a")
	l := listen(t, Options{Address: s.serve(t)})
	l.has("a=http://a")
	// A snapshot of long ago was restored: those who wait are answered with it.
	s.change(func() {
		delete(s.instances, "a")
		s.deny = func(http.ResponseWriter) bool { s.index, s.deny = 5, nil; return false }
	})
	l.has("")
	s.one("b", "b")
	l.has("b=http://b")
	if got := s.queries(); got[2] != "index= " {
		t.Errorf("it asked %q, want the third without an index", got)
	}
}

func TestProvider_WaitsEvenIfTheIndexIsNone(t *testing.T) {
	for name, index := range map[string]string{"0": "0", "nothing": "", "garbage": "x"} {
		s := newScript()
		s.index = 0
		s.answers = func(h http.Header) { h.Set("X-Consul-Index", index) }
		l := listen(t, Options{Address: s.serve(t)})
		l.has("")
		s.change(func() {
			s.instances["a"] = &instance{api.AgentService{ID: "a", Service: "web", Address: "a", Port: 80}, api.HealthPassing}
		})
		s.change(func() {})
		l.has("a=http://a")
		for i, q := range s.queries() {
			if want := "index=1 "; i > 0 && q != want {
				t.Errorf("with index %s it asked %q, want %q", name, q, want)
			}
		}
	}
}

func TestFollowing_IsNeverWithoutAnIndexForLong(t *testing.T) {
	for _, tc := range []struct{ last, got, want uint64 }{
		{0, 7, 7}, {7, 7, 7}, {7, 9, 9}, {7, 6, 0}, {0, 0, 1}, {1, 0, 1}, {7, 0, 0}, {1, 1, 1},
	} {
		if got := following(tc.last, tc.got); got != tc.want {
			t.Errorf("after %d and the answer %d it waits for %d, want %d", tc.last, tc.got, got, tc.want)
		}
	}
}

func TestProvider_TellsAnOutageAndItsEnd(t *testing.T) {
	s := newScript()
	s.one("a", "a")
	l := listen(t, Options{Address: s.serve(t)})
	l.has("a=http://a")
	deny := func(status int, text string) {
		s.change(func() {
			s.deny = func(w http.ResponseWriter) bool { http.Error(w, text, status); return true }
		})
	}
	deny(500, "No cluster leader")
	l.fails(`it answers 500 Internal Server Error: "No cluster leader`)
	deny(403, "Permission denied")
	l.fails("it answers 403 Forbidden")
	deny(302, "elsewhere")
	l.fails("it answers 302 Found")
	s.change(func() {
		s.deny = func(w http.ResponseWriter) bool { _, _ = w.Write([]byte(`{"no": "list"}`)); return true }
	})
	l.fails("cannot unmarshal object")
	s.change(func() {
		s.deny, s.answers = nil, func(h http.Header) { h.Set("X-Consul-Results-Filtered-By-ACLs", "true") }
	})
	l.has("a=http://a") // some are shown, and count
	s.change(func() { clear(s.instances) })
	l.fails("the token lacks service:read")
	s.change(func() { s.answers = nil })
	s.one("b", "b")
	l.has("b=http://b")
}

func TestProvider_SaysTheSameOfTheSameOutage(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	l := listen(t, Options{Address: gone.URL})
	l.fails("connection refused")
	select {
	case u := <-l.updates:
		t.Errorf("it also told %q", short(u))
	case <-time.After(300 * time.Millisecond): // a few attempts; whether there were some does not matter
	}
}

func TestProvider_VerifiesConsul(t *testing.T) {
	s := newScript()
	s.one("a", "a")
	server := httptest.NewUnstartedServer(s)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of who does not trust it
	server.StartTLS()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	ca := filepath.Join(t.TempDir(), "ca.pem")
	do(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	listen(t, Options{Address: server.URL, CA: ca}).has("a=http://a")
	listen(t, Options{Address: server.URL}).fails("certificate signed by unknown authority")
}

func TestProvider_ShowsItsToken(t *testing.T) {
	s := newScript()
	shown := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown <- r.Header.Get("X-Consul-Token") + " " + r.URL.Query().Get("dc") + " " + r.URL.Path
		r.URL.Path = strings.TrimPrefix(r.URL.Path, "/base")
		s.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	listen(t, Options{Address: server.URL + "/base", Token: "secret", Datacenter: "dc1"}).has("")
	if got, want := <-shown, "secret dc1 /base/v1/health/service/web"; got != want {
		t.Errorf("it asked %q, want %q", got, want)
	}
}
