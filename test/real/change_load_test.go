//go:build real

package real

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// A constant load is what clients do while things change: wrk asks, customers ask and
// keep count, tunnels are open, and somebody reads the metrics.
type constantLoad struct {
	crowd    *crowd
	stop     context.CancelFunc
	under    sync.WaitGroup
	requests atomic.Int64 // of wrk
	messages atomic.Int64 // that came back
	scrapes  int
}

func (s *scene) load(t *testing.T) *constantLoad {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	l := &constantLoad{stop: stop}
	t.Cleanup(func() {
		stop()
		l.under.Wait()
	})
	l.under.Go(func() {
		for ctx.Err() == nil {
			one := wrkOver(t, 8, s.proxy.url("/"), 2*time.Second)
			l.requests.Add(int64(one.requests))
			if one.failed {
				t.Errorf("wrk said:\n%s", one.report)
			}
		}
	})
	for range 6 {
		c := openEcho(t, "ws://"+s.proxy.addresses[0]+"/socket/")
		l.under.Go(func() { l.converse(ctx, t, c) })
	}
	l.under.Go(func() { l.scrape(ctx, t, s.proxy) })
	l.crowd = newCrowd(t, 8, 1, s.proxy.addresses[0], patience, diet{
		posts: 0.7, content: 8 << 10, answer: 8 << 10, keep: 0.9, thinking: 20 * time.Millisecond,
	})
	return l
}

// end ends the load, judges what is left to judge, and returns how many requests there
// were.
func (l *constantLoad) end(t *testing.T, s *scene) int {
	t.Helper()
	reports := l.crowd.home()
	l.stop()
	l.under.Wait()
	s.audit(t, reports)
	if l.messages.Load() < 6 {
		t.Errorf("only %d messages came back through the tunnels", l.messages.Load())
	}
	t.Logf("wrk sent %d requests, %d messages went through tunnels, the metrics were read %d times", l.requests.Load(), l.messages.Load(), l.scrapes)
	return int(l.requests.Load()) + len(reports)
}

// echoIfAsked is echoMessages for clients that want that; others get an answer.
func echoIfAsked(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "" {
		echoMessages(w, r)
	}
}

func openEcho(t *testing.T, url string) *websocket.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

// converse has a message come back through a tunnel again and again, until the load
// ends.
func (l *constantLoad) converse(ctx context.Context, t *testing.T, c *websocket.Conn) {
	pause := time.NewTicker(100 * time.Millisecond)
	defer pause.Stop()
	for n := 0; ; n++ {
		if err := exchangeMessage(c, fmt.Sprint("message ", n)); err != nil {
			t.Errorf("a tunnel is lost after %d messages: %v", n, err)
			return
		}
		l.messages.Add(1)
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
	}
}

func exchangeMessage(c *websocket.Conn, text string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		return err
	}
	_, got, err := c.Read(ctx)
	if err == nil && string(got) != text {
		err = fmt.Errorf("%q came back as %q", text, got)
	}
	return err
}

// scrape reads the metrics again and again: no counter goes back, but for those of
// endpoints that are removed meanwhile.
func (l *constantLoad) scrape(ctx context.Context, t *testing.T, p *proxy) {
	pause := time.NewTicker(100 * time.Millisecond)
	defer pause.Stop()
	before := map[string]float64{}
	for ; ; l.scrapes++ {
		now, err := p.counters()
		if err != nil {
			t.Errorf("the metrics: %v", err)
			return
		}
		for series, was := range before {
			if is, there := now[series]; !there || is < was {
				t.Errorf("the counter %s goes back from %v to %v", series, was, is)
			}
		}
		before = now
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
	}
}

// counters returns the counters of Weir's metrics that live as long as it does: those
// of endpoint a, of services that always are, and of nothing in particular.
func (p *proxy) counters() (map[string]float64, error) {
	resp, err := http.Get("http://" + p.admin + "/metrics")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	all, counts := map[string]float64{}, false
	in := bufio.NewScanner(resp.Body)
	for in.Scan() {
		if kind, ok := strings.CutPrefix(in.Text(), "# TYPE "); ok {
			counts = strings.HasPrefix(kind, "weir_") && (strings.HasSuffix(kind, " counter") || strings.HasSuffix(kind, " histogram"))
		}
		series, value, _ := strings.Cut(in.Text(), " ")
		passes := strings.Contains(series, `endpoint="`) && !strings.Contains(series, `endpoint="a"`) && !strings.Contains(series, `endpoint=""`)
		if !counts || series == "#" || passes || strings.Contains(series, `service="more"`) {
			continue
		}
		if all[series], err = strconv.ParseFloat(value, 64); err != nil {
			return nil, fmt.Errorf("%s: %w", in.Text(), err)
		}
	}
	return all, in.Err()
}

// startFile runs Weir with a file that has an admin listener.
func startFile(t *testing.T, path string) *proxy {
	t.Helper()
	p := &proxy{process: start(t, weirBinary, "run", "-c", path)}
	p.admin = adminURL.FindStringSubmatch(p.await(t, "admin page", 1)[0])[1]
	for _, line := range p.lines() {
		if m := listening.FindStringSubmatch(line); m != nil {
			p.addresses = append(p.addresses, m[1])
		}
	}
	return p
}

// askAdmin sends a request to the admin API, which has to be answered with that
// status, or with any 2xx if it is 0. Other goroutines than the test's may call it.
func askAdmin(t *testing.T, p *proxy, status int, method, path, body string) string {
	t.Helper()
	req, err := http.NewRequest(method, "http://"+p.admin+path, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return ""
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status && (status != 0 || resp.StatusCode/100 != 2) {
		t.Errorf("%s %s %s is answered %d %s (%v)", method, path, body, resp.StatusCode, bytes.TrimSpace(text), err)
	}
	return string(text)
}

// checkJSON holds that a file is whole, and nothing is left beside it that was to
// replace it.
func checkJSON(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(text) {
		t.Errorf("%s is no JSON:\n%s", path, text)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) > 0 {
		t.Errorf("beside it are %v", left)
	}
}
