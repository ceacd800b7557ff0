//go:build real

package real

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/weirproxy/weir/test/real/ledger"
)

// Under constant load of three kinds, endpoints are put, weighed, drained and removed
// through the API a thousand times, the very ones that serve the load, and the file is
// read again two hundred times. No client notices, no tunnel is cut, no counter goes
// back, memory stays; and what was changed survives a SIGKILL.
func TestLiveChange_CostsNoClientAnything(t *testing.T) {
	changes, reloads := 1000, 200
	if testing.Short() {
		changes, reloads = 200, 40
	}
	s := newScene(t)
	s.proxy = startFile(t, s.file)
	began := time.Now()
	l := s.load(t)
	l.crowd.await(t, 50) // it has begun
	s.change(t, changes/5, reloads/5)
	before := s.proxy.memory(t, "VmRSS")
	s.change(t, changes-changes/5, reloads-reloads/5)
	after := s.proxy.memory(t, "VmRSS")
	took := time.Since(began)
	requests := l.end(t, s)
	t.Logf("%d changes and %d reloads in %v, under %d requests: %d KiB resident after a fifth of them, %d KiB after all",
		changes, reloads, took.Round(time.Millisecond), requests, before, after)
	if after > before+mostChanged {
		t.Errorf("memory has grown from %d to %d KiB", before, after)
	}
	s.checkRestart(t)
}

// mostChanged is how much more memory Weir may hold after hundreds of changes, in KiB.
const mostChanged = 30 << 10

// A scene is a Weir with three services, and what is known of them.
type scene struct {
	proxy    *proxy
	file     string
	services []*staged
	books    []*bookkeeper
}

// A staged service has endpoints a to d: a is always in the file, b every other time,
// c and d never; all are changed through the API, a is the only one that is never
// removed.
type staged struct {
	name, health string
	urls         []string
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{file: filepath.Join(t.TempDir(), "weir.yaml")}
	web, books, socket := &staged{name: "web", health: "/"}, &staged{name: "ledger", health: "/" + checkID}, &staged{name: "socket", health: "/"}
	for range 4 {
		web.urls = append(web.urls, "http://"+startKillable(t, "127.0.0.1:0").address)
		b := newBookkeeper(t)
		s.books = append(s.books, b)
		books.urls = append(books.urls, "http://"+b.address)
		socket.urls = append(socket.urls, serve(t, echoIfAsked))
	}
	s.services = []*staged{web, books, socket}
	s.write(t, 0)
	return s
}

// checkID is what bookkeepers take a health check for.
const checkID = "check"

// endpointName is how an endpoint of a staged service is called.
func endpointName(i int) string { return string(rune('a' + i)) }

// write writes the file in one step; n tells what is in it this time.
func (s *scene) write(t *testing.T, n int) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "listeners: [{ address: \"127.0.0.1:0\" }]\nadmin: { address: \"127.0.0.1:0\" }\nstate: %q\nservices:\n", s.state())
	for _, one := range s.services {
		b.WriteString(one.yaml(n))
	}
	routes := "routes:\n  - { match: { host: chaos.example }, service: ledger }\n  - { match: { path: \"/socket/*\" }, service: socket }\n"
	if n%2 == 1 {
		fmt.Fprintf(&b, "  more: { endpoints: [%q] }\n", s.services[0].urls[n%4])
		routes += "  - { match: { path: \"/more/{any}/*\" }, service: more }\n"
	}
	b.WriteString(routes + "  - { service: web }\n")
	writeFile(t, s.file+".new", b.String())
	if err := os.Rename(s.file+".new", s.file); err != nil {
		t.Fatal(err)
	}
}

func (s *scene) state() string { return filepath.Join(filepath.Dir(s.file), "state.json") }

// yaml is the service as it is written the nth time.
func (s *staged) yaml(n int) string {
	text := fmt.Sprintf("  %s:\n    endpoints: [{ name: a, url: %q }", s.name, s.urls[0])
	if n%2 == 1 {
		text += fmt.Sprintf(", { name: b, url: %q, weight: 2 }", s.urls[1])
	}
	text += "]\n    balance: " + []string{"round_robin", "least_load", "random", "first", "hash", "maglev"}[n%6] + "\n"
	for _, more := range []struct {
		every int
		text  string
	}{
		{3, fmt.Sprintf("    health: { path: %q, interval: 50ms, timeout: 5s }\n", s.health)},
		{4, "    concurrency: 10000\n"},
		{5, "    slow_start: 200ms\n"},
		{7, "    sticky: { cookie: c, secret: something-long-enough-to-be-one }\n"},
	} {
		if n%more.every == 1 {
			text += more.text
		}
	}
	return text
}

// change makes changes through the API, and meanwhile has the file read again.
func (s *scene) change(t *testing.T, changes, reloads int) {
	t.Helper()
	var all sync.WaitGroup
	for i, service := range s.services {
		all.Go(func() {
			for n := range (changes + 2 - i) / len(s.services) {
				s.changeOne(t, service, n)
			}
		})
	}
	all.Go(func() {
		for n := range reloads {
			s.write(t, n+1)
			askAdmin(t, s.proxy, 200, "POST", "/v1/reload", "")
		}
	})
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// changeOne is the nth change of a service: each endpoint in turn is put, drained,
// called back, removed, and put again with another weight. a is not removed, but put.
func (s *scene) changeOne(t *testing.T, service *staged, n int) {
	i := n / 5 % 4
	path := fmt.Sprintf("/v1/services/%s/endpoints/%s", service.name, endpointName(i))
	put := fmt.Sprintf(`{"url": %q, "weight": %d}`, service.urls[i], 1+n%7)
	switch n % 5 {
	case 0, 4:
		askAdmin(t, s.proxy, 0, "PUT", path, put)
	case 1:
		askAdmin(t, s.proxy, 200, "POST", path+"/drain", "")
	case 2:
		askAdmin(t, s.proxy, 200, "DELETE", path+"/drain", "")
	case 3:
		if i == 0 {
			askAdmin(t, s.proxy, 200, "PUT", path, put)
			return
		}
		askAdmin(t, s.proxy, 204, "DELETE", path, "")
	}
}

// checkRestart holds that what was changed is there after a SIGKILL, and in a file that
// is whole.
func (s *scene) checkRestart(t *testing.T) {
	t.Helper()
	for i := range 4 {
		askAdmin(t, s.proxy, 0, "PUT", "/v1/services/web/endpoints/"+endpointName(i), fmt.Sprintf(`{"url": %q}`, s.services[0].urls[i]))
	}
	askAdmin(t, s.proxy, 204, "DELETE", "/v1/services/web/endpoints/b", "")
	askAdmin(t, s.proxy, 200, "POST", "/v1/services/web/endpoints/d/drain", "")
	checkJSON(t, s.state())
	before := s.listings(t)
	s.proxy.stop(syscall.SIGKILL)
	checkJSON(t, s.state())
	s.proxy = startFile(t, s.file)
	for i, after := range s.listings(t) {
		if after != before[i] {
			t.Errorf("before a SIGKILL the endpoints of %s are %s\nand after it %s", s.services[i].name, before[i], after)
		}
	}
}

// listings is who serves each service.
func (s *scene) listings(t *testing.T) (all []string) {
	t.Helper()
	for _, one := range s.services {
		all = append(all, askAdmin(t, s.proxy, 200, "GET", "/v1/services/"+one.name+"/endpoints", ""))
	}
	return all
}

// audit holds the ledgers against what the customers report.
func (s *scene) audit(t *testing.T, reports []ledger.Report) {
	t.Helper()
	var entries []ledger.Entry
	for _, b := range s.books {
		for _, e := range b.entries(t) {
			if e.ID != checkID {
				entries = append(entries, e)
			}
		}
	}
	rules := ledger.Rules{
		Bound: patience, Attempts: 1, Gentle: true, Buffer: 1 << 30,
		Harmed: func(string, time.Time, time.Time) bool { return false },
	}
	violations := ledger.Audit(rules, reports, entries)
	for _, v := range violations[:min(len(violations), mostStories)] {
		t.Errorf("%s: %s", v.ID, v.What)
	}
	t.Logf("%s; %d violations", ledger.Tally(reports), len(violations))
}
