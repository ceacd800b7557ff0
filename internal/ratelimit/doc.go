// Package ratelimit bounds how often requests of the same key pass: a token bucket
// for each key, in this process.
//
// # The promise
//
// A bucket holds burst tokens and gains them at a steady rate. In any time t no
// more than burst + rate × t requests of a key are admitted, however many come at
// once: counting is in integers, under a lock, and is exact. There is no clock, no
// timer and no goroutine: what a bucket has gained is computed when it is asked.
//
// # Memory
//
// Keys are remembered by 128 bits of a hash that is seeded anew in each process,
// so the length of a key costs nothing, and nobody can make two of them meet. The
// number of keys is bounded. When there is no room for one more, a bucket that is
// full again is forgotten: nothing is lost that a new one would not have. As long
// as none is found, new keys share one bucket, the overflow bucket of their
// stripe, so that nobody gets past the limit by inventing keys. A new bucket
// begins with what the overflow bucket has, which is full unless it was needed
// just now; hence the promise holds for every key, whatever is forgotten.
//
// What the client of a refused request is told is RFC 6585 §4: 429, with the time
// until the next one passes in Retry-After (RFC 9110 §10.2.3), in whole seconds,
// rounded up.
package ratelimit
