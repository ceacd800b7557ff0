// Package demo shows a newcomer what Weir does: a router as weir run makes it,
// workers that dial in to it, a gentle stream of requests, and a narrator that
// tells line by line what happens. Some of the workers come late, leave, freeze or
// are killed.
//
// Everything is in this process and on loopback. It is the real router, and they
// are real workers, each over a TCP connection of its own: what the narrator tells
// of the router are the answers that it gave, the lines that it logged and what
// its API says. What the summary says was counted.
package demo
