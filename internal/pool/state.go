package pool

import "time"

// A Condition is whether, and how far, a member can be given requests.
type Condition uint8

// The conditions of a member.
const (
	// Up: it gets its share.
	Up Condition = iota
	// Warming: it came back lately, and its share grows.
	Warming
	// Resting: it failed, and is left alone until its rest is over.
	Resting
	// Unhealthy: its health check fails.
	Unhealthy
	// Draining: it finishes what it has, and gets nothing new.
	Draining
)

var conditionNames = [...]string{"up", "warming", "resting", "unhealthy", "draining"}

// String returns the condition's name, as logs and metrics have it.
func (c Condition) String() string { return conditionNames[c] }

// Available reports whether a member in that condition is given requests.
func (c Condition) Available() bool { return c <= Warming }

// A Finder is who finds out whether a rest is over, once its time has passed.
type Finder uint8

// The finders.
const (
	// ByRequest: one live request.
	ByRequest Finder = iota
	// ByDial: a connection opened in the background.
	ByDial
	// ByDialAndRequest: one, and when that is open, one live request.
	ByDialAndRequest
	// ByCheck: the health check.
	ByCheck
)

// dials reports whether the next to find out is a connection.
func (f Finder) dials() bool { return f == ByDial || f == ByDialAndRequest }

// A State is what is known of a member. It is a value; rules make the next one of
// it.
type State struct {
	Condition Condition
	// Since is when Condition began, on the clock of exchange.Now.
	Since time.Duration
	// Step counts the rests in a row; 0 is none. Until is when the present one
	// ends, By who finds out then.
	Step  int
	Until time.Duration
	By    Finder
	// Unreachable: the last thing that went wrong was that it could not be
	// connected to.
	Unreachable bool
	// Err is what went wrong last; nil when all is well.
	Err error

	resting, unhealthy, draining bool
	// warm is when a slow start began; 0 is none under way.
	warm time.Duration
	// passed and failed count health checks in a row.
	passed, failed int
}

// rules are how a service's members change their state. The methods are pure.
type rules struct {
	steps      []time.Duration
	checked    bool // there is a health check
	rise, fall int
	slowStart  time.Duration
}

// A Setback is one thing that went wrong with a member.
type Setback struct {
	Err error
	// Unreachable: no connection could be opened.
	Unreachable bool
	// Silent: nothing came over the connection that was used. Whether another
	// one can be opened is found out before a request is risked.
	Silent bool
}

// setBack is the state after a setback; probe says that it happened to what was to
// find out whether the rest is over. Another one that comes while the member rests
// was under way before, and says nothing new.
func (r *rules) setBack(s State, now time.Duration, b Setback, probe bool) State {
	if len(r.steps) == 0 {
		return r.recover(s, now)
	}
	if s.resting && !probe {
		if b.Unreachable && s.By != ByCheck {
			s.By, s.Unreachable, s.Err = ByDial, true, b.Err
		}
		return s
	}
	s.resting, s.Unreachable, s.Err = true, b.Unreachable, b.Err
	s.Until = now + r.steps[min(s.Step, len(r.steps)-1)]
	s.Step++
	switch {
	case r.checked:
		s.By = ByCheck
	case b.Unreachable:
		s.By = ByDial
	case b.Silent:
		s.By = ByDialAndRequest
	default:
		s.By = ByRequest
	}
	return r.settle(s, now)
}

// dialed is the state after a connection could be opened in the background.
func (r *rules) dialed(s State, now time.Duration) State {
	if s.By == ByDialAndRequest {
		s.By = ByRequest
		return s
	}
	return r.recover(s, now)
}

// recover is the state after whoever was to find out has found all well.
func (r *rules) recover(s State, now time.Duration) State {
	s.resting, s.Step, s.Until, s.Unreachable = false, 0, 0, false
	return r.settle(s, now)
}

// check is the state after a health check; err is what was wrong.
func (r *rules) check(s State, now time.Duration, err error, unreachable bool) State {
	due := s.resting && s.By == ByCheck && now >= s.Until
	if err != nil {
		s.passed, s.failed = 0, s.failed+1
		s.Unreachable = unreachable
		if s.failed >= r.fall {
			s.unhealthy, s.Err = true, err
		}
		if due {
			return r.setBack(s, now, Setback{Err: err, Unreachable: unreachable}, true)
		}
		return r.settle(s, now)
	}
	s.passed, s.failed = s.passed+1, 0
	s.Unreachable = false
	if s.passed >= r.rise {
		s.unhealthy = false
	}
	if due {
		return r.recover(s, now)
	}
	return r.settle(s, now)
}

// drain is the state after draining has begun, or was called off.
func (r *rules) drain(s State, now time.Duration, on bool) State {
	s.draining = on
	return r.settle(s, now)
}

// warmed is the state once the slow start is over.
func (r *rules) warmed(s State, now time.Duration) State {
	s.warm = 0
	return r.settle(s, now)
}

// settle works out the condition.
func (r *rules) settle(s State, now time.Duration) State {
	next := Up
	switch {
	case s.draining:
		next = Draining
	case s.unhealthy:
		next = Unhealthy
	case s.resting:
		next = Resting
	case !s.Condition.Available() && r.slowStart > 0:
		next, s.warm = Warming, now
	case s.warm > 0:
		next = Warming
	}
	if next == Up {
		s.Err = nil
	}
	if !next.Available() {
		s.warm = 0
	}
	if next != s.Condition {
		s.Condition, s.Since = next, now
	}
	return s
}

// share is how much of its weight a member gets, from a tenth to all.
func (r *rules) share(s State, now time.Duration) float64 {
	if s.warm == 0 {
		return 1
	}
	return min(1, max(0.1, float64(now-s.warm)/float64(r.slowStart)))
}
