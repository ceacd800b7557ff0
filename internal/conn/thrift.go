package conn

import "time"

// A thrift tells when the memory is given back to the operating system that parked connections
// have no use for. A process in which nothing happens collects no garbage for minutes,
// and the stacks of goroutines that are gone are garbage.
type thrift struct {
	parked int    // connections since memory was given back
	at     uint64 // the tick in which the last of them was
	gave   uint64 // the tick in which memory was given back; 0 is never
}

const (
	// worthwhile is how many connections it takes: some megabytes.
	worthwhile = 1000
	// settled is how long no further one has been parked.
	settled = 250 * time.Millisecond
	// seldom is how long it is not done again: it is a whole collection.
	seldom = time.Minute
)

func (t *thrift) note(now uint64) {
	t.parked++
	t.at = now
}

// isDue reports whether memory is to be given back now, and notes that it is.
func (t *thrift) isDue(now uint64) bool {
	if t.parked < worthwhile || now < t.at+uint64(settled/Tick) || t.gave > 0 && now < t.gave+uint64(seldom/Tick) {
		return false
	}
	t.parked, t.gave = 0, now
	return true
}
