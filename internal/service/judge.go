package service

import (
	"errors"
	"fmt"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/pool"
)

// judge tells the pool how a try went; f is why there is no response.
func (s *Service) judge(t *try, f *exchange.Failure) {
	if f != nil {
		s.judgeFailure(t, f)
		return
	}
	status := t.call.Response.Status
	bad := s.opts.Failing.Statuses.Has(status)
	var err error
	if bad {
		err = fmt.Errorf("status %d", status)
	}
	if s.timed && !t.call.Streamed() {
		took := exchange.Now() - t.began
		s.heads.record(took)
		if s.opts.Slow > 0 && took > s.opts.Slow && !bad {
			bad, err = true, fmt.Errorf("answered after %v", took)
		}
		s.opts.Pool.Observe(t.grant.Member, took, bad || status >= 500)
	}
	if bad {
		s.opts.Pool.Failed(&t.grant, pool.Setback{Err: err})
	} else {
		s.opts.Pool.Succeeded(&t.grant)
	}
}

func (s *Service) judgeFailure(t *try, f *exchange.Failure) {
	if s.timed {
		took := exchange.Now() - t.began
		if f.Code == exchange.CodeCancelled {
			s.heads.record(took) // it would have taken longer still
		} else if f.Code.Side == exchange.SideEndpoint {
			s.opts.Pool.Observe(t.grant.Member, took, true)
		}
	}
	if s.counts(f) {
		s.opts.Pool.Failed(&t.grant, setback(f))
	}
}

// setback is what f says of the endpoint.
func setback(f *exchange.Failure) pool.Setback {
	return pool.Setback{Err: f, Unreachable: f.Code.IsDial(), Silent: f.Code == exchange.CodeResponseTimeout}
}

// counts reports whether f is held against the endpoint.
func (s *Service) counts(f *exchange.Failure) bool { return !f.Stale && s.opts.Failing.matches(f) }

// usable reports whether the response to x ends the search for one.
func (s *Service) usable(x *exchange.Exchange, resp *exchange.Response) bool {
	status := resp.Status
	switch {
	case status == 101:
		return true
	case s.opts.Strategy == Single:
		return !s.opts.Retry.On.Statuses.Has(status)
	case s.opts.UsableIf != nil:
		return s.opts.UsableIf(x, resp)
	default:
		return s.opts.Usable.Has(status)
	}
}

// mayMoveOn reports whether the request may go to another endpoint after f.
func (s *Service) mayMoveOn(x *exchange.Exchange, f *exchange.Failure) bool {
	switch {
	case f.Code.Side != exchange.SideEndpoint || f.Code == exchange.CodeRequestDeadline:
		return false
	case x.Gone.Load():
		return false
	case !f.Sent:
		return true
	case !x.Repeatable:
		return false
	default:
		return s.opts.Strategy != Single || s.opts.Retry.On.matches(f)
	}
}

// cutShort says why the answer could not be passed on to its end. What looks
// like a failure of the endpoint may be the proxy's doing, because the client has
// left or the request's time is over.
func cutShort(x *exchange.Exchange, err error) *exchange.Failure {
	var f *exchange.Failure
	if !errors.As(err, &f) {
		f = exchange.Fail(exchange.CodeResponseIncomplete, "", err)
	}
	switch {
	case f.Code != exchange.CodeResponseIncomplete:
	case x.Gone.Load():
		return exchange.Fail(exchange.CodeClientGone, "", nil)
	case x.Deadline > 0 && exchange.Now() >= x.Deadline:
		return exchange.Fail(exchange.CodeRequestDeadline, "", nil)
	}
	return f
}

// failureOf returns err, which is the client's, as the failure that it is.
func failureOf(err error) *exchange.Failure {
	var f *exchange.Failure
	if errors.As(err, &f) {
		return f
	}
	return exchange.Fail(exchange.CodeClientGone, "", err)
}
