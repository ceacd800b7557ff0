package service

import (
	"context"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/pool"
	"github.com/weirproxy/weir/internal/transport"
)

// A Transport takes requests to one endpoint, whatever protocol it speaks. Its
// methods may be called concurrently.
type Transport interface {
	pool.Transport
	// RoundTrip sends the request of x and reads the response's head into the
	// call, which is to be closed; when it fails there is nothing to close.
	RoundTrip(x *exchange.Exchange, call *transport.Call) *exchange.Failure
	// Check tells what is wrong with the endpoint's health; nil if nothing is.
	Check(ctx context.Context, check transport.Check) error
	// Connections returns how many connections carry requests, and how many
	// are kept for the next.
	Connections() (active, idle int)
}

// The pool of a service's endpoints, and what belongs to it.
type (
	Pool   = pool.Pool[Transport]
	Member = pool.Member[Transport]
	grant  = pool.Grant[Transport]
	query  = pool.Query[Transport]
)

// A Strategy is how a service gets its answer.
type Strategy uint8

// The strategies.
const (
	// Single: one endpoint, and another one after a failure that Retry names.
	Single Strategy = iota
	// Failover: one after the other in the pool's order, until one is usable.
	Failover
	// Fanout: all at once; the first usable answer wins.
	Fanout
	// Hedge: one, and another one when no answer has come after a while.
	Hedge
)

// Options say how a service treats its requests.
type Options struct {
	// Name is the service's name.
	Name string
	// Pool has its endpoints, in the order that the strategy wants.
	Pool *Pool
	// Strategy is how answers are got. Usable are the statuses that decide for
	// all of them but Single.
	Strategy Strategy
	Usable   Statuses
	// UsableIf decides instead of Usable. If nil, it does not. It may be called
	// concurrently.
	UsableIf func(x *exchange.Exchange, resp *exchange.Response) bool
	// NonIdempotent lets requests be sent more than once whatever their method.
	NonIdempotent bool
	Retry         Retry
	Hedge         Hedging
	// Failing is what counts against an endpoint; so does an answer whose head
	// came later than Slow, unless that is 0.
	Failing Conditions
	Slow    time.Duration
	// Place is what requests are placed by, if the policy heeds that.
	Place Selector
	// Sticky keeps clients with their endpoint. If nil, nothing does.
	Sticky *Sticky
	// Measured: the pool's policy heeds latencies.
	Measured bool
	// Request bounds the whole exchange; 0 is not. Write bounds how long a
	// client may take no byte of its answer, Tunnel how long a connection that
	// switched protocols may carry nothing.
	Request, Write, Tunnel time.Duration
	// Problems makes the answers when no endpoint gives one.
	Problems exchange.Problems
}

// Retry says when a request is sent again.
type Retry struct {
	// Attempts bounds how often a request is sent, in all. Connections that
	// could not be opened do not count.
	Attempts int
	// On is what has the strategy Single try again.
	On Conditions
	// PerTry bounds the time from the beginning of a try to the head of its
	// response; 0 is not bounded beyond what the transport does.
	PerTry time.Duration
	// Budget is what tries beyond the first are paid from.
	Budget Budget
	// Buffer is how much of a request's content is kept for another try, in
	// bytes. Reject: requests with more are refused; else they are sent once.
	Buffer int
	Reject bool
	// IdempotencyKey: a request with that field may be repeated.
	IdempotencyKey bool
}

// Hedging says when a request that waits is sent to one more endpoint.
type Hedging struct {
	// After is how long the head of the response is waited for; if 0, as long
	// as the Percentile of the answers lately, from 0 to 100.
	After      time.Duration
	Percentile float64
	// Max bounds how many endpoints work on one request at once.
	Max int
	// Budget is what they are paid from, beyond the first.
	Budget Budget
}

// Budget is a share of the requests, from 0, and a number a second that is granted
// whatever that comes to.
type Budget struct {
	Ratio float64
	Floor int
}

// Statuses is a set of status codes.
type Statuses [600]bool

// Has reports whether the set has that status.
func (s *Statuses) Has(status int) bool { return status >= 0 && status < len(s) && s[status] }

// Conditions are kinds of failures, and statuses.
type Conditions struct {
	// Connect: no connection could be opened. Reset: the connection ended, or
	// carried something else than a response. Timeout: no response came in
	// time.
	Connect, Reset, Timeout bool
	Statuses                Statuses
}

// matches reports whether f is one of them.
func (c *Conditions) matches(f *exchange.Failure) bool {
	switch f.Code {
	case exchange.CodeConnectFailed, exchange.CodeConnectTimeout, exchange.CodeTLSFailed:
		return c.Connect
	case exchange.CodeEndpointClosed, exchange.CodeMalformedResponse, exchange.CodeResponseTooLarge, exchange.CodeResponseIncomplete:
		return c.Reset
	case exchange.CodeResponseTimeout:
		return c.Timeout
	default:
		return false
	}
}
