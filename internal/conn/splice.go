package conn

import "time"

// SpliceLimits bounds how long a transfer may take, and how long one side may stand
// still.
type SpliceLimits struct {
	// Read is how long src may send nothing, Write how long dst may take
	// nothing; 0 is without bound.
	Read, Write time.Duration
	// Total is how long src may take in all; 0 is without bound.
	Total time.Duration
}

// A ReadError is a failure of the side that is read.
type ReadError struct{ Err error }

func (e *ReadError) Error() string { return e.Err.Error() }

// Unwrap returns the failure itself.
func (e *ReadError) Unwrap() error { return e.Err }
