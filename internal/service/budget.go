package service

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// budgetWindow is for how long requests earn what tries beyond the first cost.
const budgetWindow = 10 * time.Second

// A budget keeps retries from making an overload worse: each request earns a
// share of one, and so does each second. It is looked at when a retry is wanted,
// and now and then; otherwise a request costs it one count.
type budget struct {
	denied atomic.Uint64

	mu     sync.Mutex
	at     time.Duration // when it was looked at last
	counts uint64        // the requests by then
	recent float64       // the requests within the window by then
	earned float64       // by requests, and not spent
	floor  float64       // by seconds, and not spent
}

// start begins to count.
func (b *budget) start(rule Budget) { b.at, b.floor = exchange.Now(), float64(rule.Floor) }

// take spends one retry, if rule has granted one; requests is how many there were so far.
func (b *budget) take(rule Budget, requests uint64, now time.Duration) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.earnLocked(rule, requests, now)
	switch {
	case b.earned >= 1:
		b.earned--
	case b.floor >= 1:
		b.floor--
	default:
		b.denied.Add(1)
		return false
	}
	return true
}

// note has requests counted as those of now. It waits for nobody.
func (b *budget) note(rule Budget, requests uint64, now time.Duration) {
	if b.mu.TryLock() {
		b.earnLocked(rule, requests, now)
		b.mu.Unlock()
	}
}

func (b *budget) earnLocked(rule Budget, requests uint64, now time.Duration) {
	came, passed := float64(requests)-float64(b.counts), now-b.at
	if came < 0 || passed < 0 {
		return // somebody else was here with what is newer
	}
	b.counts, b.at = requests, now
	if passed >= budgetWindow {
		// Of those that came within a longer time, only some are recent.
		came *= float64(budgetWindow) / float64(passed)
		b.recent = came
	} else {
		b.recent = b.recent*(1-float64(passed)/float64(budgetWindow)) + came
	}
	b.earned = min(b.earned+rule.Ratio*came, rule.Ratio*b.recent)
	b.floor = min(b.floor+float64(rule.Floor)*passed.Seconds(), float64(rule.Floor))
}
