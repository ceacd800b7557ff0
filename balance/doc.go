// Package balance chooses one of several endpoints: pure pickers, one policy a
// file.
//
// A [Picker] is made for one set of endpoints and knows them by their place in
// it. When the set changes, another one is made that goes on where the old one
// was. Pickers are safe for concurrent use and allocate nothing.
package balance

import (
	"sync/atomic"
	"time"
)

// A Picker chooses the endpoint for a request.
type Picker interface {
	// Pick returns the place, in the set that the picker was made for, of an
	// endpoint that is free; -1 if there is none.
	Pick(c Candidates) int
}

// Candidates is what a picker may ask about the endpoints, and the request, at the
// moment of its choice.
type Candidates interface {
	// Free reports whether the endpoint at place i may get the request: it is
	// available, below its limit, and was not tried before.
	Free(i int) bool
	// InFlight is how many requests it is serving.
	InFlight(i int) int
	// Latency is how long it has been taking to answer lately; 0 if nothing is
	// known.
	Latency(i int) time.Duration
	// Key is a hash of what the request is to be placed by; false if the
	// request has nothing of the kind.
	Key() (uint64, bool)
}

// A Target is what a picker knows beforehand of one endpoint.
type Target struct {
	// Name is its identity: policies that place requests by a key place them by
	// it, whatever the order of the set.
	Name string
	// Weight is its share relative to the others; less than 1 counts as 1.
	Weight int
}

// A Policy makes a picker for a set, which is not empty. Pickers that follow each
// other share turn.
type Policy func(set []Target, turn *atomic.Uint64) Picker
