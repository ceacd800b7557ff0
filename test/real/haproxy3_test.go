//go:build real

package real

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// haproxy3Binary is the HAProxy that can dial in, and be dialed in to; Debian 12's
// own is older.
const haproxy3Binary = "../../.cache/bin/haproxy3"

// startHAProxy3 runs HAProxy with a configuration, to which it adds what all have.
//
// One thread: a connection that a worker has opened belongs to the thread that has
// accepted it, and requests that come to another find no way and get a 503.
func startHAProxy3(t *testing.T, config string) *process {
	t.Helper()
	if _, err := os.Stat(haproxy3Binary); err != nil {
		t.Fatal("haproxy3 is missing: run scripts/install-haproxy3.sh")
	}
	path := filepath.Join(t.TempDir(), "haproxy.cfg")
	writeFile(t, path, `
global
  expose-experimental-directives
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 1m
  timeout server 1m
  timeout queue 15s
  timeout tunnel 1m
`+config)
	return start(t, haproxy3Binary, "-db", "-f", path)
}

// bundle is a certificate and its key in one file, as HAProxy wants them.
func (p pair) bundle(t *testing.T) string {
	t.Helper()
	var both []byte
	for _, file := range []string{p.cert, p.key} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, text...)
	}
	path := filepath.Join(t.TempDir(), "both.pem")
	writeFile(t, path, string(both))
	return path
}

// routerName is in the certificates of those who are dialed in to.
const routerName = "router.example.com"

// vacant returns an address on which nobody listens, another one each time. No
// client is given one of its ports meanwhile: those are on 127.0.0.1.
func vacant(t *testing.T) string {
	t.Helper()
	// A process that is being started has the socket open until it runs its program.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	for {
		l, err := net.Listen("tcp", "127.0.57.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
		address := l.Addr().String()
		if _, given := vacancies.LoadOrStore(address, true); !given {
			return address
		}
	}
}

// vacancies are the addresses that vacant has returned.
var vacancies sync.Map

// awaitOK asks for a URL until it is answered with 200.
func awaitOK(t *testing.T, client *http.Client, url string, p *process) {
	t.Helper()
	said := ""
	for late := time.Now().Add(patience); time.Now().Before(late); time.Sleep(20 * time.Millisecond) {
		if said = ending(client.Get(url)); said == "200" {
			return
		}
	}
	t.Fatalf("%s is not answered with 200 within %v, but with %s:\n%s", url, patience, said, strings.Join(p.lines(), "\n"))
}

// ending reads an answer to its end, and says its status or what is wrong.
func ending(resp *http.Response, err error) string {
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return fmt.Sprintf("%d, broken off: %v", resp.StatusCode, err)
	}
	return fmt.Sprint(resp.StatusCode)
}

// returns sends content to an endpoint that echoes, and wants it back.
func returns(t *testing.T, client *http.Client, url string, content []byte) {
	t.Helper()
	resp, err := client.Post(url, "application/octet-stream", bytes.NewReader(content))
	if err != nil {
		t.Error(err)
		return
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !bytes.Equal(got, content) {
		t.Errorf("%d bytes come back as %d with %s (%v), want the same", len(content), len(got), resp.Status, err)
	}
}

// carries has requests go there and back: small ones, 1 MiB, and many at a time.
func carries(t *testing.T, client *http.Client, url string) {
	t.Helper()
	content := make([]byte, 1<<20)
	_, _ = rand.Read(content)
	returns(t, client, url, nil)
	returns(t, client, url, []byte("hello"))
	returns(t, client, url, content)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() { returns(t, client, url, content[:100_000+1000*i]) })
	}
	all.Wait()
}

// serveSlowly runs an endpoint that says when a request for /slow has arrived, and
// answers it when it is told to; it answers others at once.
func serveSlowly(t *testing.T) (url string, arrived <-chan struct{}, answer func()) {
	t.Helper()
	here, told := make(chan struct{}), make(chan struct{})
	url = serve(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(here)
			<-told
		}
	})
	answer = sync.OnceFunc(func() { close(told) })
	t.Cleanup(answer) // before the endpoint's, which waits for it
	return url, here, answer
}

// A throng asks for a URL all the time.
type throng struct {
	leave context.CancelFunc
	all   sync.WaitGroup

	mu      sync.Mutex
	endings map[string]int
}

// gather has n clients ask for a URL until dismissed.
func gather(t *testing.T, client *http.Client, url string, n int) *throng {
	ctx, leave := context.WithCancel(context.Background())
	c := &throng{leave: leave, endings: map[string]int{}}
	for range n {
		c.all.Go(func() {
			for ctx.Err() == nil {
				said := ending(client.Post(url, "text/plain", strings.NewReader("content")))
				c.mu.Lock()
				c.endings[said]++
				c.mu.Unlock()
			}
		})
	}
	t.Cleanup(func() { c.dismiss() })
	return c
}

// served waits until n more requests have been answered.
func (c *throng) served(t *testing.T, n int) {
	t.Helper()
	until := c.total() + n
	for late := time.Now().Add(patience); c.total() < until; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("%d requests are not answered within %v", n, patience)
		}
	}
}

func (c *throng) total() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.endings {
		n += k
	}
	return n
}

// dismiss ends it when everybody has their answer, and returns what they were.
func (c *throng) dismiss() map[string]int {
	c.leave()
	c.all.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.endings)
}

// wantOnlyOK fails unless every request of the throng was answered with 200.
func (c *throng) wantOnlyOK(t *testing.T) {
	t.Helper()
	endings := c.dismiss()
	if len(endings) != 1 || endings["200"] == 0 {
		t.Errorf("the requests ended with %v, want nothing but 200", endings)
	}
}
