//go:build unix

package scale

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// patience bounds what should take no time.
const patience = 60 * time.Second

// A router is a process of its own, which can be killed and started again.
type router struct {
	clients, attach, admin string // addresses

	log     *os.File
	cmd     *exec.Cmd
	orders  io.WriteCloser
	answers *bufio.Reader
	pipe    *os.File
}

// startRouter starts a router on addresses of its own, and ends it with the test.
func startRouter(t *testing.T) *router {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "router.log"))
	if err != nil {
		t.Fatal(err)
	}
	r := &router{clients: freeAddress(t), attach: freeAddress(t), admin: freeAddress(t), log: log}
	t.Cleanup(func() {
		r.stop(t)
		r.confess(t)
		_ = log.Close()
	})
	r.start(t)
	return r
}

// freeAddress returns an address that nobody listens on. It is not one of those
// that the system gives to who dials: while the router is down, a worker that tries
// to reach it must not get its address.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 1000 {
		address := fmt.Sprintf("127.0.0.1:%d", 12000+rand.IntN(20000))
		if l, err := net.Listen("tcp", address); err == nil {
			_ = l.Close()
			return address
		}
	}
	t.Fatal("there is no free address")
	return ""
}

// start starts the process, and returns when it listens.
func (r *router) start(t *testing.T) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.cmd = exec.Command(self)
	r.cmd.Env = append(os.Environ(), routerEnv+"="+strings.Join([]string{r.clients, r.attach, r.admin}, " "))
	r.cmd.Stdout, r.cmd.Stderr, r.cmd.ExtraFiles = r.log, r.log, []*os.File{write}
	if r.orders, err = r.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	err = r.cmd.Start()
	_ = write.Close()
	r.pipe, r.answers = read, bufio.NewReader(read)
	if err != nil {
		r.cmd = nil
		_ = read.Close()
		t.Fatal(err)
	}
	r.answer(t)
}

// usage returns what the router takes now.
func (r *router) usage(t *testing.T) usage { return r.ask(t, sayUsage) }

// collected is usage after a collection of garbage.
func (r *router) collected(t *testing.T) usage { return r.ask(t, sayCollected) }

// await returns what the router takes when that is as wanted, or does not become so.
func (r *router) await(t *testing.T, wanted func(usage) bool) usage {
	t.Helper()
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if u := r.collected(t); wanted(u) || time.Since(began) > patience/4 {
			return u
		}
	}
}

func (r *router) ask(t *testing.T, order string) usage {
	t.Helper()
	if _, err := fmt.Fprintln(r.orders, order); err != nil {
		t.Fatalf("the router takes no orders: %v", err)
	}
	return r.answer(t)
}

func (r *router) answer(t *testing.T) (u usage) {
	t.Helper()
	_ = r.pipe.SetReadDeadline(time.Now().Add(patience))
	line, err := r.answers.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &u)
	}
	if err != nil {
		t.Fatalf("the router does not say what it takes: %v", err)
	}
	return u
}

// stop ends the router as SIGTERM does, and fails the test if it does not end well.
func (r *router) stop(t *testing.T) {
	t.Helper()
	if r.cmd == nil {
		return
	}
	timer := time.AfterFunc(patience, func() { _ = r.cmd.Process.Kill() })
	defer timer.Stop()
	_ = r.orders.Close()
	if err := r.cmd.Wait(); err != nil {
		t.Errorf("the router ended with %v", err)
	}
	r.gone()
}

// kill ends the router without a word (SIGKILL).
func (r *router) kill() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
	r.gone()
}

func (r *router) gone() {
	r.cmd = nil
	_ = r.orders.Close()
	_ = r.pipe.Close()
}

// confess shows what a router said last, if its test has failed.
func (r *router) confess(t *testing.T) {
	if !t.Failed() {
		return
	}
	text, _ := os.ReadFile(r.log.Name())
	t.Logf("the router said last:\n%s", text[max(0, len(text)-4000):])
}

// fetch returns what the admin listener answers, and how long that took.
func (r *router) fetch(t *testing.T, path string) (text []byte, took time.Duration) {
	t.Helper()
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}
	began := time.Now()
	resp, err := client.Get("http://" + r.admin + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err = io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s is answered %d %v", path, resp.StatusCode, err)
	}
	return text, time.Since(began)
}

// services returns the names of the router's services, and how many endpoints they
// have in all.
func (r *router) services(t *testing.T) (names []string, endpoints int) {
	t.Helper()
	text, _ := r.fetch(t, "/v1/services")
	var shown struct {
		Services []struct {
			Name      string
			Endpoints []struct{ Name string }
		}
	}
	if err := json.Unmarshal(text, &shown); err != nil {
		t.Fatal(err)
	}
	for _, s := range shown.Services {
		names = append(names, s.Name)
		endpoints += len(s.Endpoints)
	}
	return names, endpoints
}

// awaitEndpoints waits until the router has so many endpoints.
func (r *router) awaitEndpoints(t *testing.T, n int) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		_, got := r.services(t)
		if got == n {
			return
		}
		if time.Since(began) > patience {
			t.Fatalf("the router has %d endpoints, want %d", got, n)
		}
	}
}

// series returns how many series /metrics has of Weir's own.
func (r *router) series(t *testing.T) int {
	t.Helper()
	text, _ := r.fetch(t, "/metrics")
	return strings.Count("\n"+string(text), "\nweir_")
}
