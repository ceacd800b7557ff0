//go:build real

package real

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// A load is what wrk says of a run.
type load struct {
	requests int
	perSec   float64
	report   string
	failed   bool // something other than 2xx and 3xx, or an error of a socket
}

var (
	loadRequests = regexp.MustCompile(`(\d+) requests in`)
	loadPerSec   = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	loadFailures = regexp.MustCompile(`Non-2xx or 3xx responses|Socket errors`)
)

// wrk has 64 connections ask for a URL for that long.
func wrk(t *testing.T, url string, d time.Duration) load {
	t.Helper()
	return wrkOver(t, 64, url, d)
}

// wrkOver is wrk with that many connections.
func wrkOver(t *testing.T, connections int, url string, d time.Duration) load {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d+patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, "wrk", "-t1", fmt.Sprintf("-c%d", connections), fmt.Sprintf("-d%ds", int(d.Seconds())), url).CombinedOutput()
	if err != nil {
		t.Fatalf("wrk: %v\n%s", err, out)
	}
	requests, perSec := loadRequests.FindSubmatch(out), loadPerSec.FindSubmatch(out)
	if requests == nil || perSec == nil {
		t.Fatalf("wrk said:\n%s", out)
	}
	l := load{report: string(out), failed: loadFailures.Match(out)}
	l.requests, _ = strconv.Atoi(string(requests[1]))
	l.perSec, _ = strconv.ParseFloat(string(perSec[1]), 64)
	return l
}

// Under full load, one of three endpoints after the other is killed and started
// again, and no client notices.
func TestKilledEndpoints_CostNoClientAnything(t *testing.T) {
	d := 30 * time.Second
	if testing.Short() {
		d = 6 * time.Second
	}
	var endpoints []*killable
	var urls []string
	for range 3 {
		k := startKillable(t, "127.0.0.1:0")
		endpoints, urls = append(endpoints, k), append(urls, "http://"+k.address)
	}
	w := startPlain(t, urls...)
	done := make(chan load)
	go func() { done <- wrk(t, w.url("/"), d) }()
	kills := 0
	for turn, running := time.NewTicker(1500*time.Millisecond), true; running; {
		select {
		case l := <-done:
			turn.Stop()
			checkLoad(t, w, l)
			t.Logf("%d requests, %.0f a second, %d kills", l.requests, l.perSec, kills/2)
			running = false
		case <-turn.C:
			one := &endpoints[kills/2%3]
			if kills%2 == 0 {
				(*one).kill()
			} else {
				*one = startKillable(t, (*one).address)
			}
			kills++
		}
	}
}

// checkLoad holds that nothing failed, and that Weir's metrics say the same.
func checkLoad(t *testing.T, w *proxy, l load) {
	t.Helper()
	if l.failed {
		t.Errorf("wrk said:\n%s", l.report)
	}
	all := w.metric(t, "weir_requests_total")
	good := w.metric(t, "weir_requests_total", `code="2xx"`)
	failures := w.metric(t, "weir_errors_total")
	// Requests that wrk gave up when its time was over are not among its own.
	gone := w.metric(t, "weir_errors_total", `error="client_gone"`)
	if failures > gone || good+gone < all || good < float64(l.requests) || good > float64(l.requests+64) {
		t.Errorf("wrk counts %d requests; Weir %v, %v of them answered with 2xx, %v errors, %v of clients that left",
			l.requests, all, good, failures, gone)
	}
}
