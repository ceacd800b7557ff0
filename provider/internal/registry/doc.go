// Package registry is what all registries have in common: how an entry reads, what is
// told and when, how long to pause.
//
// A source reads its entries with [ReadEntry], or with [Content] if they have another
// form; an [Announcer] tells them whenever they are something else than before, and an
// outage once; [Pauses] are the waits between attempts to reach a registry. Whatever
// is taken from one is bounded here, the same for all.
package registry
