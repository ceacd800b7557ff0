//go:build real

package real

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// An endpoint whose packets are lost from one moment on, without a word, delays
// the first requests after it, and then no more.
func TestCutOffEndpoint_DelaysOnlyTheFirst(t *testing.T) {
	ns := newNamespace(t)
	lost := start(t, "ip", "netns", "exec", ns.name, endpointBinary, "-listen", ns.inside+":8000")
	lost.await(t, "listening on", 1)
	alive := startKillable(t, "127.0.0.1:0")
	w := startWeir(t, fmt.Sprintf(`
listeners: [{ address: "127.0.0.1:0" }]
services: { default: { endpoints: ["http://%s:8000", "http://%s"], timeouts: { connect: 500ms, response: 1s } } }`, ns.inside, alive.address))
	client := newHTTPClient(t)
	for range 20 {
		get(t, client, w.url("/"))
	}
	if n := w.metric(t, "weir_requests_total", ns.inside); n < 5 {
		t.Fatalf("only %v requests reached the endpoint in the namespace", n)
	}
	ns.cutOff(t)
	slow := 0
	for ; slow < 20; slow++ {
		if took, _ := ask(t, client, w.url("/")); took < 300*time.Millisecond && slow > 1 {
			if w.metric(t, "weir_endpoint_up", ns.inside) == 0 {
				break
			}
		}
	}
	var times []time.Duration
	for range 300 {
		took, status := ask(t, client, w.url("/"))
		if times = append(times, took); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
	}
	slices.Sort(times)
	t.Logf("after %d requests: median %v, 99%% %v, slowest %v", slow, times[150], times[297], times[299])
	if times[297] > 100*time.Millisecond || times[299] > 400*time.Millisecond {
		t.Errorf("they are slowed: 99%% %v, slowest %v", times[297], times[299])
	}
}

// ask returns how long a request takes, and its status.
func ask(t *testing.T, client *http.Client, url string) (time.Duration, int) {
	t.Helper()
	began := time.Now()
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return time.Since(began), resp.StatusCode
}

// A namespace is a network of its own, joined to this one by a pair of virtual
// interfaces.
type namespace struct{ name, outside, inside, far string }

// namespaces counts those of this process: each gets four addresses of its own.
var namespaces atomic.Int32

func newNamespace(t *testing.T) *namespace {
	t.Helper()
	id, n := os.Getpid(), int(namespaces.Add(1)-1)%64
	net := fmt.Sprintf("10.%d.%d", 200+id/256%50, id%256)
	near, far := fmt.Sprintf("wn%d-%d", id, n), fmt.Sprintf("wf%d-%d", id, n)
	ns := &namespace{
		name:    fmt.Sprintf("weir%d-%d", id, n),
		outside: fmt.Sprintf("%s.%d", net, 4*n+1),
		inside:  fmt.Sprintf("%s.%d", net, 4*n+2),
		far:     far,
	}
	output(t, "ip", "netns", "add", ns.name)
	t.Cleanup(func() {
		_ = exec.Command("ip", "link", "del", near).Run()
		_ = exec.Command("ip", "netns", "del", ns.name).Run()
	})
	output(t, "ip", "link", "add", near, "type", "veth", "peer", "name", far, "netns", ns.name)
	output(t, "ip", "addr", "add", ns.outside+"/30", "dev", near)
	output(t, "ip", "link", "set", near, "up")
	output(t, "ip", "-n", ns.name, "addr", "add", ns.inside+"/30", "dev", far)
	output(t, "ip", "-n", ns.name, "link", "set", far, "up")
	return ns
}

// cutOff has the namespace drop whatever it would send: packets arrive there, and
// nothing ever comes back.
func (ns *namespace) cutOff(t *testing.T) {
	t.Helper()
	output(t, "ip", "-n", ns.name, "route", "add", "blackhole", ns.outside+"/32")
}

// restore ends cutOff.
func (ns *namespace) restore(t *testing.T) {
	t.Helper()
	output(t, "ip", "-n", ns.name, "route", "del", "blackhole", ns.outside+"/32")
}

// unplug takes the namespace's end of the cable away, so that nothing arrives there
// either; plug puts it back.
func (ns *namespace) unplug(t *testing.T) {
	t.Helper()
	output(t, "ip", "-n", ns.name, "link", "set", ns.far, "down")
}

func (ns *namespace) plug(t *testing.T) {
	t.Helper()
	output(t, "ip", "-n", ns.name, "link", "set", ns.far, "up")
}
