package conn

import "time"

// handWound is a watchdog without a goroutine, whose clock the test moves.
func handWound() *Watchdog {
	d := &Watchdog{running: true, began: time.Now()}
	d.now.Store(1)
	return d
}

// pass lets that many ticks go by at once, and sweeps.
func (d *Watchdog) pass(ticks int) {
	d.mu.Lock()
	d.began = d.began.Add(-time.Duration(ticks) * Tick)
	d.mu.Unlock()
	d.sweep()
}
