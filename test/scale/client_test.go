//go:build unix

package scale

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"
)

// A ledger is what clients were answered, by the worker who did.
type ledger struct {
	mu     sync.Mutex
	byName map[string]int64
	wrong  []string
}

func newLedger() *ledger { return &ledger{byName: map[string]int64{}} }

func (l *ledger) enter(status int, text string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		l.wrong = append(l.wrong, err.Error())
	case status != http.StatusOK:
		l.wrong = append(l.wrong, fmt.Sprintf("%d %s", status, text))
	default:
		l.byName[text]++
	}
}

// check fails the test if a request was not answered by a worker.
func (l *ledger) check(t *testing.T) {
	t.Helper()
	if len(l.wrong) > 0 {
		t.Errorf("%d requests were not answered by a worker; the first: %s", len(l.wrong), l.wrong[0])
	}
}

// A client sends requests over connections that it keeps, and bounds each in time.
type client struct{ http.Client }

func newClient(timeout time.Duration) *client {
	return &client{http.Client{Timeout: timeout, Transport: &http.Transport{MaxIdleConnsPerHost: hands, DisableCompression: true}}}
}

func (c *client) get(url string) (resp *http.Response, text string, err error) {
	if resp, err = c.Get(url); err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	return resp, string(content), err
}

// send sends n requests, so many at a time, and enters the answers in l.
func send(l *ledger, url string, n, atATime int) {
	c := newClient(patience)
	defer c.CloseIdleConnections()
	var all sync.WaitGroup
	for i := range atATime {
		all.Go(func() {
			for range (n + i) / atATime {
				resp, text, err := c.get(url)
				status := 0
				if resp != nil {
					status = resp.StatusCode
				}
				l.enter(status, text, err)
			}
		})
	}
	all.Wait()
}
