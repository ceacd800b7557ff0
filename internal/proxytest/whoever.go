package proxytest

import "fmt"

// isWhoever reports whether an actor is an endpoint that the script does not name:
//
//	any     whichever gets the request
//	same    the one that any was last
//	other   whichever gets the request, but not that one
func isWhoever(actor string) bool { return actor == "any" || actor == "same" || actor == "other" }

// anyone does what the line of such an endpoint says.
func (st *stage) anyone(s *statement) error {
	first := st.whoever["any"]
	if s.actor != "any" && first == nil {
		return fmt.Errorf("there is no %s endpoint as long as nothing has come to any", s.actor)
	}
	if s.actor == "same" {
		return st.endpoint(first, s)
	}
	if s.verb == "expect" {
		e := st.nextAsked(func(e *endpoint) bool { return s.actor == "any" || e != first })
		if e == nil {
			return fmt.Errorf("no request came to %s endpoint", s.actor)
		}
		st.whoever[s.actor] = e
	}
	e := st.whoever[s.actor]
	if e == nil {
		return fmt.Errorf("%s endpoint has expected nothing yet", s.actor)
	}
	return st.endpoint(e, s)
}

// nextAsked waits until something has come to an endpoint that will do; nil if
// nothing does.
func (st *stage) nextAsked(will func(*endpoint) bool) (found *endpoint) {
	st.bell.await(st.patience, func() bool {
		for _, e := range st.endpoints {
			if !will(e) {
				continue
			}
			for _, c := range e.all() {
				if len(c.rest()) > 0 {
					found = e
					return true
				}
			}
		}
		return false
	})
	return found
}
