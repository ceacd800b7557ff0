package config

// bounds tells of limits that another one makes pointless.
func (w serviceWarner) bounds() {
	s := w.service
	if t := s.Timeouts.Response; s.Retry.PerTry >= t {
		w.add(w.below("retry", "per_try"), "has no effect: timeouts.response is %v", t)
	}
	timeout := w.below("queue", "timeout")
	if t := s.Timeouts.Request; t > 0 && s.Queue.Timeout > t && w.stated(timeout, s.Queue.Timeout, w.def.Queue.Timeout) {
		w.add(timeout, "has no effect: timeouts.request is %v", t)
	}
	if n := together(s.Endpoints); n > 0 && s.Concurrency > n && !w.open {
		w.add(w.below("concurrency"), "has no effect: the endpoints take %d requests together", n)
	}
	if h := s.Health; h != nil && h.Timeout > h.Interval {
		w.add(w.below("health", "timeout"), "is longer than interval, %v: an endpoint that does not answer is asked less often than that", h.Interval)
	}
	if b := s.Backpressure; !b.Off && b.Panic == wholePercent {
		w.add(w.below("backpressure", "panic"), "as soon as one endpoint rests all are used, so that no rest has an effect")
	}
}

// together is how many requests all endpoints take at once; 0 is unlimited.
func together(endpoints []Endpoint) (n int) {
	for _, e := range endpoints {
		if e.Concurrency <= 0 {
			return 0
		}
		n += e.Concurrency
	}
	return n
}
