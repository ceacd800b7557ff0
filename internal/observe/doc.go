// Package observe listens to exchanges: it counts them, and writes the access
// log. The path never waits for it.
//
// An [Observer] is told of every exchange after its response was sent, while
// the request's head is still there to read ([Observer.Observe]). It takes a
// lane, one of a few that the processors hardly ever share, adds to that lane's
// counters, and appends one line to that lane's log buffer. Nothing is
// allocated, and no lock is taken that all processors want.
//
// Behind the lanes:
//
//   - one goroutine writes the log buffers, in batches of whole lines, at
//     latest 100 ms after a line was appended. A destination that does not keep
//     up loses lines, which are counted, and never holds up a request;
//   - a scrape adds up the lanes' counters ([Observer.Handler]). Nothing of the
//     metrics library is on the path.
//
// Which services and endpoints have counters of their own is declared by whoever
// knows them ([Observer.Service], [ServiceSeries.Retain]), never by requests, so
// that a client cannot make series. Requests of others count for the empty name.
//
// [Events] tell what changes meanwhile, such as the state of an endpoint, to
// whoever subscribes. They have nothing to do with exchanges.
//
// docs/reference/access-log.md and docs/reference/metrics.md are what users read.
package observe
