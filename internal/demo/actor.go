package demo

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

const (
	// nameHeader is how an answer tells who gave it.
	nameHeader = "X-Demo-Worker"
	// ownHeader marks the requests of the demo's own stream, and has their number.
	ownHeader = "X-Demo-Request"
)

// An actor is who plays a worker, in one life or in several, one after the other.
// One goroutine starts and ends them.
type actor struct {
	name, part string // part is what it does, for the introduction
	takes      time.Duration
	narrator   *narrator
	doorstep   *doorstep
	life       *life // nil while it is away

	knock sync.Once
	early chan struct{} // closed when it has found no router

	mu       sync.Mutex
	cue      *cue      // waits for a request; nil if nothing does
	joins    bool      // when it gets its first request is of interest
	attached time.Time // when the router took it in, until it gets that; zero if it has
}

// enter starts a worker.
func (a *actor) enter() { a.life = newLife(a) }

// join starts one where requests are flowing already.
func (a *actor) join() {
	a.mu.Lock()
	a.joins = true
	a.mu.Unlock()
	a.enter()
}

// leave ends it gracefully, if there is one.
func (a *actor) leave() (err error) {
	if a.life != nil {
		err = a.life.leave()
		a.life = nil
	}
	return err
}

// die ends it without a word, if there is one.
func (a *actor) die() {
	if a.life != nil {
		a.life.die()
		a.life = nil
	}
}

// knocked tells that it has dialed, and nobody was there.
func (a *actor) knocked(address string) {
	a.knock.Do(func() {
		a.narrator.tell("%s dials %s; the router is not there yet, so it tries again and again", a.narrator.name(a.name), address)
		close(a.early)
	})
}

// attach notes when the router began to use it.
func (a *actor) attach(string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.joins {
		a.joins, a.attached = false, time.Now()
	}
}

// first returns how long ago it was attached, for the first request after it has
// joined.
func (a *actor) first() (ago time.Duration, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.attached.IsZero() {
		return 0, false
	}
	ago, a.attached = time.Since(a.attached), time.Time{}
	return ago, true
}

// ServeHTTP says who answers. It tells of requests that came from somebody else
// than the demo, and of the first one after it has joined.
func (a *actor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := a.narrator
	if ago, ok := a.first(); ok {
		n.tell("%s gets its first request, %v after it was attached", n.name(a.name), round(ago))
	}
	if c := a.takeCue(); c != nil && !c.hand(r) {
		return
	}
	select {
	case <-time.After(a.takes):
	case <-r.Context().Done():
		return
	}
	w.Header().Set(nameHeader, a.name)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(w, "%s answers %s %s\n", a.name, r.Method, r.RequestURI)
	if r.Header.Get(ownHeader) == "" {
		n.tell("%s answered %s %q, which came from you", n.name(a.name), r.Method, r.RequestURI)
	}
}

// A cue waits for a worker's next request.
type cue struct {
	came    chan string   // its number; empty if it is not the demo's own
	release chan struct{} // the request goes on when it is closed
}

// hand hands the request over, and waits until it may go on; false if it will
// never be answered.
func (c *cue) hand(r *http.Request) bool {
	c.came <- r.Header.Get(ownHeader)
	select {
	case <-c.release:
		return true
	case <-r.Context().Done():
		return false
	}
}

func (a *actor) takeCue() *cue {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.cue
	a.cue = nil
	return c
}

// next waits for the next request, which then waits until goOn is called; ok is
// false if none came in time.
func (a *actor) next(ctx context.Context, within time.Duration) (number string, goOn func(), ok bool) {
	c := &cue{came: make(chan string, 1), release: make(chan struct{})}
	goOn = func() { close(c.release) }
	a.mu.Lock()
	a.cue = c
	a.mu.Unlock()
	t := time.NewTimer(within)
	defer t.Stop()
	select {
	case number = <-c.came:
		return number, goOn, true
	case <-t.C:
	case <-ctx.Done():
	}
	if a.takeCue() == nil { // it has come at the last moment
		return <-c.came, goOn, true
	}
	return "", goOn, false
}

// sleep waits for d and reports whether it did; false if ctx ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
