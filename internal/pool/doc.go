// Package pool knows which endpoints of a service can be used now, how much each
// of them is doing, and who waits for one.
//
// A [Pool] publishes an immutable snapshot of the members that are available,
// with the picker made for them. A request takes a place at one of them with
// [Pool.Take], without a lock, or waits for one in the queue with [Pool.Wait]; it
// tells how it went with [Pool.Failed] or [Pool.Succeeded], and gives the place
// back with [Pool.Leave].
//
// What is learned from requests, from dials in the background and from health
// checks feeds one state machine (state.go):
//
//	                a failure that counts: next step
//	  ┌──────────────────────────────────────────────────┐
//	  │                                                  ▼
//	  │  fall checks failed                    ┌────▶ resting ───┐ failure:
//	up ◀─────────────────────▶ unhealthy       │  (step k, until)│ step k+1
//	▲ │  rise checks passed                    │        │        │
//	│ │                                        │        ▼        │
//	│ │ drain ┌──────────┐                     └──── probing ◀───┘
//	│ └──────▶│ draining │                              │  one a window: a dial, a
//	│◀────────└──────────┘  undo                        │  check or a live request
//	│                                                   │
//	└── warming (slow start, if any) ◀──────────────────┘ success
//
// Draining hides unhealthy, unhealthy hides resting. After a time-out the probe is
// a dial first, and a live request only when that has gone well.
package pool
