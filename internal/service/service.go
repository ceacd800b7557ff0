package service

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

// A Service answers exchanges through its endpoints. It implements
// exchange.Handler.
type Service struct {
	opts     Options
	timed    bool // somebody wants to know how long heads take
	attempts sync.Pool
	*memory
}

// A memory is what a service has counted and learned. It outlives the options.
type memory struct {
	requests atomic.Uint64
	retries  budget
	hedges   budget
	hedged   atomic.Uint64
	heads    percentiles // how long heads took to come
}

// New returns a service.
func New(o Options) *Service {
	m := new(memory)
	m.retries.start(o.Retry.Budget)
	m.hedges.start(o.Hedge.Budget)
	return newService(o, m)
}

// With returns a service with other options that goes on counting, and that has the
// budgets and the percentiles of s. Requests under way end as s would end them.
func (s *Service) With(o Options) *Service { return newService(o, s.memory) }

func newService(o Options, m *memory) *Service {
	s := &Service{opts: o, memory: m}
	s.timed = o.Measured || o.Slow > 0 || o.Strategy == Hedge && o.Hedge.After == 0
	s.attempts.New = func() any { return newAttempt(s) }
	return s
}

// Name returns the service's name.
func (s *Service) Name() string { return s.opts.Name }

// Pool returns its endpoints.
func (s *Service) Pool() *Pool { return s.opts.Pool }

// Hedges returns how often a request was sent to one more endpoint because it
// waited, Denied how often a budget forbade to send one again.
func (s *Service) Hedges() uint64 { return s.hedged.Load() }

// Denied returns how often a budget forbade to send a request once more.
func (s *Service) Denied() uint64 { return s.retries.denied.Load() + s.hedges.denied.Load() }

// Serve implements exchange.Handler.
func (s *Service) Serve(x *exchange.Exchange) { s.ServeWithin(x, 0) }

// ServeWithin is Serve with a bound of the route's own, that comes before the
// service's; 0 is none.
func (s *Service) ServeWithin(x *exchange.Exchange, limit time.Duration) {
	x.Outcome.Service = s.opts.Name
	x.WriteTimeout, x.TunnelTimeout = s.opts.Write, s.opts.Tunnel
	if limit == 0 {
		limit = s.opts.Request
	}
	if limit > 0 {
		x.Deadline = x.Start + limit
	}
	x.Repeatable = s.repeatable(&x.Request)
	if n := s.requests.Add(1); n%noteEvery == 0 {
		s.retries.note(s.opts.Retry.Budget, n, x.Start)
		s.hedges.note(s.opts.Hedge.Budget, n, x.Start)
	}
	a := s.attempts.Get().(*attempt)
	a.serve(x)
	s.attempts.Put(a)
}

// noteEvery is after how many requests the budgets learn how many there are.
const noteEvery = 256

// repeatable reports whether a request may be sent more than once.
func (s *Service) repeatable(req *exchange.Request) bool {
	if req.Method.Idempotent() || s.opts.NonIdempotent {
		return true
	}
	return s.opts.Retry.IdempotencyKey && hasIdempotencyKey(req.Header)
}

var idempotencyKey = []byte("Idempotency-Key")

func hasIdempotencyKey(h exchange.Header) bool {
	for i := range h {
		if len(h[i].Value) > 0 && exchange.EqualFold(h[i].Name, idempotencyKey) {
			return true
		}
	}
	return false
}

// racing reports whether tries for the request run in parallel.
func (s *Service) racing(x *exchange.Exchange) bool {
	return s.opts.Strategy >= Fanout && x.Repeatable && len(x.Request.Upgrade) == 0
}

// mayRetry reports whether one more try is paid for.
func (s *Service) mayRetry() bool {
	return s.retries.take(s.opts.Retry.Budget, s.requests.Load(), exchange.Now())
}

// mayHedge reports whether one more call is paid for.
func (s *Service) mayHedge() bool {
	return s.hedges.take(s.opts.Hedge.Budget, s.requests.Load(), exchange.Now())
}
