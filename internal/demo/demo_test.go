package demo

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/weirproxy/weir/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hasty is a pace for tests.
var hasty = pace{
	request: 10 * time.Millisecond,
	early:   20 * time.Millisecond,
	pause:   50 * time.Millisecond,
	away:    100 * time.Millisecond,
	still:   200 * time.Millisecond,
	slow:    20 * time.Millisecond,
	leaver:  15 * time.Millisecond,
	tally:   100 * time.Millisecond,
}

// watch runs the demo until each of these texts was in some line, and returns all
// lines.
func watch(t *testing.T, o Options, texts ...string) []string {
	t.Helper()
	return watchEach(t, o, func(string) {}, texts...)
}

// watchEach is watch, and shows each line to see.
func watchEach(t *testing.T, o Options, see func(line string), texts ...string) []string {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	r, w := io.Pipe()
	o.Out, o.Listen, o.pace = w, "127.0.0.1:0", hasty
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, o)
		w.Close()
	}()
	var lines []string
	missing := slices.Clone(texts)
	for s := bufio.NewScanner(r); s.Scan(); {
		lines = append(lines, s.Text())
		see(s.Text())
		missing = slices.DeleteFunc(missing, func(text string) bool { return strings.Contains(s.Text(), text) })
		if len(missing) == 0 && len(texts) > 0 {
			stop()
		}
	}
	if err := <-ended; err != nil {
		t.Errorf("the demo ended with %v", err)
	}
	if len(missing) > 0 {
		t.Fatalf("the demo never told %q; it told\n%s", missing, strings.Join(lines, "\n"))
	}
	return lines
}

// wantOrder checks that these texts were first told in this order.
func wantOrder(t *testing.T, lines []string, texts ...string) {
	t.Helper()
	last := -1
	for i, text := range texts {
		at := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, text) })
		if at <= last {
			t.Errorf("%q is told in line %d, want it after %q in line %d:\n%s", text, at, texts[max(0, i-1)], last, strings.Join(lines, "\n"))
			return
		}
		last = at
	}
}

// wantNoFailure checks that no request has failed.
func wantNoFailure(t *testing.T, lines []string) {
	t.Helper()
	text := strings.Join(lines, "\n")
	if strings.Contains(text, " failed: ") || !strings.Contains(text, "the end: requests: ") || !strings.Contains(text, "failures: 0, answered by ") {
		t.Errorf("a request failed:\n%s", text)
	}
}

func TestRun_HasWorkersComeAndGoWithoutAFailure(t *testing.T) {
	lines := watch(t, Options{}, "so far: requests: ", "slow answered in", "worker steady-1 attached", "worker slow attached",
		"in place of mortal", "worker mortal left", "mortal gets its first request",
		"worker late attached", "late gets its first request", "late answered in",
		"worker leaver left", "leaver gets its first request")
	wantNoFailure(t, lines)
	wantOrder(t, lines, "steady-1 dials", "the router is up", "worker steady-1 attached")
	wantOrder(t, lines, "the router is up", "mortal is killed with #", "mortal starts again", "late dials in", "worker late attached", "late gets its first request")
	wantOrder(t, lines, "late dials in", "leaver leaves with #", "leaver is gone, and had nothing left to answer", "leaver comes back")
	wantOrder(t, lines, "the end: requests: ", "meanwhile mortal was killed", "answered by another worker in place of a killed one")
}

func TestRun_ShowsThatTheRouterNoticesAFrozenWorker(t *testing.T) {
	lines := watch(t, Options{}, "freezer thaws")
	wantNoFailure(t, lines)
	wantOrder(t, lines, "freezer freezes", "the router has noticed after", "freezer thaws, and answers what it has; it was sent nothing for")
	silent := false
	for _, line := range lines {
		switch {
		case strings.Contains(line, "the router has noticed after"):
			silent = true
		case strings.Contains(line, "freezer thaws"):
			silent = false
		case silent && strings.Contains(line, "freezer answered"):
			t.Errorf("a worker that is frozen has answered: %q", line)
		}
	}
	if last := lines[len(lines)-1]; !strings.Contains(last, "waited for 1s or longer") || strings.Contains(last, "no client noticed") {
		t.Errorf("the last line is %q; whom the frozen worker kept waiting has noticed", last)
	}
}

func TestRun_EndsWhileAWorkerIsFrozen(t *testing.T) {
	wantNoFailure(t, watch(t, Options{}, "freezer freezes"))
}

func TestRun_LetsOthersAttach(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	invited := regexp.MustCompile(`weir attach --to (\S+) http`)
	lines := watchEach(t, Options{}, func(line string) {
		if m := invited.FindStringSubmatch(line); m != nil {
			go func() {
				o := worker.Options{Routers: []string{m[1]}, Instance: "guest"}
				ended <- worker.Serve(ctx, o, http.NotFoundHandler())
			}()
		}
	}, "worker guest attached", "yours answered in")
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	wantNoFailure(t, lines)
}

func TestRun_LeavesOutRequestsWhenQuiet(t *testing.T) {
	for _, line := range watch(t, Options{Quiet: true}, "so far: requests: ", "mortal is killed") {
		// What became of a request that a worker was killed with belongs to that act.
		if strings.Contains(line, "answered in") && !strings.Contains(line, "in place of") {
			t.Errorf("a quiet demo tells %q", line)
		}
	}
}

func TestRun_EndsAfterItsTime(t *testing.T) {
	lines := watch(t, Options{For: 100 * time.Millisecond})
	wantOrder(t, lines, "the router is up", "the end: requests: ")
}

func TestRun_PaintsOnlyWhenAsked(t *testing.T) {
	for _, colour := range []bool{false, true} {
		text := strings.Join(watch(t, Options{Colour: colour, For: 50 * time.Millisecond}), "\n")
		if got := strings.Contains(text, "\x1b["); got != colour {
			t.Errorf("with Colour %v, there are colours: %v", colour, got)
		}
	}
}

func TestRun_SaysThatItsAddressIsBusy(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = Run(t.Context(), Options{Out: io.Discard, Listen: l.Addr().String()})
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("Run = %v, want an error that names the address", err)
	}
}

func TestOptions_AreForLoopbackOnly(t *testing.T) {
	for listen, ok := range map[string]bool{
		"": true, "127.0.0.1:1": true, "[::1]:1": true, "localhost:0": true,
		":8080": false, "0.0.0.0:1": false, "192.0.2.1:1": false, "example.com:1": false,
		"8080": false, "unix:/tmp/s": false, "localhost": false,
	} {
		if err := (Options{Listen: listen}).Check(); (err == nil) != ok {
			t.Errorf("Check of %q = %v, want it to be legal: %v", listen, err, ok)
		}
	}
}

func TestNext_TriesPortsInARowAndThenAnyFreeOne(t *testing.T) {
	address, tried := "127.0.0.1:8080", 1
	for address != "127.0.0.1:0" && tried < 100 {
		address = next(address, firstListen)
		tried++
	}
	if tried != portsTried+1 {
		t.Errorf("any free port is taken at try %d, want %d", tried, portsTried+1)
	}
}
