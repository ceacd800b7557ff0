package conn

import (
	"cmp"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// An Expirer owns a connection and is told, on the watchdog's goroutine, that
// its present phase has ended. It must not block; usually it calls Abort, and
// AbortRead if the reason is Parking.
type Expirer interface {
	Expire(p Phase)
}

// slabSize is how many watches are allocated at once.
const slabSize = 64

// A Watchdog sweeps over the watches of all connections, every Tick, on a
// goroutine of its own that runs while there is any. Besides ending phases that
// last too long it looks after peers that have left:
//
//   - a client whose request is being served (its flag is raised, and whatever
//     is under way on its behalf is cancelled);
//   - a connection that is idle and whose end arrived together with the last
//     message, so that no readiness edge tells of it;
//   - a connection that has been idle for a while and may be parked.
//
// The zero value is ready for use.
type Watchdog struct {
	// ParkAfter is how long a connection is idle before it is parked, if it may be.
	// If 0, a second. It is set before the first connection.
	ParkAfter time.Duration

	now atomic.Uint64 // in ticks; 0 until the first connection

	mu      sync.Mutex
	slabs   []*[slabSize]Watch
	free    []*Watch
	live    int
	running bool
	began   time.Time // of tick 1
	looks   []look
	ended   []ending

	parking parking
	thrift  thrift
}

// parkAfter is as long as usual: less would have those pay for it who send a request
// now and then.
const parkAfter = time.Second

// A look is one descriptor to be polled in this sweep.
type look struct {
	watch *Watch
	word  uint64
	fd    int32
	idle  bool
}

// An ending is one phase that ended in this sweep.
type ending struct {
	expirer Expirer
	phase   Phase
}

// tickLocked returns the present tick, from 1.
func (d *Watchdog) tickLocked() uint64 {
	if d.began.IsZero() {
		d.began = time.Now()
	}
	return uint64(time.Since(d.began)/Tick) + 1
}

// after returns the tick in which d will have passed.
func (d *Watchdog) after(t time.Duration) uint64 {
	return d.now.Load() + uint64((t+Tick-1)/Tick) + 1
}

func (d *Watchdog) register(fd int, e Expirer) *Watch {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.free) == 0 {
		d.growLocked()
	}
	w := d.free[len(d.free)-1]
	d.free = d.free[:len(d.free)-1]
	w.expirer, w.fd, w.seen, w.next = e, int32(fd), 0, 0
	w.polled, w.halfOpen, w.noHalves, w.parks = false, false, false, false
	w.gone.Store(false)
	w.client.Store(nil)
	d.live++
	if !d.running {
		d.running = true
		d.now.Store(d.tickLocked())
		go d.run()
	}
	w.word.Store(moved(w.word.Load(), PhaseIdle, 0))
	return w
}

func (d *Watchdog) growLocked() {
	slab := new([slabSize]Watch)
	d.slabs = append(d.slabs, slab)
	for i := range slab {
		slab[i].dog = d
		d.free = append(d.free, &slab[i])
	}
}

func (d *Watchdog) unregister(w *Watch) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if w.expirer == nil {
		return
	}
	w.word.Store(moved(w.word.Load(), PhaseNone, 0))
	w.expirer = nil
	d.free = append(d.free, w)
	d.live--
}

func (d *Watchdog) expire(w *Watch, p Phase) {
	d.mu.Lock()
	e := w.expirer
	d.mu.Unlock()
	if e != nil {
		e.Expire(p)
	}
}

func (d *Watchdog) run() {
	ticker := time.NewTicker(Tick)
	defer ticker.Stop()
	for range ticker.C {
		if !d.sweep() {
			return
		}
	}
}

// sweep goes once over all watches. It returns false when there are none left
// and the goroutine is to end.
func (d *Watchdog) sweep() bool {
	d.mu.Lock()
	now := d.tickLocked()
	if d.live == 0 {
		d.running = false
		d.mu.Unlock()
		return false
	}
	d.now.Store(now)
	for _, slab := range d.slabs {
		for i := range slab {
			d.visitLocked(&slab[i], now)
		}
	}
	d.pollLocked()
	ended := d.ended
	d.ended = nil
	if d.thrift.isDue(now) {
		go debug.FreeOSMemory()
	}
	d.mu.Unlock()
	for _, e := range ended {
		e.expirer.Expire(e.phase)
	}
	d.mu.Lock()
	clear(ended)
	d.ended = ended[:0]
	d.mu.Unlock()
	return true
}

// visitLocked ends the phase of one watch if it is over, or notes that its
// descriptor is to be looked at.
func (d *Watchdog) visitLocked(w *Watch, now uint64) {
	word := w.word.Load()
	phase := phaseOf(word)
	if phase == PhaseNone || word&reasonMask != 0 {
		return
	}
	if until := word >> tickShift; until != 0 && until < now {
		d.endLocked(w, word, TimedOut)
		return
	}
	if client := w.client.Load(); client != nil && client.Load() && phase != PhaseIdle {
		d.endLocked(w, word, ClientGone)
		return
	}
	if word != w.seen {
		w.seen, w.next, w.polled = word, uint32(now)+1, false
		return
	}
	d.noteLookLocked(w, word, now)
}

func (d *Watchdog) endLocked(w *Watch, word uint64, r Reason) {
	if w.end(word, r) {
		d.ended = append(d.ended, ending{w.expirer, phaseOf(word)})
	}
}

// noteLookLocked has the descriptor of a connection polled if that can tell
// something: that has been serving one request for a tick, then at growing
// intervals; or that has just become idle, once.
func (d *Watchdog) noteLookLocked(w *Watch, word, now uint64) {
	if w.fd < 0 || uint32(now) < w.next {
		return
	}
	switch phaseOf(word) {
	case PhaseServe:
		if w.halfOpen {
			return
		}
		d.looks = append(d.looks, look{w, word, w.fd, false})
		w.next = uint32(now) + 1
		if w.polled { // from the second look on, four times a second
			w.next = uint32(now) + uint32(250*time.Millisecond/Tick)
		}
	case PhaseIdle:
		if w.polled {
			d.parkLocked(w, word, now)
			return
		}
		d.looks = append(d.looks, look{w, word, w.fd, true})
		w.polled = true
		w.next = uint32(now) + uint32(cmp.Or(d.ParkAfter, parkAfter)/Tick)
	}
}

// parkLocked has the goroutine leave that waits for an idle connection. The expirer
// is told at once, for the goroutine to find all of it done once it gets the lock.
func (d *Watchdog) parkLocked(w *Watch, word, now uint64) {
	if w.parks && w.end(word, Parking) {
		d.thrift.note(now)
		w.expirer.Expire(PhaseIdle)
	}
}

// pollLocked looks at the noted descriptors, all at once. A descriptor that was
// closed meanwhile and given to somebody else does no harm: the word has moved.
func (d *Watchdog) pollLocked() {
	pollAll(d.looks, func(l *look, state peerState) {
		w := l.watch
		switch {
		case l.idle:
			// A client's last request may wait to be read in front of its
			// end. An endpoint has nothing to say between messages.
			if state != peerPresent && (w.client.Load() != nil || !unread(int(l.fd))) {
				d.endLocked(w, l.word, ClientGone)
			}
			return
		case w.word.Load() != l.word:
			return
		case state == peerReset, state == peerClosed && (w.polled || w.noHalves || !closedWithRequest(int(l.fd))):
			w.gone.Store(true)
		case state == peerClosed:
			w.halfOpen = true
		}
		w.polled = true
	})
	clear(d.looks)
	d.looks = d.looks[:0]
}
