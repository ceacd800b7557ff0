package service

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirproxy/weir/internal/exchange"
)

var small, large = &body{text: "content"}, &body{text: "content", large: true}

func (b *body) fresh() *body {
	if b == nil {
		return nil
	}
	return &body{text: b.text, large: b.large}
}

// A move is what becomes of one request; seen is how many requests each endpoint
// has seen.
type move struct {
	endpoints []string
	method    string
	body      *body
	status    int
	failure   *exchange.Code
	attempts  int
	seen      string
}

func (m move) play(t *testing.T, s *settings) {
	t.Helper()
	name := m.method + " when the first " + strings.Join(m.endpoints, "; the next ")
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			settings := *s
			svc := settings.over(t, m.endpoints...)
			r, x := svc.do(m.method, m.body.fresh())
			if r.status != m.status {
				t.Errorf("the client got %d, want %d", r.status, m.status)
			}
			if code := codeOf(x.Outcome.Failure); code != m.failure {
				t.Errorf("the outcome is %v, want %v", x.Outcome.Failure, m.failure)
			}
			if x.Outcome.Attempts != m.attempts {
				t.Errorf("%d attempts were counted, want %d", x.Outcome.Attempts, m.attempts)
			}
			if got := svc.seen(); got != m.seen {
				t.Errorf("the endpoints have seen %s requests, want %s", got, m.seen)
			}
			if n := svc.Pool().InFlight(); n != 0 {
				t.Errorf("%d places were not given back", n)
			}
		})
	})
}

func TestService_MovesOnOnlyWhenThatIsSafe(t *testing.T) {
	for _, m := range []move{
		// Nothing was sent: any request goes elsewhere, and it does not count.
		{[]string{refuses, answers}, "GET", nil, 200, nil, 1, "0 1"},
		{[]string{refuses, answers}, "POST", small, 200, nil, 1, "0 1"},
		{[]string{blackhole, answers}, "PATCH", small, 200, nil, 1, "0 1"},
		{[]string{refuses, refuses, refuses, refuses, answers}, "POST", small, 200, nil, 1, "0 0 0 0 1"},
		{[]string{refuses, answers}, "POST", large, 200, nil, 1, "0 1"},
		// Something was sent: only what may be repeated.
		{[]string{closes, answers}, "GET", nil, 200, nil, 2, "1 1"},
		{[]string{closes, answers}, "HEAD", nil, 200, nil, 2, "1 1"},
		{[]string{closes, answers}, "DELETE", nil, 200, nil, 2, "1 1"},
		{[]string{closes, answers}, "PUT", small, 200, nil, 2, "1 1"},
		{[]string{closes, answers}, "PUT", large, 502, exchange.CodeEndpointClosed, 1, "1 0"},
		{[]string{closes, answers}, "POST", small, 502, exchange.CodeEndpointClosed, 1, "1 0"},
		{[]string{closes, answers}, "POST", nil, 502, exchange.CodeEndpointClosed, 1, "1 0"},
		{[]string{closes, answers}, "BREW", nil, 502, exchange.CodeEndpointClosed, 1, "1 0"},
		{[]string{"503", answers}, "POST", small, 503, nil, 1, "1 0"},
		{[]string{silent, answers}, "POST", small, 504, exchange.CodeResponseTimeout, 1, "1 0"},
		{[]string{refuses, closes}, "POST", small, 502, exchange.CodeEndpointClosed, 1, "0 1"},
		// What is retried.
		{[]string{garbage, answers}, "GET", nil, 200, nil, 2, "1 1"},
		{[]string{silent, answers}, "GET", nil, 200, nil, 2, "1 1"},
		{[]string{"502", "504", answers}, "GET", nil, 200, nil, 3, "1 1 1"},
		{[]string{"503", answers}, "PUT", small, 200, nil, 2, "1 1"},
		{[]string{"503", answers}, "PUT", large, 503, nil, 1, "1 0"},
		// What is not.
		{[]string{"500", answers}, "GET", nil, 500, nil, 1, "1 0"},
		{[]string{"404", answers}, "GET", nil, 404, nil, 1, "1 0"},
		{[]string{truncates, answers}, "GET", nil, 200, exchange.CodeResponseIncomplete, 1, "1 0"},
		// The number of tries is bounded, and no endpoint is left out.
		{[]string{closes, closes, closes, answers}, "GET", nil, 502, exchange.CodeEndpointClosed, 3, "1 1 1 0"},
		{[]string{"503", "503", "503", answers}, "GET", nil, 503, nil, 3, "1 1 1 0"},
		{[]string{closes}, "GET", nil, 502, exchange.CodeEndpointClosed, 3, "3"},
		{[]string{closes + ", " + answers}, "GET", nil, 200, nil, 2, "2"},
		{[]string{refuses, refuses}, "GET", nil, 502, exchange.CodeConnectFailed, 0, "0 0"},
		// The last real answer is the client's.
		{[]string{"503", refuses}, "GET", nil, 503, nil, 1, "1 0"},
		{[]string{"502", closes, closes}, "GET", nil, 502, nil, 3, "1 1 1"},
	} {
		m.play(t, defaults())
	}
}

func TestService_RepeatsWhatTheServiceAllows(t *testing.T) {
	s := defaults()
	s.NonIdempotent = true
	move{[]string{closes, answers}, "POST", small, 200, nil, 2, "1 1"}.play(t, s)
	move{[]string{"503", answers}, "PATCH", small, 200, nil, 2, "1 1"}.play(t, s)
}

func TestService_HonoursAnIdempotencyKey(t *testing.T) {
	for _, honoured := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			s := defaults()
			s.Retry.IdempotencyKey = honoured
			svc := s.over(t, closes, answers)
			r := new(recorder)
			x := newExchange("POST", small.fresh(), r)
			x.Request.Header = exchange.Header{{Name: []byte("idempotency-key"), Value: []byte("k")}}
			svc.Serve(x)
			if got := r.status == 200; got != honoured {
				t.Errorf("with idempotency_key: %v the client got %d", honoured, r.status)
			}
		})
	}
}

func TestService_FailsOver(t *testing.T) {
	s := defaults().strategy(Failover)
	s.Retry.Attempts = 1 // which is for single
	for _, m := range []move{
		{[]string{answers, answers}, "GET", nil, 200, nil, 1, "1 0"},
		{[]string{"404", answers}, "GET", nil, 404, nil, 1, "1 0"},
		{[]string{"500", answers}, "GET", nil, 200, nil, 2, "1 1"},
		{[]string{closes, garbage, "500", refuses, answers}, "GET", nil, 200, nil, 4, "1 1 1 0 1"},
		{[]string{"500", "501"}, "GET", nil, 501, nil, 2, "1 1"},
		{[]string{"500", closes}, "GET", nil, 500, nil, 2, "1 1"},
		{[]string{closes, closes}, "GET", nil, 502, exchange.CodeEndpointClosed, 2, "1 1"},
		{[]string{"500", answers}, "POST", small, 500, nil, 1, "1 0"},
		{[]string{refuses, answers}, "POST", small, 200, nil, 1, "0 1"},
		{[]string{"500", answers}, "PUT", large, 500, nil, 1, "1 0"},
	} {
		m.play(t, s)
	}
}

func TestService_PassesTheLastRealAnswerOnUnchanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc := defaults().over(t, "502", "503", refuses)
		r, x := svc.get()
		if r.status != 503 || r.content != "b" || r.header != "X-By: b, Content-Length: 1" || x.Outcome.Endpoint != "b" {
			t.Errorf("the client got %d %q {%s} of %s, want all of the second's", r.status, r.content, r.header, x.Outcome.Endpoint)
		}
	})
}

func TestService_TellsOfItsTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc := defaults().over(t, refuses, "503@50ms", answers)
		_, x := svc.get()
		tries := x.Outcome.Tries
		if len(tries) != 2 {
			t.Fatalf("there are %d tries told of, want those at a and b: %+v", len(tries), tries)
		}
		if a := tries[0]; a.Endpoint != "a" || codeOf(a.Failure) != exchange.CodeConnectFailed || a.Status != 0 {
			t.Errorf("the first is %+v, want a refused dial at a", a)
		}
		if b := tries[1]; b.Endpoint != "b" || b.Failure != nil || b.Status != 503 || b.Duration < 50*time.Millisecond {
			t.Errorf("the second is %+v, want a 503 of b after 50ms", b)
		}
		if x.Outcome.Endpoint != "c" || x.Outcome.Index != 2 || x.Outcome.Failure != nil {
			t.Errorf("the outcome is %+v, want c's answer", x.Outcome)
		}
	})
}

func TestService_SendsTheSameContentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc := defaults().over(t, closes, answers)
		text := strings.Repeat("0123456789", 1000)
		svc.do("PUT", &body{text: text})
		for i, f := range svc.fakes {
			if got := f.requests(); !slices.Equal(got, []string{text}) {
				t.Errorf("endpoint %d has not seen the content once and unchanged", i)
			}
		}
	})
}

func TestService_RefusesWhatIsTooLargeToRepeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := defaults()
		s.Retry.Reject = true
		svc := s.over(t, answers)
		r, x := svc.do("PUT", large.fresh())
		if r.status != 413 || codeOf(x.Outcome.Failure) != exchange.CodeReplayTooLarge || svc.seen() != "0" {
			t.Errorf("the client got %d (%v), want 413 replay_too_large before anything was sent", r.status, x.Outcome.Failure)
		}
		if r, _ := svc.do("POST", large.fresh()); r.status != 200 {
			t.Errorf("a request that is sent once anyway got %d", r.status)
		}
	})
}

func TestService_BoundsATry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := defaults()
		s.Retry.PerTry = 500 * time.Millisecond
		svc := s.over(t, silent, answers)
		began := exchange.Now()
		r, _ := svc.get()
		if took := r.at - began; r.status != 200 || took < 500*time.Millisecond || took > 700*time.Millisecond {
			t.Errorf("the client got %d after %v, want 200 after 500ms", r.status, took)
		}
	})
}

func TestService_StaysWithinItsBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := defaults()
		s.Retry.Budget = Budget{Ratio: 0.2, Floor: 5}
		svc := s.over(t, "503", answers)
		served := 0
		for range 100 {
			if r, _ := svc.get(); r.status == 200 {
				served++
			}
		}
		if served < 20 || served > 25 {
			t.Errorf("of 100 requests %d were retried, want 20 and up to 5 more", served)
		}
		if svc.Denied() != uint64(100-served) {
			t.Errorf("%d retries were counted as denied, want %d", svc.Denied(), 100-served)
		}
	})
}

func TestService_RestsWhoFailed(t *testing.T) {
	for behaviour, rests := range map[string]bool{refuses: true, closes: true, garbage: true, silent: true, "503": false, "404": false, truncates: true} {
		synctest.Test(t, func(t *testing.T) {
			svc := defaults().rest().over(t, behaviour, answers)
			svc.get()
			if s := svc.Pool().Members()[0].State(); s.Condition.Available() == rests {
				t.Errorf("an endpoint that %s is %v", behaviour, s.Condition)
			}
		})
	}
}

func TestService_RestsNobodyForAConnectionThatWasKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc := defaults().rest().over(t, answers+", "+closes)
		svc.get()
		r, x := svc.do("POST", small.fresh())
		if r.status != 502 || codeOf(x.Outcome.Failure) != exchange.CodeEndpointClosed {
			t.Fatalf("the client got %d (%v), want 502 endpoint_closed", r.status, x.Outcome.Failure)
		}
		if s := svc.Pool().Members()[0].State(); !s.Condition.Available() {
			t.Errorf("an endpoint that may have closed its connection before the request came is %v", s.Condition)
		}
	})
}

func TestService_RestsWhoIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := defaults().rest()
		s.Failing = Conditions{}
		s.Failing.Statuses[404] = true
		svc := s.over(t, "404")
		if r, _ := svc.get(); r.status != 404 {
			t.Errorf("the client got %d, want the endpoint's 404", r.status)
		}
		if r, _ := svc.get(); r.status != 503 || r.retryAfter != "1" {
			t.Errorf("while it rests the client got %d with Retry-After %q, want 503 and 1", r.status, r.retryAfter)
		}
	})
}

func TestService_RestsWhoIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := defaults().rest()
		s.Slow = 100 * time.Millisecond
		svc := s.over(t, "200@200ms", "200@50ms")
		if r, _ := svc.get(); r.status != 200 || r.content != "a" {
			t.Errorf("the client got %d %q, want the slow answer", r.status, r.content)
		}
		if r, _ := svc.get(); r.content != "b" {
			t.Errorf("the next request went to %q, want b", r.content)
		}
		if s := svc.Pool().Members()[1].State(); !s.Condition.Available() {
			t.Error("an endpoint that was fast enough rests")
		}
	})
}

func TestService_AnswersAtOnceWhenAllRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc := defaults().rest().over(t, refuses)
		if r, _ := svc.get(); r.status != 502 {
			t.Errorf("who finds out got %d, want 502", r.status)
		}
		began := exchange.Now()
		r, x := svc.get()
		if codeOf(x.Outcome.Failure) != exchange.CodeNoEndpoint || r.status != 503 || r.retryAfter != "1" || r.at != began || x.Outcome.Index != -1 {
			t.Errorf("the next client got %d with Retry-After %q after %v (%v)", r.status, r.retryAfter, r.at-began, x.Outcome.Failure)
		}
	})
}

func TestService_StopsWhenTheRequestsTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc := defaults().rest().over(t, silent, answers)
		r := new(recorder)
		x := newExchange("GET", nil, r)
		svc.ServeWithin(x, time.Second)
		if codeOf(x.Outcome.Failure) != exchange.CodeRequestDeadline || r.status != 504 || svc.seen() != "1 0" {
			t.Errorf("the client got %d (%v), endpoints saw %s; want 504 because of the request's own time", r.status, x.Outcome.Failure, svc.seen())
		}
		if !svc.Pool().Members()[0].State().Condition.Available() {
			t.Error("an endpoint rests because a request had little time")
		}
	})
}

func TestService_AsksNobodyElseForAClientThatHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc := defaults().over(t, closes, answers)
		r := new(recorder)
		x := newExchange("GET", nil, r)
		x.Gone.Store(true)
		svc.Serve(x)
		if codeOf(x.Outcome.Failure) != exchange.CodeClientGone || r.status != 0 || len(svc.fakes[1].requests()) != 0 {
			t.Errorf("the outcome is %v and the answer %d, want only a note that the client has left", x.Outcome.Failure, r.status)
		}
	})
}

func TestService_KeepsAClientWithItsEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := defaults().rest()
		s.pool.Policy = nil // in turn
		svc := s.over(t, answers, answers, answers)
		svc.opts.Sticky = NewSticky("test", svc.Pool(), "bound", []byte("secret"), 0)
		first, _ := svc.get()
		cookie, ok := strings.CutPrefix(first.header, "X-By: a, Content-Length: 1, Set-Cookie: ")
		if !ok || !strings.HasSuffix(cookie, "; Path=/; HttpOnly; SameSite=Lax") || strings.Contains(cookie, "=a;") {
			t.Fatalf("the first answer has {%s}", first.header)
		}
		cookie, _, _ = strings.Cut(cookie, ";")
		again := func(cookie string) *recorder {
			r := new(recorder)
			x := newExchange("GET", nil, r)
			x.Request.Header = exchange.Header{{Name: []byte("Cookie"), Value: []byte("other=1; " + cookie + "; last=2")}}
			svc.Serve(x)
			return r
		}
		for range 4 {
			if r := again(cookie); r.content != "a" || strings.Contains(r.header, "Set-Cookie") {
				t.Errorf("with the cookie the client got %q {%s}, want a and no other cookie", r.content, r.header)
			}
		}
		if r := again("bound=forged"); !strings.Contains(r.header, "Set-Cookie") {
			t.Errorf("with a cookie that was made up the client got {%s}, want another one", r.header)
		}
		svc.Pool().Drain(svc.Pool().Members()[0], true)
		if r := again(cookie); r.content == "a" || !strings.Contains(r.header, "Set-Cookie: bound=") {
			t.Errorf("when its endpoint goes the client got %q {%s}, want another one with its cookie", r.content, r.header)
		}
	})
}
