//go:build unix

package scale

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A herd is workers that come back when they lose their router, with full jitter
// from 0.1 s to 10 s, as all workers should.
type herd struct {
	address string
	stop    chan struct{}
	running sync.WaitGroup
	// gate holds back who has lost the router, if it is not nil, so that all come
	// at once when it is closed.
	gate atomic.Pointer[chan struct{}]
	// refused counts answers other than 101, cut the handshakes without answer.
	refused, cut atomic.Int64

	mu       sync.Mutex
	attached []time.Time // by worker, when it was last
	present  []*worker   // by worker; nil while it is not attached
}

func gather(t *testing.T, address string, names []string) *herd {
	h := &herd{address: address, stop: make(chan struct{}), attached: make([]time.Time, len(names)), present: make([]*worker, len(names))}
	for i, name := range names {
		h.running.Go(func() { h.stay(i, name) })
	}
	t.Cleanup(h.disperse)
	return h
}

// disperse ends it.
func (h *herd) disperse() {
	close(h.stop)
	h.mu.Lock()
	for _, w := range h.present {
		if w != nil {
			_ = w.nc.Close()
		}
	}
	h.mu.Unlock()
	h.running.Wait()
}

// stay keeps one worker attached.
func (h *herd) stay(i int, name string) {
	bound := 100 * time.Millisecond
	for {
		w, err := attach(h.address, name)
		var r *refusal
		switch {
		case err == nil:
			bound = 100 * time.Millisecond
			if !h.enter(i, w) {
				w.leave()
				return
			}
			<-w.ended
			h.leave(i)
			if gate := h.gate.Load(); gate != nil {
				<-*gate
				continue
			}
		case errors.As(err, &r):
			h.refused.Add(1)
		default:
			h.cut.Add(1)
		}
		select {
		case <-time.After(rand.N(bound) + 1):
			bound = min(2*bound, 10*time.Second)
		case <-h.stop:
			return
		}
	}
}

// enter notes that a worker is attached; false if the herd has dispersed.
func (h *herd) enter(i int, w *worker) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.attached[i], h.present[i] = time.Now(), w
	select {
	case <-h.stop:
		return false
	default:
		return true
	}
}

func (h *herd) leave(i int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.present[i] = nil
}

// await waits until all are attached since a moment, and returns how long each took
// from then on.
func (h *herd) await(t *testing.T, since time.Time) []time.Duration {
	t.Helper()
	for ; ; time.Sleep(5 * time.Millisecond) {
		after := h.since(since)
		if len(after) == len(h.attached) {
			return after
		}
		if time.Since(since) > patience {
			t.Fatalf("of %d workers %d are attached; %d were refused, %d not answered", len(h.attached), len(after), h.refused.Load(), h.cut.Load())
		}
	}
}

func (h *herd) since(moment time.Time) (after []time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, at := range h.attached {
		if h.present[i] != nil && at.After(moment) {
			after = append(after, at.Sub(moment))
		}
	}
	return after
}

// share is the time within which a share of them, from 0 to 1, was over.
func share(times []time.Duration, part float64) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[min(len(sorted)-1, int(part*float64(len(sorted))))].Round(10 * time.Microsecond)
}
