package observe

import (
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"
)

// maxLanes bounds the memory of one endpoint's counters (a cache line a lane).
// Beyond that many processors a lane is shared by a few, which is still far from
// all of them.
const maxLanes = 16

// A lane is one of the places that counters and log buffers are spread over. Its
// number is an index into each of them.
type lane struct{ index int }

// lanes hands out lanes so that a processor nearly always gets the same one, and
// gets it alone.
//
// Go tells nobody which processor it runs on, but a sync.Pool keeps what is put
// into it per processor. The pool holds pointers to a few lanes that exist all
// along: when the garbage collector empties it nothing is lost, and lanes are
// dealt again. Two processors may then hold the same lane, so whatever a lane
// indexes is safe for concurrent use; it is only hardly ever contended.
type lanes struct {
	all  []lane
	next atomic.Uint32
	pool sync.Pool
}

func (l *lanes) init() {
	n := min(1<<bits.Len(uint(runtime.GOMAXPROCS(0)-1)), maxLanes) // a power of two
	l.all = make([]lane, n)
	for i := range l.all {
		l.all[i].index = i
	}
	l.pool.New = func() any { return &l.all[int(l.next.Add(1))&(n-1)] }
}

func (l *lanes) count() int { return len(l.all) }

func (l *lanes) take() *lane { return l.pool.Get().(*lane) }

func (l *lanes) give(taken *lane) { l.pool.Put(taken) }
