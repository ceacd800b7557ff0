//go:build real

package real

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// etcd and ZooKeeper are killed under load, go on where Weir does not see them, and are
// back: no client notices, Weir says what is up, and who registered meanwhile serves.
func TestRegistries_KilledAndRestartedCostNoClientAnything(t *testing.T) {
	e, z := newEtcd(t), newZooKeeper(t)
	a, b, c, d := hosts(t), hosts(t), hosts(t), hosts(t)
	put(t, etcdClient(t, e.address), "/weir/leased/a", a, "/weir/leased/b", b)
	write(t, zooClient(t, z.address), "/weir/mourned/a", a, "/weir/mourned/b", b)
	w := startWeir(t, fmt.Sprintf(`
listeners: [{ address: "127.0.0.1:0" }]
errors: verbose
services:
  leased: { provider: { etcd: { endpoints: %q } } }
  mourned: { provider: { zookeeper: { servers: %q, session: 4s } } }
routes: [{ match: { path: "/leased/*" }, service: leased }, { service: mourned }]`, e.address, z.address))
	w.awaitSource(t, "leased", "ok", "a", "b")
	w.awaitSource(t, "mourned", "ok", "a", "b")
	end := askBoth(t, w)

	e.kill()
	z.kill()
	for _, service := range []string{"leased", "mourned"} {
		s := w.awaitSource(t, service, "failing", "a", "b")
		if s.Sources[0].Error == "" {
			t.Errorf("it is not told why the source of %s fails: %+v", service, s.Sources[0])
		}
	}
	elsewhere := vacant(t)
	e.start(t, elsewhere)
	put(t, etcdClient(t, elsewhere), "/weir/leased/c", c)
	e.kill()
	elsewhere = vacant(t)
	z.start(t, elsewhere)
	z.ready(t, elsewhere)
	write(t, zooClient(t, elsewhere), "/weir/mourned/c", c)
	z.kill()

	began := time.Now()
	e.start(t, e.address)
	w.awaitSource(t, "leased", "ok", "a", "b", "c")
	t.Logf("what was registered meanwhile is there %v after etcd was started", time.Since(began).Round(time.Millisecond))
	began = time.Now()
	z.start(t, z.address)
	w.awaitSource(t, "mourned", "ok", "a", "b", "c")
	t.Logf("what was registered meanwhile is there %v after ZooKeeper was started", time.Since(began).Round(time.Millisecond))

	z.ready(t, z.address)
	letGo := register(t, e, "/weir/leased/d", d)
	w.awaitSource(t, "leased", "ok", "a", "b", "c", "d")
	letGo()
	w.awaitSource(t, "leased", "ok", "a", "b", "c")
	letGo = enlist(t, z, "/weir/mourned/d", d)
	w.awaitSource(t, "mourned", "ok", "a", "b", "c", "d")
	letGo()
	w.awaitSource(t, "mourned", "ok", "a", "b", "c")
	t.Logf("%d requests meanwhile", end())
	for _, service := range []string{"leased", "mourned"} {
		if w.metric(t, "weir_requests_total", `service="`+service+`"`, `endpoint="c"`) == 0 {
			t.Errorf("the endpoint of %s that was registered meanwhile has got no request", service)
		}
	}
}

// hosts starts an endpoint and returns its URL.
func hosts(t *testing.T) string {
	t.Helper()
	return "http://" + startKillable(t, "127.0.0.1:0").address
}

// askBoth has wrk ask both services until end is called, which returns how many
// requests there were.
func askBoth(t *testing.T, w *proxy) (end func() int64) {
	t.Helper()
	var requests atomic.Int64
	var asking sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	for _, path := range []string{"/leased/x", "/x"} {
		asking.Go(func() {
			for ctx.Err() == nil {
				l := wrkOver(t, 8, w.url(path), 2*time.Second)
				requests.Add(int64(l.requests))
				if l.failed {
					t.Errorf("wrk said of %s:\n%s", path, l.report)
				}
			}
		})
	}
	end = func() int64 {
		stop()
		asking.Wait()
		return requests.Load()
	}
	t.Cleanup(func() { end() })
	return end
}

// A sourced service is what the admin API shows of one with a source.
type sourced struct {
	Sources   []struct{ Kind, State, Error string }
	Endpoints []struct{ Name, Source string }
}

// awaitSource waits until the source of a service is in a state, and the service has
// these endpoints.
func (p *proxy) awaitSource(t *testing.T, service, state string, endpoints ...string) (s sourced) {
	t.Helper()
	for late := time.Now().Add(recovery); ; time.Sleep(20 * time.Millisecond) {
		text := askAdmin(t, p, 200, "GET", "/v1/services/"+service, "")
		s = sourced{}
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		var names []string
		for _, one := range s.Endpoints {
			names = append(names, one.Name)
		}
		if len(s.Sources) == 1 && s.Sources[0].State == state && slices.Equal(names, endpoints) {
			return s
		}
		if time.Now().After(late) {
			t.Fatalf("within %v the source of %s is not %s with endpoints %q, but it is shown as %s", recovery, service, state, endpoints, text)
		}
	}
}

// register registers an endpoint with a lease, which is kept alive until letGo.
func register(t *testing.T, s *etcdServer, key, url string) (letGo func()) {
	t.Helper()
	c := etcdClient(t, s.address)
	lease, err := c.Grant(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	ctx, letGo := context.WithCancel(t.Context())
	kept, err := c.KeepAlive(ctx, lease.ID)
	if err == nil {
		_, err = c.Put(t.Context(), key, url, clientv3.WithLease(lease.ID))
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for range kept {
		}
	}()
	return letGo
}

// enlist registers an endpoint with an ephemeral node, whose session is not ended but
// falls silent with letGo.
func enlist(t *testing.T, s *zooServer, node, url string) (letGo func()) {
	t.Helper()
	var mu sync.Mutex
	var conns []net.Conn
	dead := false
	c, _, err := zk.Connect([]string{s.address}, 2*time.Second, zk.WithLogInfo(false), zk.WithLogger(silent{}),
		zk.WithDialer(func(network, address string, timeout time.Duration) (net.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			if dead {
				return nil, errors.New("who enlisted is dead")
			}
			conn, err := net.DialTimeout(network, address, timeout)
			if err == nil {
				conns = append(conns, conn)
			}
			return conn, err
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if _, err := c.Create(node, []byte(url), zk.FlagEphemeral, everybody); err != nil {
		t.Fatal(err)
	}
	return func() {
		mu.Lock()
		defer mu.Unlock()
		dead = true
		for _, conn := range conns {
			_ = conn.Close()
		}
	}
}
