package service

import (
	"io"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/transport"
)

// An attempt is how one exchange gets its answer.
type attempt struct {
	service *Service
	x       *exchange.Exchange
	query   query
	tried   []*Member
	// unlooked counts the tries at endpoints that did not look at the request.
	unlooked int
	// tries is where tries that come one after the other are kept: at most one
	// whose response has come, the one that follows it, and one that is held.
	tries [3]try
	// held is the last try whose response was not usable; nil if there is none.
	held *try
	// last is why there is no answer yet.
	last *exchange.Failure
	// cookie is the member that the client's cookie names.
	cookie *Member
}

// A try is one call of an endpoint.
type try struct {
	// x is the request as this try has it.
	x     *exchange.Exchange
	call  transport.Call
	grant grant
	began time.Duration
	// interim has the interim responses that are not passed on yet.
	interim interim
}

func newAttempt(s *Service) *attempt { return &attempt{service: s} }

// serve answers x.
func (a *attempt) serve(x *exchange.Exchange) {
	s := a.service
	a.x, a.unlooked = x, 0
	// Content may be long in coming, which would tell nothing of the endpoint.
	a.query = query{Repeatable: x.Repeatable && x.Request.Body == nil, Gone: x.Gone, Deadline: x.Deadline}
	a.query.Place, a.query.Placed = s.opts.Place.Key(x)
	if s.opts.Sticky != nil {
		a.cookie = s.opts.Sticky.member(x)
		a.query.Prefer = a.cookie
	}
	parallel := s.racing(x)
	loaded, f := a.prepareContent(parallel)
	switch {
	case f != nil:
		_ = s.opts.Problems.Respond(x, f)
	case parallel && loaded:
		a.race()
	default:
		a.sequence(a.first())
	}
	x.Outcome.Queued = a.query.Waited
	s.opts.Pool.Dismiss(&a.query)
	clear(a.tried)
	a.tried, a.last, a.x, a.cookie = a.tried[:0], nil, nil, nil
	a.query = query{}
}

// prepareContent sees to it that content can be sent as often as it has to be;
// loaded tells whether it is all at hand. Content that is too large to be kept is
// sent once, or refused.
func (a *attempt) prepareContent(parallel bool) (loaded bool, f *exchange.Failure) {
	x, retry := a.x, &a.service.opts.Retry
	body := x.Request.Body
	if body == nil {
		return true, nil
	}
	if !x.Repeatable {
		return false, nil
	}
	body.Keep(retry.Buffer)
	if retry.Reject && x.Request.Length > int64(retry.Buffer) {
		return false, exchange.Fail(exchange.CodeReplayTooLarge, "", nil)
	}
	if !parallel && !retry.Reject {
		return false, nil
	}
	if x.Request.ExpectContinue && !x.Continued {
		if err := x.Responder.Inform(&exchange.Response{Status: 100, Minor: 1, Reason: []byte("Continue")}); err != nil {
			return false, failureOf(err)
		}
	}
	loaded, err := body.Load()
	switch {
	case err != nil:
		return false, failureOf(err)
	case !loaded && retry.Reject:
		return false, exchange.Fail(exchange.CodeReplayTooLarge, "", nil)
	}
	return loaded, nil
}

// fail answers with the last unusable response if there is one, else with why
// there is none.
func (a *attempt) fail() {
	if a.held != nil {
		t := a.held
		a.held = nil
		a.forget(t)
		a.relay(t)
		return
	}
	_ = a.service.opts.Problems.Respond(a.x, a.last)
}

// relay passes the response of t on, and ends t.
func (a *attempt) relay(t *try) {
	s, x, m := a.service, a.x, t.grant.Member
	x.Outcome.Endpoint, x.Outcome.Index = m.Endpoint.Name, m.Index()
	if t.x != x {
		x.Outcome.RequestBytes = t.x.Outcome.RequestBytes
	}
	resp := &t.call.Response
	if sticky := s.opts.Sticky; sticky != nil && !sticky.keeps(a.cookie, m) {
		resp.Header = append(resp.Header, sticky.field(x, m))
	}
	if err := t.respond(x.Responder); err != nil {
		f := cutShort(x, err)
		x.Outcome.Failure = f
		if s.counts(f) {
			s.opts.Pool.Failed(&t.grant, setback(f))
		}
	}
	s.end(t)
}

// respond passes the response on, behind the interim ones that were held back.
func (t *try) respond(to exchange.Responder) error {
	if err := t.interim.relay(to); err != nil {
		return err
	}
	return to.Respond(&t.call.Response)
}

// end ends a try whose response is done with.
func (s *Service) end(t *try) {
	t.call.Close(t.x)
	s.opts.Pool.Leave(&t.grant)
}

// hold keeps a response that was not usable, in the place of an earlier one.
func (a *attempt) hold(t *try) {
	a.note(t, nil)
	if a.held != nil {
		a.service.drop(a.held)
	}
	a.held = t
}

// drop ends a try whose response nobody wants. What has arrived of it is read, so
// that the connection can be used again if that is all.
func (s *Service) drop(t *try) {
	if body := t.call.Response.Body; body != nil {
		for {
			data, err := body.Next(false)
			if err == io.EOF || err != nil || data == nil {
				break
			}
		}
	}
	s.end(t)
}

// note writes down that t did not give the client its answer.
func (a *attempt) note(t *try, f *exchange.Failure) {
	a.x.Outcome.Tries = append(a.x.Outcome.Tries, t.account(f))
}

// account is what there is to tell of a try; f is why it has no response.
func (t *try) account(f *exchange.Failure) exchange.Try {
	n := exchange.Try{Endpoint: t.grant.Member.Endpoint.Name, Failure: f, Duration: exchange.Now() - t.began}
	if f == nil {
		n.Status = t.call.Response.Status
	}
	return n
}

// forget takes back what was noted of t: it gives the client its answer after all.
func (a *attempt) forget(t *try) {
	tries := a.x.Outcome.Tries
	for i := len(tries) - 1; i >= 0; i-- {
		if tries[i].Failure == nil && tries[i].Endpoint == t.grant.Member.Endpoint.Name {
			a.x.Outcome.Tries = append(tries[:i], tries[i+1:]...)
			return
		}
	}
}
