package worker_test

import (
	"maps"
	"net/http"
	"testing"

	"github.com/weirproxy/weir/internal/attach"
	"github.com/weirproxy/weir/worker"
)

func TestServe_AttachesByUpgradeInClearText(t *testing.T) {
	g := openGate(t, attach.Options{}, anonymous)
	labels := map[string]string{"gpu": "a100", "city": "Zürich, CH", "a=b": ""}
	r := serve(t, worker.Options{
		Routers: []string{g.address}, Service: "web", Version: "v3", Instance: "one", Weight: 7, Zone: "z1", Labels: labels,
		Concurrency: 5,
	}, http.HandlerFunc(hello))
	a := g.next()
	id := a.identity
	if id.Service != "web" || id.Version != "v3" || id.Instance != "one" || id.Weight != 7 || id.Zone != "z1" || !maps.Equal(id.Labels, labels) {
		t.Errorf("the router takes the worker for %+v", id)
	}
	if n := a.Capacity(); n != 5 {
		t.Errorf("the worker takes %d requests at a time, not the 5 of Options.Concurrency", n)
	}
	expect(t, a.Conn, "GET", "/x?y", "GET /x?y ")
	if err := r.end(); err != nil {
		t.Errorf("Serve returns %v after a clean drain, not nil", err)
	}
}

func TestServe_AttachesByEveryProtocolOverTLS(t *testing.T) {
	for _, p := range []worker.Protocol{worker.PTTH, worker.RH2, worker.RHTTP} {
		t.Run(p.String(), func(t *testing.T) {
			ca := newAuthority(t)
			g := openGate(t, attach.Options{TLS: ca.server(t)}, tokens)
			told := make(chan string, 1)
			o := worker.Options{
				Routers: []string{"https://" + g.address}, Protocol: p, Service: "web", Version: "", Token: "alpha-token",
				TLS: ca.client(t, ""), OnAttached: func(router string) { told <- router },
			}
			want := "web"
			if p == worker.RHTTP {
				o.TLS, want = ca.client(t, "worker.example.com"), "shop"
			}
			r := serve(t, o, http.HandlerFunc(hello))
			a := g.next()
			if a.identity.Service != want {
				t.Errorf("the router takes the worker for %+v, not for %s", a.identity, want)
			}
			if router := <-told; router != o.Routers[0] {
				t.Errorf("OnAttached is told of %q, not of %q", router, o.Routers[0])
			}
			expect(t, a.Conn, "PUT", "/", "PUT / ")
			if err := r.end(); err != nil {
				t.Errorf("Serve returns %v after a clean drain, not nil", err)
			}
		})
	}
}
