//go:build unix

package scale

import (
	"fmt"
	"net"
	"slices"
	"testing"
	"time"
)

func TestComingAndGoing_LeavesNothing(t *testing.T) {
	r := startRouter(t)
	a := r.attendance(t)
	comeAndGo(t, r, a, "before", size(1000, 600, 100))
	before, series, services := r.still(t)
	cycles := size(10000, 1500, 200)
	began := time.Now()
	comeAndGo(t, r, a, "then", cycles)
	took := time.Since(began)
	after, seriesAfter, servicesAfter := r.still(t)
	more := after.minus(before)
	t.Logf("%d workers came and went within %v: %+d goroutines, %+d descriptors, %+.0f KiB heap, %+.0f KiB resident, %+d series, %d services",
		cycles, took.Round(time.Millisecond), more.Goroutines, more.Descriptors, kib(more.Heap, 1), kib(more.Resident, 1), seriesAfter-series, len(servicesAfter))
	if !slices.Equal(services, servicesAfter) {
		t.Errorf("there are services %v, before there were %v", servicesAfter, services)
	}
	check(t, more, seriesAfter-series, cycles)
}

func TestServicesThatNobodyServes_AreForgotten(t *testing.T) {
	r := startRouter(t)
	const known = 1000 // at most, that only workers name
	n := size(5000, 1100, 1010)
	a := r.attendance(t)
	serveOnce(t, r, a, "first", n)
	before, series, services := r.still(t)
	began := time.Now()
	serveOnce(t, r, a, "second", n)
	took := time.Since(began)
	after, seriesAfter, servicesAfter := r.still(t)
	more := after.minus(before)
	t.Logf("%d new services within %v: %+d goroutines, %+d descriptors, %+.0f KiB heap, %+.0f KiB resident, %+d series, %d services",
		n, took.Round(time.Millisecond), more.Goroutines, more.Descriptors, kib(more.Heap, 1), kib(more.Resident, 1), seriesAfter-series, len(servicesAfter))
	if len(services) != known+1 || len(servicesAfter) != known+1 {
		t.Errorf("%d services are known, and then %d, want service default and %d", len(services), len(servicesAfter), known)
	}
	check(t, more, seriesAfter-series, n)
}

// check fails the test if something was left behind by n workers.
func check(t *testing.T, more usage, series, n int) {
	t.Helper()
	if more.Goroutines > 5 || more.Descriptors > 5 || series > 10 {
		t.Errorf("%d workers left %d goroutines, %d descriptors and %d series", n, more.Goroutines, more.Descriptors, series)
	}
	if most := 512<<10 + 32*n; more.Heap > most {
		t.Errorf("%d workers left %d bytes", n, more.Heap)
	}
}

// comeAndGo has n workers come to six services, and leave in one of three ways; a
// request comes for every tenth.
func comeAndGo(t *testing.T, r *router, a *attendance, prefix string, n int) {
	t.Helper()
	c := newClient(mostWait)
	defer c.CloseIdleConnections()
	errs := make([]error, n)
	each(n, func(i int) {
		service := fmt.Sprintf("s%d", i%6)
		w, err := a.attach(r.attach, fmt.Sprintf("%s-%d", prefix, i), "Weir-Service: "+service, "Weir-Version: v1")
		if err != nil {
			errs[i] = err
			return
		}
		if i%10 == 0 {
			_, _, errs[i] = c.get("http://" + r.clients + "/" + service + "/v1/")
		}
		switch i % 3 {
		case 0:
			w.leave()
		case 1:
			w.drain()
		case 2:
			_ = w.nc.(*net.TCPConn).SetLinger(0) // a reset
			w.leave()
		}
	})
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// serveOnce has n services be served for a moment.
func serveOnce(t *testing.T, r *router, a *attendance, prefix string, n int) {
	t.Helper()
	errs := make([]error, n)
	each(n, func(i int) {
		name := fmt.Sprintf("%s%d", prefix, i)
		w, err := a.attach(r.attach, name, "Weir-Service: "+name)
		if err != nil {
			errs[i] = err
			return
		}
		w.drain()
	})
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// still returns what the router takes when no worker is attached and nothing is
// under way any more.
func (r *router) still(t *testing.T) (u usage, series int, services []string) {
	t.Helper()
	r.awaitEndpoints(t, 0)
	services, _ = r.services(t)
	series = r.series(t)
	lowest := r.collected(t)
	for since := time.Now(); time.Since(since) < 300*time.Millisecond; time.Sleep(20 * time.Millisecond) {
		if now := r.collected(t); now.Goroutines < lowest.Goroutines || now.Descriptors < lowest.Descriptors {
			since = time.Now()
			lowest = now
		} else {
			lowest.Heap = min(lowest.Heap, now.Heap)
		}
	}
	return lowest, series, services
}
