package conn

import (
	"sync/atomic"
	"time"
)

// A Phase is what a connection is doing. Each has its own time limit.
type Phase uint8

// The phases of a connection.
const (
	// PhaseNone: not in use.
	PhaseNone Phase = iota
	// PhaseIdle: between messages.
	PhaseIdle
	// PhaseHandshake: TLS.
	PhaseHandshake
	// PhaseHead: part of a request's head has arrived.
	PhaseHead
	// PhaseServe: a request is being served. The watchdog looks whether the
	// client is still there.
	PhaseServe
	// PhaseHold: in use, and nothing is being waited for.
	PhaseHold
	// PhaseBody: waiting for content.
	PhaseBody
	// PhaseWrite: waiting for the peer to take bytes.
	PhaseWrite
	// PhaseAwait: waiting for an endpoint's response head.
	PhaseAwait
	// PhaseTunnel: carrying bytes after a switch of protocols.
	PhaseTunnel
	// PhaseLinger: the last byte was written; waiting for the peer to close.
	PhaseLinger
	// PhaseParked: between messages, and without a goroutine.
	PhaseParked
)

// A Reason is why a Watch has ended its connection's work.
type Reason uint8

// The reasons.
const (
	NotEnded Reason = iota
	// TimedOut: the phase lasted too long.
	TimedOut
	// ClientGone: nobody waits for what the connection is doing.
	ClientGone
	// Cancelled: Cancel was called.
	Cancelled
	// Parking: nothing has ended but the wait of the owner's goroutine, which is to
	// park the connection.
	Parking
)

// Tick is the grain of all deadlines: they are met within two ticks.
const Tick = 50 * time.Millisecond

// A Watch notes what a connection is doing, and until when. Everything is in one
// word, so that the watchdog ends exactly the phase that it saw: if the
// connection has moved on in between, its compare-and-swap fails.
//
//	bits  0-2   Reason, when ended
//	bits  3-6   Phase
//	bits  7-23  generation, one more with every change
//	bits 24-63  the tick in which the phase ends; 0 is never
//
// A Watch is as long as a cache line, which keeps those of connections served by
// different cores out of each other's way; the watchdog reads them one behind the
// other.
type Watch struct {
	word atomic.Uint64
	// client is the flag that says that the client, on whose behalf the
	// connection is used, has left; nil if it is a client's own connection.
	client atomic.Pointer[atomic.Bool]
	// gone is the flag of this connection's own client.
	gone atomic.Bool

	// The following belong to the watchdog and stand under its mutex.
	polled   bool
	halfOpen bool // the client closed its half on purpose
	noHalves bool // nobody does that on this connection
	parks    bool // it may be parked
	fd       int32
	next     uint32 // the tick of the next look at the descriptor
	seen     uint64 // the word at the last sweep
	expirer  Expirer

	dog *Watchdog
}

const (
	phaseShift      = 3
	generationShift = 7
	tickShift       = 24
	reasonMask      = 1<<phaseShift - 1
	phaseMask       = 1<<generationShift - 1<<phaseShift
	generationMask  = 1<<tickShift - 1<<generationShift
)

func phaseOf(word uint64) Phase   { return Phase(word & phaseMask >> phaseShift) }
func reasonOf(word uint64) Reason { return Reason(word & reasonMask) }

// moved returns the word that follows old: another phase, one generation on.
func moved(old uint64, p Phase, until uint64) uint64 {
	generation := (old + 1<<generationShift) & generationMask
	return until<<tickShift | generation | uint64(p)<<phaseShift
}

// Begin notes that the connection does p from now, for at most d; 0 is without
// limit. It returns false if the watchdog has ended the connection's work, which
// then fails or has failed.
func (w *Watch) Begin(p Phase, d time.Duration) bool { return w.set(p, w.after(d)) }

// after returns the tick in which d will have passed; 0 for no d.
func (w *Watch) after(d time.Duration) uint64 {
	if d <= 0 {
		return 0
	}
	return w.dog.after(d)
}

// beginBefore is Begin for a phase that ends with the tick end, whatever d says; 0
// is none.
func (w *Watch) beginBefore(p Phase, d time.Duration, end uint64) bool {
	until := w.after(d)
	if end > 0 && (until == 0 || end < until) {
		until = end
	}
	return w.set(p, until)
}

func (w *Watch) set(p Phase, until uint64) bool {
	for {
		old := w.word.Load()
		if old&reasonMask != 0 {
			return false
		}
		if w.word.CompareAndSwap(old, moved(old, p, until)) {
			return true
		}
	}
}

// For notes the flag that tells when the client has left on whose behalf the
// connection is used from now; nil is nobody's.
func (w *Watch) For(gone *atomic.Bool) {
	if w.client.Load() != gone {
		w.client.Store(gone)
	}
}

// closesWhole notes that a FIN on this connection ends both its directions.
func (w *Watch) closesWhole() {
	w.dog.mu.Lock()
	defer w.dog.mu.Unlock()
	w.noHalves = true
}

// Tick returns the present tick, without looking at the clock.
func (w *Watch) Tick() uint64 { return w.dog.now.Load() }

// enter begins a phase and returns what was before, for prolong and back.
func (w *Watch) enter(p Phase, d time.Duration) (was uint64) {
	was = w.word.Load()
	w.set(p, w.until(d, was))
	return was
}

// until returns the tick in which a phase ends that may last d, and that is part
// of what was before. Bytes may go on leaving slowly for as long as they like,
// except while an answer is being waited for: that wait has an end of its own.
func (w *Watch) until(d time.Duration, was uint64) (tick uint64) {
	if d > 0 {
		tick = w.dog.after(d)
	}
	end := was >> tickShift
	if phaseOf(was) == PhaseAwait && end > 0 && (tick == 0 || end < tick) {
		return end
	}
	return tick
}

// back returns from p to the phase of was, with its deadline. If another
// goroutine, which uses the connection's other direction, has begun a phase
// meanwhile, that one stays.
func (w *Watch) back(p Phase, was uint64) { w.setWithin(p, phaseOf(was), was>>tickShift) }

// prolong gives p another d from now, within what was before it, if the connection
// still does p.
func (w *Watch) prolong(p Phase, d time.Duration, was uint64) { w.setWithin(p, p, w.until(d, was)) }

// setWithin is set, as long as the connection does within.
func (w *Watch) setWithin(within, p Phase, until uint64) {
	for {
		old := w.word.Load()
		if old&reasonMask != 0 || phaseOf(old) != within || w.word.CompareAndSwap(old, moved(old, p, until)) {
			return
		}
	}
}

// Ended returns why the connection's work was ended; NotEnded if it was not.
func (w *Watch) Ended() Reason { return reasonOf(w.word.Load()) }

// EndedPhase returns the phase in which the connection's work was ended.
func (w *Watch) EndedPhase() Phase { return phaseOf(w.word.Load()) }

// Phase returns what the connection is doing.
func (w *Watch) Phase() Phase { return phaseOf(w.word.Load()) }

// Gone is the flag that the watchdog raises when this connection's peer has left
// while its request was being served.
func (w *Watch) Gone() *atomic.Bool { return &w.gone }

// move changes the phase and nothing else; false if it is another, or has ended.
func (w *Watch) move(from, to Phase) bool {
	old := w.word.Load()
	return old&reasonMask == 0 && phaseOf(old) == from && w.word.CompareAndSwap(old, moved(old, to, old>>tickShift))
}

// setParks notes whether the connection can be parked.
func (w *Watch) setParks(parks bool) {
	w.dog.mu.Lock()
	defer w.dog.mu.Unlock()
	w.parks = parks
}

// stay has the connection be idle as usual again, after Parking, which undo undoes,
// or after it was parked; false if it is neither, or has ended.
func (w *Watch) stay(undo func()) bool {
	if w.move(PhaseParked, PhaseIdle) {
		return true
	}
	if w.Ended() != Parking {
		return false
	}
	w.dog.mu.Lock() // under which the watchdog does all that is to be undone
	defer w.dog.mu.Unlock()
	undo()
	old := w.word.Load()
	return reasonOf(old) == Parking && w.word.CompareAndSwap(old, moved(old, phaseOf(old), old>>tickShift))
}

// A Mark is a moment in the life of a connection.
type Mark uint64

// Mark returns the present moment.
func (w *Watch) Mark() Mark { return Mark(w.word.Load()) }

// Cancel ends what the connection is doing, whatever it is, and reports whether
// it was this call that did.
func (w *Watch) Cancel() bool {
	for {
		old := w.word.Load()
		if isOver(old) || phaseOf(old) == PhaseNone {
			return false
		}
		if w.end(old, Cancelled) {
			w.dog.expire(w, phaseOf(old))
			return true
		}
	}
}

// CancelIdle ends the connection if it is between messages.
func (w *Watch) CancelIdle() bool {
	old := w.word.Load()
	p := phaseOf(old)
	if isOver(old) || p != PhaseIdle && p != PhaseParked || !w.end(old, Cancelled) {
		return false
	}
	w.dog.expire(w, p)
	return true
}

// end marks the work that word describes as ended.
func (w *Watch) end(word uint64, r Reason) bool {
	return w.word.CompareAndSwap(word, word&^reasonMask|uint64(r))
}

// isOver reports whether nothing more will come of the work that word describes.
func isOver(word uint64) bool { return reasonOf(word) != NotEnded && reasonOf(word) != Parking }

// release gives the watch back. The word moves on first, so that a sweep under
// way does not take the next connection for this one.
func (w *Watch) release() { w.dog.unregister(w) }
