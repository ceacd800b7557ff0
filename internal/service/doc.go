// Package service is what one service does with an exchange: choose an endpoint,
// take the request there, move on to another one when that costs the client
// nothing, and pass the first usable answer on.
//
//	ServeWithin ─▶ sequence (single, failover)   one try after the other
//	            └▶ race     (fanout, hedge)      several at once
//
//	a try:  pool.Take/Wait ─▶ transport.RoundTrip ─▶ judge ─▶ usable? ─▶ relay
//	              ▲                                              │ no
//	              └────────── another endpoint, if safe ◀────────┘
//
// What is safe (the third invariant): before a byte of the request has left, any
// request may go elsewhere. After that, only one that is repeatable (its method is
// idempotent, or the service allows it) and whose content is still at hand. After
// a byte of the answer has reached the client, none.
//
// A response that was not usable is held, with its connection, until there is a
// better one: if there is none, the client gets it as it was.
package service
