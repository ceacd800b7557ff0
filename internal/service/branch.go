package service

import (
	"github.com/weirproxy/weir/internal/exchange"
	"github.com/weirproxy/weir/internal/transport"
)

// A branch is one of the tries of a race.
type branch struct {
	try
	x       exchange.Exchange // the request as this branch has it
	stop    transport.Stop
	failure *exchange.Failure
}

// run does the round trip.
func (b *branch) run(s *Service) {
	b.began = exchange.Now()
	if perTry := s.opts.Retry.PerTry; perTry > 0 {
		b.x.TryDeadline = b.began + perTry
	}
	b.failure = b.grant.Member.Transport.RoundTrip(&b.x, &b.call)
	s.judge(&b.try, b.failure)
}
