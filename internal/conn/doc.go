// Package conn is the seam between the data plane and the network: a
// connection as straight-line code on one goroutine wants it, with its waiting,
// its deadlines and its buffers.
//
// There are two implementations of [Conn]. [Raw] reads and writes the
// descriptor of a TCP or Unix socket itself and only asks the runtime to wait.
// [Stream] does the same over any net.Conn: TLS, in-memory pipes, tests in
// virtual time. Everything above works with either and one suite of tests runs
// over both.
//
// # Waiting
//
// A readiness edge of the descriptor is never wasted on a read that finds
// nothing. The server's side spends its life inside [Conn.Loop], which calls a
// step whenever something may have arrived. The endpoint's side arms readiness
// before it writes ([Conn.WriteThenWait]) and so finds the answer with its first
// read. Together they make two receives and two sends of a proxied request.
//
// # Deadlines
//
// No timer is set and no SetDeadline called per request. A connection notes in
// its [Watch] what it is doing and until when; one [Watchdog] sweeps over all of
// them. It never closes a connection under somebody's feet: it only makes what
// is waiting fail.
//
// # Parking
//
// A connection that has been idle for a while can be parked ([Conn.Park]): its
// goroutine, and the stack of that, go, until something arrives.
package conn
