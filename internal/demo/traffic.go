package demo

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	// patience is how long the stream waits for an answer.
	patience = 30 * time.Second
	// yours is what a worker is called that somebody else has attached.
	yours = "yours"
)

// A traffic is a gentle stream of requests to the router.
type traffic struct {
	url      string
	client   *http.Client
	narrator *narrator
	tally    *tally
	underway sync.WaitGroup
}

func newTraffic(url string, t *tally, n *narrator) *traffic {
	return &traffic{
		url:      url,
		client:   &http.Client{Transport: &http.Transport{}, Timeout: patience, CheckRedirect: stay},
		narrator: n,
		tally:    t,
	}
}

// stay follows no redirect: a worker of yours may answer with one.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// flow sends requests until ctx is done, and returns when all are answered.
func (t *traffic) flow(ctx context.Context, pace pace) {
	requests := time.NewTicker(pace.request)
	defer requests.Stop()
	tallies := time.NewTicker(pace.tally)
	defer tallies.Stop()
	sent := 0
	for ctx.Err() == nil {
		select {
		case <-requests.C:
			sent++
			number := strconv.Itoa(sent)
			t.underway.Go(func() { t.send(number) })
		case <-tallies.C:
			t.narrator.tell("%s", t.narrator.strong("so far: "+t.tally.sofar()))
		case <-ctx.Done():
		}
	}
	t.underway.Wait()
	t.client.CloseIdleConnections()
}

// send sends one request and tells what became of it.
func (t *traffic) send(number string) {
	n, start := t.narrator, time.Now()
	name, err := t.get(number)
	a := answer{number: number, name: name, took: time.Since(start), err: err}
	before := t.tally.count(a)
	switch {
	case err != nil:
		n.tell("#%-4s %s: %v", number, n.bad("failed"), err)
	case before != "":
		n.tell("#%-4s %s answered in %v, in place of %s, which was killed with it", number, n.name(name), round(a.took), n.name(before))
	default:
		n.tellRequest("#%-4s %s answered in %v", number, n.name(name), round(a.took))
	}
}

// get returns who answered.
func (t *traffic) get(number string) (name string, err error) {
	req, err := http.NewRequest(http.MethodGet, t.url+"/", nil)
	if err != nil {
		return "", err
	}
	req.Header.Set(ownHeader, number)
	res, err := t.client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return "", err
	}
	return whose(res)
}

// whose returns who gave an answer. A server that somebody else has attached may
// answer what it likes; what is a problem document counts as a failure, for the
// router's own errors are such.
func whose(res *http.Response) (string, error) {
	name := res.Header.Get(nameHeader)
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	switch {
	case name != "" && res.StatusCode == http.StatusOK:
		return name, nil
	case name != "" || kind == "application/problem+json":
		return "", fmt.Errorf("the answer is %s", res.Status)
	default:
		return yours, nil
	}
}

// round keeps what a reader can make use of.
func round(d time.Duration) time.Duration {
	switch {
	case d < time.Millisecond:
		return d.Round(10 * time.Microsecond)
	case d < time.Second:
		return d.Round(time.Millisecond)
	default:
		return d.Round(100 * time.Millisecond)
	}
}
