// Package scale tests routers with many workers: thousands that are attached, that
// come back all at once, that are attached to several routers, that come and go.
//
// One has no workers, but 10,000 endpoints in 1,000 services, which change.
//
// Each router of workers is a process of its own, so that what is measured of it is its own:
// memory, descriptors, goroutines, processor time. Workers are made by hand, one
// goroutine each, so that they do not take the processor away from it.
//
// The tests run at a size that takes seconds, and with the size that people ask
// about by "make scale", which prints the figures in docs/reference/scale.md.
package scale
