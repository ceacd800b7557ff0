package dns

import (
	"math/rand/v2"
	"time"
)

// later returns a time that is up to a tenth longer: never shorter, for an answer that
// has not expired yet would be given again.
func later(d time.Duration) time.Duration { return d + rand.N(d/10+1) }
